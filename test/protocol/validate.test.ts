/** What fits our schemas, against Ajv, and what is said to people of what does not. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigFileSchema } from '../../src/daemon/config/schema.ts';
import { sourceSchemas } from '../../src/gateways/registry.ts';
import * as protocol from '../../src/protocol/index.ts';
import type { ObjectSchema, Schema } from '../../src/protocol/index.ts';
import { nearest, readQuery, validate, withDefaults, writeQuery } from '../../src/protocol/index.ts';

const schemas: readonly [string, Schema][] = [
  ...(Object.entries<unknown>(protocol).filter(([name]) => name.endsWith('Schema')) as [string, Schema][]),
  ...Object.entries(sourceSchemas),
  ['ConfigFileSchema', ConfigFileSchema],
];

/**
 * Values of a schema's own shape. `wrong` is how often, out of 100, a part is something else, or just past its bounds:
 * with 0 every value fits.
 */
function values(schema: Schema, wrong: number): fc.Arbitrary<unknown> {
  const other = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.constant([]),
    fc.constant({}),
  );
  const own = ownValues(schema, wrong);
  return wrong === 0 ? own : fc.oneof({ weight: 100 - wrong, arbitrary: own }, { weight: wrong, arbitrary: other });
}

function ownValues(schema: Schema, wrong: number): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) {
    return fc.constant(schema.const);
  }
  if (schema.enum !== undefined) {
    return fc.constantFrom(...schema.enum);
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    return fc.oneof(...choices.map((each) => values(each, wrong)));
  }
  if (schema.allOf !== undefined) {
    // Objects whose members are those of all parts.
    return fc
      .tuple(...schema.allOf.map((each) => ownValues(each, wrong)))
      .map((parts) => Object.assign({}, ...parts) as object);
  }
  const types = schema.type === undefined ? (['string', 'integer', 'null'] as const) : [schema.type].flat();
  return fc.oneof(...types.map((type) => ofType(type, schema, wrong)));
}

function ofType(type: string, schema: Schema, wrong: number): fc.Arbitrary<unknown> {
  const past = wrong === 0 ? 0 : 1;
  if (type === 'string') {
    return texts(schema, past);
  }
  if (type === 'integer' || type === 'number') {
    const { minimum = -10, maximum = 10 } = schema;
    return fc.constantFrom(
      minimum - past,
      minimum,
      minimum + 1,
      maximum - 1,
      maximum,
      maximum + past,
      ...(past === 1 ? [0.5, 2 ** 60] : []),
    );
  }
  if (type === 'boolean') {
    return fc.boolean();
  }
  if (type === 'null') {
    return fc.constant(null);
  }
  if (type === 'array') {
    const { items = {}, minItems = 0, maxItems = 5 } = schema;
    return fc.array(values(items, wrong), {
      minLength: Math.max(0, minItems - past),
      maxLength: Math.max(minItems, Math.min(maxItems + past, 3)),
    });
  }
  return objects(schema, wrong);
}

function texts({ pattern, minLength = 0, maxLength = 30 }: Schema, past: number): fc.Arbitrary<string> {
  const most = Math.min(maxLength, 300);
  const plain = fc.string({ unit: 'binary', minLength: Math.max(0, minLength - past), maxLength: most });
  const edge = fc.constantFrom(
    'x'.repeat(most),
    '🚦'.repeat(most),
    ...(past === 1 ? ['x'.repeat(maxLength + 1), '🚦'.repeat(Math.min(maxLength, 10_000) + 1)] : []),
  );
  if (pattern === undefined) {
    return fc.oneof(plain, edge);
  }
  // The generator of texts knows no lookahead; what it forbids is seldom made.
  const matching = fc
    .stringMatching(new RegExp(pattern.replace(/\(\?!.*?\)/, ''), 'u'), { maxLength: most })
    .filter((text) => past === 1 || (Array.from(text).length >= minLength && new RegExp(pattern, 'u').test(text)));
  return past === 1 ? fc.oneof(matching, matching, plain) : matching;
}

function objects(schema: Schema, wrong: number): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, propertyNames = { type: 'string' } } = schema;
  const own = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, values(member, wrong)])),
    {
      requiredKeys: required.filter((name) => Object.hasOwn(properties, name)),
    },
  );
  if (typeof additionalProperties === 'object') {
    return fc.dictionary(values(propertyNames, wrong).map(String), values(additionalProperties, wrong), {
      maxKeys: 3,
      noNullPrototype: true,
    });
  }
  if (wrong === 0) {
    return own;
  }
  return fc
    .tuple(
      own,
      fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.constant({ 'a/b~c': 1 }) }),
    )
    .map(([a, b]) => ({ ...a, ...b }));
}

