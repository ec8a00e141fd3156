/** The configuration as a list: each key, its value, and what said so. Secrets are hidden. */
import { configSections } from '../../protocol/config.ts';
import type { Schema } from '../../protocol/schema.ts';
import { makeRedactor } from '../../supervise/redact.ts';
import { secretsOf } from '../secrets.ts';
import { settingsOf } from './environment.ts';
import { type ConfigSources, mergeConfig, resolveConfig } from './resolve.ts';

export interface ConfigEntry {
  /** `limits.maxOpen`. */
  readonly key: string;
  readonly value: unknown;
  /** A variable, a flag, the path of the file, or `default`. */
  readonly from: string;
}

const hidden = '(hidden)';
/** What keys of secrets are called, wherever they are; variables of an agent are for it alone. */
const isSecret = (path: readonly string[]): boolean =>
  path.some((name, at) => /secret|token$|password/i.test(name) || (name === 'env' && at < path.length - 1));

type Leaf = readonly [path: readonly string[], value: unknown];

/** Lists are one value, as they are in no other source than the file. */
function leavesOf(value: unknown, path: readonly string[]): readonly Leaf[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[path, value]];
  }
  const members = Object.entries(value);
  return members.length === 0
    ? [[path, value]]
    : members.flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

function defaultsOf({ properties = {}, default: byDefault }: Schema, path: readonly string[]): readonly Leaf[] {
  return byDefault === undefined
    ? Object.entries(properties).flatMap(([name, member]) => defaultsOf(member, [...path, name]))
    : [[path, byDefault]];
}

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutSecrets);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const members = Object.entries(value);
  return Object.fromEntries(members.map(([name, one]) => [name, isSecret([name]) ? hidden : withoutSecrets(one)]));
}

/** In the order of the keys. Throws as `resolveConfig` does: what is listed is what a daemon would take. */
export async function describeConfig(sources: ConfigSources): Promise<readonly ConfigEntry[]> {
  const redact = makeRedactor(secretsOf(await resolveConfig(sources), '', sources.environment));
  const settings = [...settingsOf(sources.environment), ...sources.flags];
  const given = leavesOf(await mergeConfig(sources), []).filter(([path]) => path.length > 0);
  const keys = new Set(given.map(([path]) => path.join('.')));
  const others = Object.entries(configSections)
    .flatMap(([name, schema]) => defaultsOf(schema, [name]))
    .filter(([path]) => !keys.has(path.join('.')));
  const entry = ([path, value]: Leaf, from: string): ConfigEntry => {
    const shown = isSecret(path) ? hidden : redact.value(withoutSecrets(value));
    return { key: path.join('.'), value: shown, from };
  };
  const sourceOf = (key: string): string =>
    settings.findLast(({ path }) => path.join('.') === key)?.written ?? sources.file ?? 'default';
  return [
    ...given.map((leaf) => entry(leaf, sourceOf(leaf[0].join('.')))),
    ...others.map((leaf) => entry(leaf, 'default')),
  ].toSorted((one, other) => (one.key < other.key ? -1 : 1));
}
