/** The findings of `@cfworker/json-schema` in words for a person: the path, the expected value, and the probable intention. */
import type { OutputUnit } from '@cfworker/json-schema';
import { nearest } from './nearest.ts';
import type { Schema, TypeName } from './schema.ts';

export interface Finding {
  /** JSON pointer; empty: the value itself. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** Further findings do not help a person, and a hostile value could cause a million. */
export const findingsMax = 20;

/** `units` as the library listed them for this schema and value; at most `findingsMax` findings. */
export function findingsOf(units: readonly OutputUnit[], schema: Schema, json: unknown): readonly Finding[] {
  const mistyped = new Set(units.filter(({ keyword }) => keyword === 'type').map(placeOf));
  const findings = new Map<string, Finding>();
  for (const unit of units.filter((one) => isMeant(one, units, schema, json))) {
    // A value of the wrong type needs no further findings of its schema.
    if (unit.keyword !== 'type' && mistyped.has(placeOf(unit))) {
      continue;
    }
    for (const finding of told(unit, schema, json, mistyped)) {
      findings.set(`${finding.path} ${finding.message}`, finding);
    }
    if (findings.size >= findingsMax) {
      break;
    }
  }
  return [...findings.values()].slice(0, findingsMax);
}

/** Of alternatives with a discriminator, only the findings of the chosen one help. */
function isMeant(unit: OutputUnit, units: readonly OutputUnit[], schema: Schema, json: unknown): boolean {
  return [...unit.keywordLocation.matchAll(/\/oneOf\/(\d+)(?=\/)/g)].every((match) => {
    const keyword = `${unit.keywordLocation.slice(0, match.index)}/oneOf`;
    const choice = units.find(
      ({ keywordLocation, instanceLocation }) =>
        keywordLocation === keyword && `${unit.instanceLocation}/`.startsWith(`${instanceLocation}/`),
    );
    const owner = lookUp(schema, ownerLocation({ keywordLocation: keyword })) as Schema;
    return choice !== undefined && meantBy(owner, lookUp(json, choice.instanceLocation)) === Number(match[1]);
  });
}

/** Index of the alternative that a value chooses; -1: none. */
function meantBy({ oneOf = [], discriminator }: Schema, value: unknown): number {
  const name = discriminator?.propertyName ?? '';
  const given = lookUp(value, `#/${name}`);
  return oneOf.findIndex(({ properties = {} }) => properties[name]?.const === given);
}

/** One schema within the schema, applied to one place of the value. */
function placeOf(unit: OutputUnit): string {
  return `${unit.instanceLocation} ${ownerLocation(unit)}`;
}

/** Of the schema that has the keyword. */
function ownerLocation({ keywordLocation }: Pick<OutputUnit, 'keywordLocation'>): string {
  return keywordLocation.slice(0, keywordLocation.lastIndexOf('/'));
}

function told(unit: OutputUnit, schema: Schema, json: unknown, mistyped: ReadonlySet<string>): readonly Finding[] {
  const location = ownerLocation(unit);
  const owner = lookUp(schema, location) as Schema;
  const value = lookUp(json, unit.instanceLocation);
  const path = segments(unit.instanceLocation).map(pathSegment).join('');
  switch (unit.keyword) {
    // These only announce the units after them; `false` repeats `additionalProperties`.
    case 'properties':
    case 'items':
    case 'propertyNames':
    case 'allOf':
    case 'false':
      return [];
    case 'type':
      // Alternatives differ by type: those of another type are reported only if no other finding exists.
      return /\/anyOf\/\d+$/.test(location) ? [] : [wrongType([owner], value, path)];
    case 'anyOf': {
      const { anyOf = [] } = owner;
      const none = anyOf.every((_, at) => mistyped.has(`${unit.instanceLocation} ${unit.keywordLocation}/${at}`));
      return none ? [wrongType(anyOf, value, path)] : [];
    }
    case 'oneOf':
      return meantBy(owner, value) === -1 ? [noAlternative(owner, value, path)] : [];
    case 'required':
      return missing(owner, value, path);
    case 'additionalProperties':
      return owner.additionalProperties === false ? unknownNames(owner, value, path) : [];
    case 'enum':
      return [outsideEnum(owner, value, path)];
    case 'pattern':
      return [
        {
          path,
          message: `must match ${owner.pattern}`,
          ...(owner.description === undefined ? {} : { hint: owner.description }),
        },
      ];
    default:
      return [{ path, message: bound(unit, owner) }];
  }
}

function bound(unit: OutputUnit, owner: Schema): string {
  switch (unit.keyword) {
    case 'const':
      return `must be ${JSON.stringify(owner.const)}`;
    case 'minLength':
      return owner.minLength === 1 ? 'must not be empty' : `must have at least ${owner.minLength} characters`;
    case 'maxLength':
      return `must have at most ${owner.maxLength} characters`;
    case 'minimum':
      return `must be at least ${owner.minimum}`;
    case 'maximum':
      return `must be at most ${owner.maximum}`;
    case 'minItems':
      return `must have at least ${owner.minItems} items`;
    case 'maxItems':
      return `must have at most ${owner.maxItems} items`;
    case 'maxProperties':
      return `must have at most ${owner.maxProperties} members`;
    default:
      return unit.error;
  }
}

/** The value has none of the types of these schemas. A schema without a type accepts any JSON. */
export function wrongType(wanted: readonly Schema[], value: unknown, path: string): Finding {
  const types = new Set(wanted.flatMap(({ type }) => type ?? []));
  const words = types.size === 0 ? 'JSON' : [...types].map(typeWord).join(' or ');
  return { path, message: `must be ${words}, not ${typeOf(value)}` };
}

function missing({ required = [] }: Schema, value: unknown, path: string): readonly Finding[] {
  return required
    .filter((name) => !Object.hasOwn(Object(value), name))
    .map((name) => ({ path: path + pathSegment(name), message: 'is missing' }));
}

function unknownNames({ properties = {} }: Schema, value: unknown, path: string): readonly Finding[] {
  const known = Object.keys(properties);
  const unknown = Object.keys(Object(value)).filter((name) => !Object.hasOwn(properties, name));
  return unknown.slice(0, findingsMax).map((name) => {
    const near = nearest(name, known);
    const hint = near === null ? `Known here: ${known.join(', ')}.` : `Did you mean \`${near}\`?`;
    return { path: path + pathSegment(name), message: 'is not known here', hint };
  });
}

/** The discriminator has a value that none of the alternatives has. */
function noAlternative({ oneOf = [], discriminator }: Schema, value: unknown, path: string): Finding {
  const name = discriminator?.propertyName ?? '';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrongType(oneOf, value, path);
  }
  const at = path + pathSegment(name);
  const choices = { enum: oneOf.flatMap(({ properties = {} }) => properties[name]?.const ?? []) };
  return Object.hasOwn(value, name)
    ? outsideEnum(choices, lookUp(value, `#/${name}`), at)
    : { path: at, message: 'is missing' };
}

function outsideEnum({ enum: allowed = [] }: Schema, value: unknown, path: string): Finding {
  const message = `must be one of ${allowed.map((one) => JSON.stringify(one)).join(', ')}`;
  const texts = allowed.filter((one) => typeof one === 'string');
  const near = typeof value === 'string' ? nearest(value, texts) : null;
  return near === null ? { path, message } : { path, message, hint: `Did you mean ${JSON.stringify(near)}?` };
}

function typeOf(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return 'an array';
  }
  if (value === undefined) {
    return 'missing';
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return String(value);
  }
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

function typeWord(type: TypeName): string {
  return type === 'null' ? 'null' : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

/** Of the library's `#/a/b`, a JSON pointer in a URI fragment. */
function segments(location: string): readonly string[] {
  const escaped = decodeURIComponent(location).split('/').slice(1);
  return escaped.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function lookUp(root: unknown, location: string): unknown {
  let here = root;
  for (const name of segments(location)) {
    here = Object.hasOwn(Object(here), name) ? (here as { readonly [name: string]: unknown })[name] : undefined;
  }
  return here;
}

/** One step of a finding's path. A name in a value may have any length. */
export function pathSegment(name: string): string {
  return `/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