describe('the validator', () => {
  test('has schemas to compare', () => {
    expect(schemas.length).toBeGreaterThan(30);
  });

  test.each(schemas)('agrees with Ajv about %s', (_, schema) => {
    const ajv = new Ajv2020({ strict: false, allErrors: false });
    const reference = ajv.compile(schema);
    const agree = (value: unknown): boolean => {
      const { ok } = validate(schema, value);
      const wanted = reference(value);
      if (ok !== wanted) {
        // Compared only where it fails: a page of events is large.
        expect({ value, ok }).toEqual({ value, ok: wanted });
      }
      return ok;
    };
    fc.assert(fc.property(values(schema, 0), agree), { numRuns: 60, seed: 7 });
    let refused = 0;
    fc.assert(
      fc.property(values(schema, 8), (value) => {
        if (!agree(value)) {
          refused++;
        }
      }),
      { numRuns: 200, seed: 7 },
    );
    expect(refused).toBeGreaterThan(5);
  });

  test('accepts any JSON for the empty schema of opaque members', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => validate({}, value).ok));
  });
});

describe('a finding of the validator', () => {
  const schema = {
    type: 'object',
    additionalProperties: false,
    required: ['port'],
    properties: {
      port: { type: 'integer', minimum: 0 },
      host: { type: 'string', minLength: 1 },
      lane: { enum: ['interactive', 'background'] },
    },
  } as const satisfies Schema;
  const findings = (value: unknown): unknown => {
    const checked = validate(schema, value);
    return checked.ok ? 'fits' : checked.findings;
  };

  test.each<[unknown, unknown]>([
    [{ port: 1 }, 'fits'],
    [undefined, [{ path: '', message: 'must be an object, not missing' }]],
    [[], [{ path: '', message: 'must be an object, not an array' }]],
    [
      { prot: 1 },
      [
        { path: '/port', message: 'is missing' },
        { path: '/prot', message: 'is not known here', hint: 'Did you mean `port`?' },
      ],
    ],
    [
      { port: 1, zzzzzzz: 1 },
      [{ path: '/zzzzzzz', message: 'is not known here', hint: 'Known here: port, host, lane.' }],
    ],
    [{ port: '1' }, [{ path: '/port', message: 'must be an integer, not a string' }]],
    [{ port: -1 }, [{ path: '/port', message: 'must be at least 0' }]],
    [{ port: 1, host: '' }, [{ path: '/host', message: 'must not be empty' }]],
    [
      { port: 1, lane: 'Interactive' },
      [{ path: '/lane', message: 'must be one of "interactive", "background"', hint: 'Did you mean "interactive"?' }],
    ],
  ])('names path, problem and hint of %j', (value, expected) => {
    expect(findings(value)).toEqual(expected);
  });

  test.each<[Schema, unknown, unknown]>([
    // Of alternatives only those are told that the value can be meant for.
    [
      {
        anyOf: [
          { type: 'string', maxLength: 2 },
          { type: 'array', items: { type: 'string' } },
        ],
      },
      'ab',
      'fits',
    ],
    [
      {
        anyOf: [
          { type: 'string', maxLength: 2 },
          { type: 'array', items: { type: 'string' } },
        ],
      },
      ['a', 1],
      [{ path: '/1', message: 'must be a string, not a number' }],
    ],
    [
      { anyOf: [{ type: 'string' }, { type: 'array' }] },
      1,
      [{ path: '', message: 'must be a string or an array, not a number' }],
    ],
    [{ anyOf: [{ type: 'object', required: ['a'] }, { type: 'null' }] }, {}, [{ path: '/a', message: 'is missing' }]],
    [{ type: ['string', 'null'] }, 1, [{ path: '', message: 'must be a string or null, not a number' }]],
    [{ type: 'string', enum: ['a'], minLength: 9 }, 7, [{ path: '', message: 'must be a string, not a number' }]],
    [
      { type: 'object', propertyNames: { type: 'string', pattern: '^x$', description: 'One x.' } },
      { 'a/b~%': 1 },
      [{ path: '/a~1b~0%', message: 'must match ^x$', hint: 'One x.' }],
    ],
    [
      { type: 'object', additionalProperties: { type: 'object', additionalProperties: false, properties: { ab: {} } } },
      { 'ü %2F/#': { aa: 1 } },
      [{ path: '/ü %2F~1#/aa', message: 'is not known here', hint: 'Did you mean `ab`?' }],
    ],
  ])('names the alternative that was meant of %j for %j', (one, value, expected) => {
    const checked = validate(one, value);
    expect(checked.ok ? 'fits' : checked.findings).toEqual(expected);
  });

  test('is bounded, whatever is wrong', () => {
    const unknown = (count: number): unknown =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 1]));
    for (const value of [unknown(100), unknown(5000)]) {
      expect(validate(schema, value)).toMatchObject({ ok: false, findings: { length: 20 } });
    }
    // A list of findings this long would not fit on the library's stack.
    expect(validate({ type: 'object', properties: { in: schema } }, { in: unknown(300_000) })).toEqual({
      ok: false,
      findings: [{ path: '/in', message: 'must have at most 10000 members' }],
    });
    const list = { type: 'object', properties: { in: { type: 'array', items: schema } } } as const;
    expect(validate(list, { in: Array.from({ length: 300_000 }, () => 1) })).toEqual({
      ok: false,
      findings: [{ path: '/in/0', message: 'must be an object, not a number' }],
    });
    const long = validate(schema, { ['x'.repeat(1_000_000)]: 1 });
    expect(JSON.stringify(long).length).toBeLessThan(1000);
  });
});

