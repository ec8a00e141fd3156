/**
 * Public names are made of words that docs/glossary.md defines, or of ordinary words that need no definition and are listed here.
 * A new name with another word fails: define the word, or choose one that readers know.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/registry.ts';
import { ConfigFileSchema } from '../../src/daemon/config/schema.ts';
import { makeOpenApi } from '../../src/protocol/openapi.ts';
import { root } from '../tidy/files.ts';
import { ordinaryWords } from './ordinary-words.ts';

/** `maxOpen`, `max-open` and `max_open` are two words. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word.length > 1);

/** Words that this may be a form of, itself included: `merged` and `merging` of `merge`, `tried` of `try`, `stopped` of `stop`. */
function stemsOf(word: string): readonly string[] {
  const endings = [/s$/, /es$/, /d$/, /ed$/, /ing$/, /ment$/, /er$/, /able$/].filter((ending) => ending.test(word));
  const stems = endings.map((ending) => word.replace(ending, ''));
  const undoubled = stems.map((stem) => stem.replace(/(.)\1$/, '$1'));
  const others = [
    word.replace(/ing$/, 'e'),
    word.replace(/ie[sd]$/, 'y'),
    word.replace(/ions?$/, ''),
    word.replace(/able$/, 'e'),
  ];
  const positive = /^un(?=.{4})/.test(word) ? stemsOf(word.slice(2)) : [];
  return [word, ...stems, ...undoubled, ...others, ...positive].filter((stem) => stem.length > 1);
}

const glossary = readFileSync(join(root, 'docs/glossary.md'), 'utf8');
const rows = [...glossary.matchAll(/^\| (.+?) \| (.+) \|$/gm)].filter(([, term]) => term !== 'term' && term !== '---');
/** Words of the terms, and of the codes that a meaning lists. */
const defined = new Set(
  rows.flatMap(([, term = '', meaning = '']) =>
    [term, ...[...meaning.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)].flatMap(wordsOf),
  ),
);
const definedStems = new Set([...defined].flatMap(stemsOf));
const ordinary = new Set(ordinaryWords);

const isDefined = (word: string): boolean => stemsOf(word).some((stem) => definedStems.has(stem));
const isKnown = (word: string): boolean => isDefined(word) || stemsOf(word).some((stem) => ordinary.has(stem));
const odd = (names: Iterable<string>): string[] => [...new Set(names)].filter((name) => !wordsOf(name).every(isKnown));

/** Every property name, and every value of an enum or const, anywhere in a JSON schema. */
function* namesIn(schema: unknown): Generator<string> {
  if (Array.isArray(schema)) {
    for (const one of schema) {
      yield* namesIn(one);
    }
    return;
  }
  if (typeof schema !== 'object' || schema === null) {
    return;
  }
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'examples' || key === 'default' || key === 'description') {
      continue;
    }
    if (key === 'properties') {
      yield* Object.keys(value as object);
    }
    if (key === 'enum' || key === 'const') {
      yield* [value].flat().filter((one): one is string => typeof one === 'string');
    }
    yield* namesIn(value);
  }
}

describe('the glossary', () => {
  test('has every term once', () => {
    const terms = rows.map(([, term]) => term);
    expect(terms.length).toBeGreaterThan(80);
    expect(terms.filter((term, at) => terms.indexOf(term) !== at)).toEqual([]);
  });

  test('explains each term in one or two sentences', () => {
    expect(rows.filter(([, , meaning = '']) => (meaning.match(/[.;] [A-Z`]/g) ?? []).length > 2)).toEqual([]);
  });

  test('needs no ordinary word that it defines itself, and none that is not used in a name', () => {
    const used = new Set(allNames().flatMap(wordsOf).flatMap(stemsOf));
    expect(ordinaryWords.filter((word) => isDefined(word) || !used.has(word))).toEqual([]);
  });
});

const api = makeOpenApi('0') as {
  readonly paths: object;
  readonly components: { readonly schemas: object };
};
const apiNames = (): string[] => [
  ...Object.keys(api.paths),
  ...Object.keys(api.components.schemas),
  ...namesIn(api.components.schemas),
  ...namesIn(api.paths),
];
const configNames = (): string[] => [...namesIn(ConfigFileSchema)];
const commandNames = (): string[] => commands.flatMap(({ name, flags }) => [name, ...flags.map((flag) => flag.name)]);
/** Keys and message types of the JSON on the page of the agent protocol. */
const agentProtocolNames = (): string[] => {
  // The page ends with the scripted agent, whose script file is not part of the protocol.
  const [page = ''] = readFileSync(join(root, 'docs/agent-protocol.md'), 'utf8').split('## The scripted agent');
  return [...page.matchAll(/"type":"([\w-]+)"|"(\w+)":/g)].map(([, type, key]) => type ?? key ?? '');
};
const allNames = (): string[] => [...apiNames(), ...configNames(), ...commandNames(), ...agentProtocolNames()];

test('every name in the HTTP API and in its events is made of known words', () => {
  expect(odd(apiNames())).toEqual([]);
});

test('every key of the configuration is made of known words', () => {
  expect(odd(configNames())).toEqual([]);
});

test('every command and flag is made of known words', () => {
  expect(odd(commandNames())).toEqual([]);
});

test('every message and key of the agent protocol is made of known words', () => {
  expect(agentProtocolNames().length).toBeGreaterThan(80);
  expect(agentProtocolNames()).toContain('permission-requested');
  expect(odd(agentProtocolNames())).toEqual([]);
});

test('an undefined word fails the check', () => {
  expect(odd(['taskStatus', 'sessionQuux', 'max-zorbs'])).toEqual(['sessionQuux', 'max-zorbs']);
});

test('every limit that a page names exists', () => {
  const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })];
  const named = pages.flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/`limits\.(\w+)/g)].map(([, name = '']) => `${path}: ${name}`),
  );
  const known = new Set(Object.keys(ConfigFileSchema.properties?.['limits']?.properties ?? {}));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((one) => !known.has(one.split(': ')[1] ?? ''))).toEqual([]);
});
