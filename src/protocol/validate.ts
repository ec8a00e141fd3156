/**
 * Checks a value against a schema of this layer and says, in words for a person, where it does not fit and what was
 * probably meant. One interpreter for requests, queries and configuration: it needs no code generation and no start-up
 * time, which a compiled validator pays before the first request (about 70 ms for these schemas).
 * A test compares it with Ajv on every schema and on generated values.
 */
import { nearest } from './nearest.ts';
import type { Schema, TypeName, Wire } from './schema.ts';

export interface Finding {
  /** JSON pointer; empty: the value itself. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

export type Validation<S extends Schema> =
  | { readonly ok: true; readonly value: Wire<S> }
  | { readonly ok: false; readonly findings: readonly Finding[] };

type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** More would tell nobody more, and a hostile value could ask for a million. */
const findingsMax = 20;
/** Deeper than any schema here asks to look; opaque members are not descended into. */
const patterns = new Map<string, RegExp>();

export function validate<S extends Schema>(schema: S, value: unknown): Validation<S>;
// Not generic inside: to compare `unknown` with `Wire<S>` takes the linter's type checker twenty seconds.
export function validate(schema: Schema, value: unknown): Outcome {
  const findings: Finding[] = [];
  check(schema, value, '', findings);
  return findings.length > 0 ? { ok: false, findings } : { ok: true, value };
}

function check(schema: Schema, value: unknown, path: string, findings: Finding[]): void {
  if (findings.length >= findingsMax) return;
  if (schema.anyOf !== undefined && !checkAnyOf(schema.anyOf, value, path, findings)) return;
  if (schema.type !== undefined && !hasType(schema.type, value)) {
    findings.push({ path, message: `must be ${typeWords(schema.type)}, not ${typeOf(value)}` });
    return;
  }
  if (schema.const !== undefined && value !== schema.const)
    findings.push({ path, message: `must be ${JSON.stringify(schema.const)}` });
  if (schema.enum !== undefined && !schema.enum.some((allowed) => allowed === value))
    findings.push(outsideEnum(schema.enum, value, path));
  if (typeof value === 'string') checkString(schema, value, path, findings);
  else if (typeof value === 'number') checkNumber(schema, value, path, findings);
  else if (Array.isArray(value)) checkArray(schema, value, path, findings);
  else if (isObject(value)) checkObject(schema, value, path, findings);
}

/** The findings of the alternative that came nearest are the ones worth telling. */
function checkAnyOf(alternatives: readonly Schema[], value: unknown, path: string, findings: Finding[]): boolean {
  let best: Finding[] | null = null;
  for (const alternative of alternatives) {
    const own: Finding[] = [];
    check(alternative, value, path, own);
    if (own.length === 0) return true;
    const rightType = alternative.type === undefined || hasType(alternative.type, value);
    if (best === null || (rightType && own.length <= best.length)) best = own;
  }
  findings.push(...(best ?? []));
  return false;
}

function outsideEnum(allowed: readonly unknown[], value: unknown, path: string): Finding {
  const message = `must be one of ${allowed.map((one) => JSON.stringify(one)).join(', ')}`;
  const near =
    typeof value === 'string'
      ? nearest(
          value,
          allowed.filter((one) => typeof one === 'string'),
        )
      : null;
  return near === null ? { path, message } : { path, message, hint: `Did you mean ${JSON.stringify(near)}?` };
}

function checkString(schema: Schema, value: string, path: string, findings: Finding[]): void {
  const { minLength, maxLength, pattern } = schema;
  // A code point is one or two units, so most strings are decided without counting.
  if (minLength !== undefined && value.length < minLength * 2 && codePoints(value) < minLength) {
    findings.push({
      path,
      message: minLength === 1 ? 'must not be empty' : `must have at least ${minLength} characters`,
    });
  } else if (maxLength !== undefined && value.length > maxLength && codePoints(value) > maxLength) {
    findings.push({ path, message: `must have at most ${maxLength} characters` });
  } else if (pattern !== undefined && !compiled(pattern).test(value)) {
    findings.push({
      path,
      message: `must match ${pattern}`,
      ...(schema.description === undefined ? {} : { hint: schema.description }),
    });
  }
}

function checkNumber(schema: Schema, value: number, path: string, findings: Finding[]): void {
  if (schema.minimum !== undefined && value < schema.minimum)
    findings.push({ path, message: `must be at least ${schema.minimum}` });
  if (schema.maximum !== undefined && value > schema.maximum)
    findings.push({ path, message: `must be at most ${schema.maximum}` });
}

function checkArray(schema: Schema, value: readonly unknown[], path: string, findings: Finding[]): void {
  if (schema.minItems !== undefined && value.length < schema.minItems)
    findings.push({ path, message: `must have at least ${schema.minItems} items` });
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    findings.push({ path, message: `must have at most ${schema.maxItems} items` });
    return;
  }
  if (schema.items === undefined) return;
  for (const [index, item] of value.entries()) check(schema.items, item, `${path}/${index}`, findings);
}