describe('a value that is not JSON, from a configuration or from 1e400,', () => {
  const schema = {
    type: 'object',
    properties: {
      count: { type: 'integer' },
      map: { type: 'object', additionalProperties: { type: 'string' } },
      either: { anyOf: [{ type: 'null' }, { type: 'object', properties: { a: { type: 'string' } } }] },
      list: { type: 'array' },
      opaque: {},
    },
    additionalProperties: false,
  } as const satisfies Schema;

  test.each<[string, unknown, string]>([
    ['Infinity', { count: Infinity }, '/count must be an integer, not Infinity'],
    ['NaN', { count: Number.NaN }, '/count must be an integer, not NaN'],
    ['a function', { map: { f: () => {} } }, '/map/f must be a string, not a function'],
    ['a list for a dictionary', { map: [undefined] }, '/map must be an object, not an array'],
    ['nothing at all', undefined, ' must be an object, not missing'],
    ['half a surrogate pair', { map: { '\ud800': 'x' } }, '/map/\ud800 has a name that is not Unicode text'],
    ['no integer in an alternative', { either: { a: 1n } }, '/either/a must be JSON, not a bigint'],
  ])('is refused: %s', (_, value, expected) => {
    const checked = validate(schema, value);
    expect(checked.ok ? [] : checked.findings.map(({ path, message }) => `${path} ${message}`)).toEqual([expected]);
  });

  test('is reported together with the other findings', () => {
    const value = { count: Infinity, map: { '\ud800': 'x', a: 1 }, either: { a: 1n, b: 1 }, listt: [] };
    const checked = validate(schema, value);
    expect(checked.ok ? [] : checked.findings.map(({ path, message }) => `${path} ${message}`)).toEqual([
      '/count must be an integer, not Infinity',
      '/map/\ud800 has a name that is not Unicode text',
      '/either/a must be JSON, not a bigint',
      '/map/a must be a string, not a number',
      '/listt is not known here',
    ]);
  });

  test('is absent where it is an undefined member', () => {
    const value = { count: undefined, map: { a: undefined }, either: { a: undefined }, other: undefined };
    expect(validate(schema, value)).toEqual({ ok: true, value });
    expect(validate({ type: 'object', required: ['a'] }, { a: undefined }).ok).toBe(false);
  });

  test('is refused when it contains itself twice', () => {
    const value: unknown[] = [];
    value.push(value, value);
    const one = { type: 'object', properties: { a: { anyOf: [{ type: 'array' }, { type: 'null' }] } } } as const;
    expect(validate(one, { a: value }).ok).toBe(false);
  });

  test('is accepted within an opaque part', () => {
    const opaque: { [name: string]: unknown } = { '\ud800': Number.NaN, f: undefined };
    opaque['self'] = opaque;
    expect(validate(schema, { opaque, list: [opaque] }).ok).toBe(true);
  });
});

