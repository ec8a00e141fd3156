/** The mutants fit what they mutate, and each has its pin; `npm run check:mutants` finds them. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { everyConfig as configs } from '../../check/configs.ts';
import { mutants } from '../../check/mutants/list.ts';

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the text that a mutant replaces occurs once in its file', () => {
  expect(mutants.length).toBeGreaterThan(100);
  const misfits = mutants.filter(({ root, file, from }) => text(`${root}/${file}`).split(from).length !== 2);
  expect(misfits.map(({ name, file }) => `${name}: ${file}`)).toEqual([]);
});

test('a mutant names a configuration that exists, and the one it is pinned to', () => {
  const pins = JSON.parse(text('check/mutants.json')) as { readonly [mutant: string]: { readonly config: string } };
  expect(Object.keys(pins).toSorted()).toEqual(mutants.map(({ name }) => name).toSorted());
  const known = new Set(configs.map(({ name }) => name));
  expect(mutants.filter(({ name, config }) => !known.has(config) || pins[name]?.config !== config)).toEqual([]);
});

test('each configuration that is always explored has its pin, and each pin its configuration', () => {
  const pins = JSON.parse(text('check/pins.json')) as { readonly [config: string]: unknown };
  const known = configs.map(({ name }) => name);
  expect(configs.filter(({ name, deep }) => !deep && pins[name] === undefined)).toEqual([]);
  expect(Object.keys(pins).filter((name) => !known.includes(name))).toEqual([]);
});
