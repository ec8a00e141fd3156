/** A value that satisfies a JSON schema, for calls that want structure: titles, classifiers, reviewers. */
import type { Fields } from './conversation.ts';
import { fieldsOf, isFields, listOf } from './conversation.ts';

const deepest = 8;

/** The least that satisfies the schema: the first of several, required properties only, `fake` for text. */
export function fill(schema: Fields, depth = 0): unknown {
  const [choice] = [...listOf(schema['enum']), ...listOf(schema['anyOf']), ...listOf(schema['oneOf'])];
  if ('const' in schema) {
    return schema['const'];
  }
  if (choice !== undefined) {
    return isFields(choice) ? fill(choice, depth + 1) : choice;
  }
  const [first] = Array.isArray(schema['type']) ? listOf(schema['type']) : [schema['type']];
  // Gemini writes the types of its own schemas in capitals.
  switch (typeof first === 'string' ? first.toLowerCase() : '') {
    case 'string':
      return 'fake';
    case 'number':
    case 'integer':
      return schema['minimum'] ?? 1;
    case 'boolean':
      return false;
    case 'null':
      return null;
    case 'array':
      return depth < deepest && schema['minItems'] !== undefined ? [fill(fieldsOf(schema['items']), depth + 1)] : [];
  }
  const properties = fieldsOf(schema['properties']);
  const names = listOf(schema['required']).filter((name) => typeof name === 'string');
  if (depth >= deepest) {
    return {};
  }
  return Object.fromEntries(names.map((name) => [name, fill(fieldsOf(properties[name]), depth + 1)]));
}