function checkObject(
  schema: Schema,
  value: { readonly [name: string]: unknown },
  path: string,
  findings: Finding[],
): void {
  const { properties = {}, required = [], additionalProperties, propertyNames, maxProperties } = schema;
  for (const name of required) {
    if (!Object.hasOwn(value, name) || value[name] === undefined)
      findings.push({ path: `${path}/${escapePointer(name)}`, message: 'is missing' });
  }
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  if (maxProperties !== undefined && names.length > maxProperties) {
    findings.push({ path, message: `must have at most ${maxProperties} members` });
    return;
  }
  for (const name of names) {
    const at = `${path}/${escapePointer(name)}`;
    if (propertyNames !== undefined) check(propertyNames, name, at, findings);
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known !== undefined) check(known, value[name], at, findings);
    else if (additionalProperties === false) findings.push(unknownName(name, properties, at));
    else if (typeof additionalProperties === 'object') check(additionalProperties, value[name], at, findings);
    if (findings.length >= findingsMax) return;
  }
}

function unknownName(name: string, properties: { readonly [name: string]: Schema }, path: string): Finding {
  const known = Object.keys(properties);
  const near = nearest(name, known);
  const hint = near === null ? `Known here: ${known.join(', ')}.` : `Did you mean \`${near}\`?`;
  return { path, message: 'is not known here', hint };
}

function hasType(types: TypeName | readonly TypeName[], value: unknown): boolean {
  return typeof types === 'string' ? isType(types, value) : types.some((type) => isType(type, value));
}

function isType(type: TypeName, value: unknown): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : String(value);
  return value === undefined ? 'missing' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

function typeWords(types: TypeName | readonly TypeName[]): string {
  const words = (typeof types === 'string' ? [types] : types).map((type) =>
    type === 'null' ? 'null' : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`,
  );
  return words.join(' or ');
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function compiled(pattern: string): RegExp {
  let regexp = patterns.get(pattern);
  if (regexp === undefined) {
    regexp = new RegExp(pattern, 'u');
    patterns.set(pattern, regexp);
  }
  return regexp;
}

function escapePointer(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * A copy in which every member left out has the default of its schema, in objects that are there or have defaults. What comes
 * out has the type `Resolved` of the schema; inferring it here takes the compiler a minute, so callers name it.
 */
export function withDefaults(schema: Schema, value: unknown): unknown {
  return fill(schema, value);
}

function fill(schema: Schema, value: unknown): unknown {
  if (value === undefined) return schema.default;
  if (!isObject(value) || schema.properties === undefined) return value;
  const filled: { [name: string]: unknown } = { ...value };
  for (const [name, member] of Object.entries(schema.properties)) {
    const full = fill(member, value[name]);
    if (full !== undefined) filled[name] = full;
  }
  return filled;
}