test('every dictionary of a schema has a limit of members', () => {
  const dictionaries = (schema: Schema): readonly Schema[] => [
    ...(typeof schema.additionalProperties === 'object' ? [schema, ...dictionaries(schema.additionalProperties)] : []),
    ...Object.values(schema.properties ?? {}).flatMap(dictionaries),
    ...(schema.anyOf ?? []).flatMap(dictionaries),
    ...(schema.items === undefined ? [] : dictionaries(schema.items)),
  ];
  const all = schemas.flatMap(([, schema]) => dictionaries(schema));
  expect(all.length).toBeGreaterThan(5);
  for (const one of all) {
    expect(one.maxProperties ?? Infinity).toBeLessThanOrEqual(protocol.membersMax);
  }
});

describe('the search for the nearest name', () => {
  test.each([
    ['prompt', 'promt'],
    ['whenBusy', 'when_busy'],
    ['maxPassedOver', 'maxPassdOver'],
    ['dataDir', 'datadir'],
    [null, 'nonsense'],
    [null, 'x'],
  ])('finds %s for %s', (expected, wrong) => {
    expect(nearest(wrong, ['prompt', 'whenBusy', 'maxPassedOver', 'dataDir', 'lane'])).toBe(expected);
  });
});

describe('defaults of a schema', () => {
  test('fill in what is missing, at every depth, and nothing else', () => {
    const given = { listen: { port: 1 }, agent: { name: 'scripted' } };
    const full = withDefaults(ConfigFileSchema, given);
    expect(full).toMatchObject({
      listen: { port: 1, host: '127.0.0.1' },
      agent: { name: 'scripted' },
      durability: 'power',
    });
    expect(full).not.toHaveProperty('github');
    expect(given).toEqual({ listen: { port: 1 }, agent: { name: 'scripted' } });
    expect(withDefaults(protocol.LimitsConfigSchema, {})).toMatchObject({
      maxPassedOver: 3,
      maxOpen: 10_000,
    });
  });

  test('fit their own schemas', () => {
    for (const [name, schema] of schemas) {
      if (schema.properties === undefined) {
        continue;
      }
      for (const [member, own] of Object.entries(schema.properties)) {
        if (own.default !== undefined) {
          expect([name, member, validate(own, own.default).ok]).toEqual([name, member, true]);
        }
      }
    }
  });
});

describe('values of a query', () => {
  const schema = {
    type: 'object',
    additionalProperties: false,
    properties: {
      status: { type: 'array', items: { type: 'string' } },
      limit: { type: 'integer' },
      wait: { type: 'number' },
      on: { type: 'boolean' },
      text: { type: 'string' },
    },
  } as const satisfies ObjectSchema;

  test('are read by their types', () => {
    const query = new URLSearchParams('status=a,b&status=c&limit=10&wait=0.5&on=true&text=7');
    expect({ ...readQuery(schema, query) }).toEqual({
      status: ['a', 'b', 'c'],
      limit: 10,
      wait: 0.5,
      on: true,
      text: '7',
    });
  });

  test.each([
    'limit=1e3',
    'limit=0x10',
    'limit=',
    'limit= 1',
    'limit=1&limit=2',
    'wait=Infinity',
    'on=yes',
    'limit=99999999999999999',
    'unknown=1',
    '__proto__=1',
  ])('are refused in %s', (search) => {
    expect(validate(schema, readQuery(schema, new URLSearchParams(search))).ok).toBe(false);
  });

  test('are read as they were written', () => {
    const values = fc.record({
      status: fc.array(
        fc.string({ minLength: 1 }).filter((text) => !text.includes(',')),
        { minLength: 1 },
      ),
      limit: fc.nat(),
      text: fc.string(),
    });
    fc.assert(
      fc.property(values, (value) => {
        expect({ ...readQuery(schema, new URLSearchParams(writeQuery(value))) }).toEqual(value);
      }),
    );
  });
});

test('a session key is judged alike by its schema and by isSessionKey', () => {
  const keys = [
    'a',
    '',
    '.',
    '..',
    '...',
    'a\n',
    '\u{1F600}'.repeat(200),
    '\u{1F600}'.repeat(201),
    'x'.repeat(201),
    '\ud800',
  ];
  expect(keys.filter((key) => protocol.isSessionKey(key))).toEqual(['a', '...', '\u{1F600}'.repeat(200)]);
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...keys), fc.string({ unit: 'binary', maxLength: 210 })), (key) => {
      expect(protocol.isSessionKey(key)).toBe(validate(protocol.SessionKeySchema, key).ok);
    }),
  );
});
