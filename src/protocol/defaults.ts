/** Fills in what a valid value leaves out. Separate from `validate.ts`, so that its callers need not load an interpreter. */
import type { Schema } from './schema.ts';

type Members = { readonly [name: string]: unknown };

/**
 * A copy in which every member left out has the default of its schema, in objects that are present or have defaults. The result
 * has the type `Resolved` of the schema; inferring it here takes the compiler a minute, so callers name it.
 */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (value === undefined) {
    return schema.default;
  }
  const properties = schema.properties ?? schema.anyOf?.find((one) => one.properties !== undefined)?.properties;
  if (properties === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  const members = value as Members;
  const filled: { [name: string]: unknown } = { ...members };
  for (const [name, member] of Object.entries(properties)) {
    const full = withDefaults(member, members[name]);
    if (full !== undefined) {
      filled[name] = full;
    }
  }
  return filled;
}
