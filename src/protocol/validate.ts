/**
 * Checks a value against a schema of this layer. Returns findings in words for a person: where it does not match, and what was
 * probably meant. `@cfworker/json-schema` decides; it interprets a schema instead of compiling it: no
 * code generation, no work at start, and the same for requests, queries and configuration. This layer adds the words
 * (`findings.ts`), the defaults, and the checks that keep values from the library that it throws on or that JSON does not have.
 * A test compares the outcome with Ajv on every schema and on generated values.
 */
import type { Schema as LibrarySchema, ValidationResult } from '@cfworker/json-schema';
import { validate as interpret } from '@cfworker/json-schema';
import type { Finding } from './findings.ts';
import { findingsMax, findingsOf, pathSegment, wrongType } from './findings.ts';
import type { Schema, Wire } from './schema.ts';

type Validation<S extends Schema> =
  | { readonly ok: true; readonly value: Wire<S> }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Parts of a value up to which all faults are looked for; of a larger one, the first of each object or list. */
const partsMax = 1000;
/** The largest dictionary that a schema here may allow (a test holds it so). The library lists every name that is unknown. */
export const membersMax = 10_000;
/** Deeper than any schema here looks. */
const depthMax = 50;
/** Where the library would look up a `$ref`. These schemas have none; without a table the library would write into the schemas. */
const noRefs = {};

export function validate<S extends Schema>(schema: S, value: unknown): Validation<S> {
  const intake: Intake = { parts: 0, findings: [] };
  const json = take(value, schema, '', 0, intake);
  // At the limit `json` is cut off: the library would report what only the copy lacks.
  if (intake.findings.length >= findingsMax) {
    return { ok: false, findings: intake.findings };
  }
  const first = run(schema, json, true);
  if (first.valid) {
    return intake.findings.length === 0
      ? { ok: true, value: value as Wire<S> }
      : { ok: false, findings: intake.findings };
  }
  const { errors } = intake.parts > partsMax ? first : run(schema, json, false);
  return { ok: false, findings: withIntake(intake.findings, findingsOf(errors, schema, json)) };
}

/** Both lists. The copy has null in the places of the first list, so what the library says of those does not count. */
function withIntake(intake: readonly Finding[], others: readonly Finding[]): readonly Finding[] {
  const replaced = new Set(intake.map(({ path }) => path));
  return [...intake, ...others.filter(({ path }) => !replaced.has(path))].slice(0, findingsMax);
}

function run(schema: Schema, json: unknown, firstOnly: boolean): ValidationResult {
  return interpret(json, schema as LibrarySchema, '2020-12', noRefs, firstOnly);
}

interface Intake {
  parts: number;
  readonly findings: Finding[];
}

/**
 * A copy as JSON would have it: without members that are undefined. A value that JSON cannot express becomes a finding. Opaque
 * parts stay unchanged; `schema` says which parts are opaque.
 */
function take(value: unknown, schema: Schema | undefined, path: string, depth: number, intake: Intake): unknown {
  const { findings } = intake;
  if (schema !== undefined && isOpaque(schema)) {
    return value;
  }
  intake.parts++;
  const fault = faultOf(value, schema, path, depth);
  if (fault !== null) {
    findings.push(fault);
  }
  // A finding is enough, and the rest need not be copied: a value that contains itself has no end.
  if (fault !== null || findings.length >= findingsMax) {
    return null;
  }
  if (Array.isArray(value)) {
    return value.map((item, at) => take(item, partSchema(schema), `${path}/${at}`, depth + 1, intake));
  }
  if (!isObject(value)) {
    return value;
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.flatMap(([name, member]) => {
      const at = path + pathSegment(name);
      // The library writes names into URIs, which cannot hold these.
      if (!name.isWellFormed()) {
        findings.push({ path: at, message: 'has a name that is not Unicode text' });
        return [];
      }
      return [[name, take(member, partSchema(schema, name), at, depth + 1, intake)]];
    }),
  );
}

function isOpaque({ type, enum: allowed, const: only, ...schema }: Schema): boolean {
  return type === undefined && !isComposed(schema) && allowed === undefined && only === undefined;
}

const isComposed = ({ anyOf, oneOf, allOf }: Schema): boolean => (anyOf ?? oneOf ?? allOf) !== undefined;

/** Of a member, or without a name of an item. Where no schema will look, the one that looks at nothing. */
function partSchema(schema: Schema | undefined, name?: string): Schema | undefined {
  if (schema === undefined || isComposed(schema)) {
    return undefined;
  }
  const { properties = {}, additionalProperties, items = {} } = schema;
  if (name === undefined) {
    return items;
  }
  if (Object.hasOwn(properties, name)) {
    return properties[name];
  }
  return typeof additionalProperties === 'object' ? additionalProperties : {};
}

/** Null: this file finds no fault. */
function faultOf(value: unknown, schema: Schema | undefined, path: string, depth: number): Finding | null {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)) {
    return null;
  }
  if (typeof value !== 'object') {
    return wrongType(schema?.anyOf ?? schema?.oneOf ?? [schema ?? {}], value, path);
  }
  if (depth > depthMax) {
    return { path, message: `is nested more than ${depthMax} levels deep` };
  }
  const crowded = isObject(value) && Object.keys(value).length > membersMax;
  return crowded ? { path, message: `must have at most ${membersMax} members` } : null;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
