/** Values for a schema of the API: right ones, and those that differ from a right one in some place. */
import fc from 'fast-check';
import type { Schema } from '../../../src/protocol/index.ts';

/** Texts that have hurt servers: empty, long, odd in Unicode, in paths, in numbers, in prototypes. */
const evil: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '../../token',
  '%00',
  '\u0000',
  '\ud800',
  '\u202e\u2028',
  '__proto__',
  'constructor',
  'toString',
  '-0',
  '1e309',
  'NaN',
  '9007199254740993',
  "';--",
  'x'.repeat(5_000),
  '😀'.repeat(300),
];

const anything = fc.oneof(fc.constantFrom<unknown>(...evil, null, true, -1, 0.5, 1e21, [], {}), fc.jsonValue());

const text = ({ minLength = 0, maxLength = 60, pattern }: Schema): fc.Arbitrary<unknown> => {
  const plain = fc.string({ minLength, maxLength: Math.min(maxLength, Math.max(minLength, 60)), unit: 'grapheme' });
  if (pattern === undefined) {
    return plain;
  }
  // Patterns look around and use `u`, which not every generator reads: words are right for most of them.
  return fc.oneof(fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/), plain);
};

const number = ({ minimum = -1e9, maximum = 1e9, type }: Schema): fc.Arbitrary<unknown> =>
  type === 'integer'
    ? fc.integer({ min: Math.ceil(minimum), max: Math.min(Math.floor(maximum), Number.MAX_SAFE_INTEGER) })
    : fc.double({ min: minimum, max: maximum, noNaN: true });

function ofType(schema: Schema, type: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string':
      return text(schema);
    case 'integer':
    case 'number':
      return number({ ...schema, type });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array': {
      const { items = {}, minItems = 0, maxItems = 5 } = schema;
      return fc.array(rightValue(items), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 5) });
    }
    default:
      return objectOf(schema);
  }
}

function objectOf({ properties = {}, required = [], additionalProperties = true }: Schema): fc.Arbitrary<unknown> {
  const members = Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, rightValue(member)]));
  const known = fc.record(members, { requiredKeys: required.filter((name) => Object.hasOwn(members, name)) });
  return additionalProperties === false
    ? known
    : fc.tuple(known, fc.dictionary(fc.string({ maxLength: 10 }), fc.jsonValue())).map(([a, b]) => ({ ...b, ...a }));
}

/** Values that the schema accepts, nearly all of them. */
export function rightValue(schema: Schema): fc.Arbitrary<unknown> {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    return fc.oneof(...alternatives.map(rightValue));
  }
  if (schema.const !== undefined) {
    return fc.constant(schema.const);
  }
  if (schema.enum !== undefined) {
    return fc.constantFrom<unknown>(...schema.enum);
  }
  if (schema.type === undefined) {
    return schema.properties === undefined ? fc.jsonValue() : objectOf(schema);
  }
  return fc.oneof(...[schema.type].flat().map((type) => ofType(schema, type)));
}

/** Replaces one member, at a random place, by anything. */
function spoiled(value: unknown, places: readonly number[], by: unknown): unknown {
  const [place = 0, ...rest] = places;
  if (typeof value !== 'object' || value === null || rest.length === 0) {
    return by;
  }
  const names = [...Object.keys(value), 'unknown'];
  const name = names[place % names.length] ?? 'unknown';
  const copy: { [name: string]: unknown } = { ...(value as object) };
  copy[name] = spoiled(copy[name], rest, by);
  return Array.isArray(value) ? Object.values(copy) : copy;
}

/** A right value, or one that is wrong in a place. */
export const nearlyRight = (schema: Schema): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 3, arbitrary: rightValue(schema) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(rightValue(schema), fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), anything)
        .map(([value, places, by]) => spoiled(value, places, by)),
    },
    { weight: 1, arbitrary: anything },
  );
