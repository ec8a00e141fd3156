/** Query strings to values. A query has only text, so the schema decides the type of each member. */
import type { ObjectSchema, Schema } from './schema.ts';

/** The part of URLSearchParams that this file needs; it is not part of the language. */
export interface QueryText {
  keys(): Iterable<string>;
  getAll(name: string): readonly string[];
}

/**
 * Reads by the types of the schema's properties. An unreadable value stays text, which `validate` rejects. Lists may be
 * repeated or separated by commas. A repeated member that is not a list becomes an array, which no scalar schema accepts.
 */
export function readQuery(schema: ObjectSchema, query: QueryText): { [name: string]: unknown } {
  const value: { [name: string]: unknown } = Object.create(null) as { [name: string]: unknown };
  for (const name of new Set(query.keys())) {
    const texts = query.getAll(name);
    const member = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (member?.type === 'array') {
      value[name] = texts.flatMap((text) => text.split(',')).map((text) => readScalar(member.items ?? {}, text));
    } else {
      value[name] = texts.length > 1 ? texts : readScalar(member ?? {}, texts[0] ?? '');
    }
  }
  return value;
}

function readScalar(schema: Schema, text: string): unknown {
  if (schema.type === 'integer') {
    return /^-?(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : text;
  }
  if (schema.type === 'number') {
    return /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?$/.test(text) ? Number(text) : text;
  }
  if (schema.type === 'boolean') {
    return text === 'true' || (text === 'false' ? false : text);
  }
  return text;
}

/** The other way, for the client: undefined and null members are left out, lists joined by commas. */
export function writeQuery(query: { readonly [name: string]: unknown } | undefined): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null) {
      continue;
    }
    const text = Array.isArray(value) ? value.map(String).join(',') : String(value as string | number | boolean);
    pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(text)}`);
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** Fills the `{name}` places of a route's path. */
export function fillPath(path: string, params: { readonly [name: string]: string } | undefined): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params?.[name] ?? ''));
}
