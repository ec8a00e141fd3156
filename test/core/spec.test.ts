/** The specification of the core and its tests name each other. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const here = new URL('.', import.meta.url);
const spec = readFileSync(new URL('../../src/core/SPEC.md', here), 'utf8');

interface Invariant {
  readonly id: string;
  readonly tests: readonly string[];
}

const invariants: readonly Invariant[] = [...spec.matchAll(/^(core\/\d+) \*\*[^]*?\nTests: (.+)$/gm)].map((match) => ({
  id: match[1] ?? '',
  tests: (match[2] ?? '').split('; ').map((name) => name.replaceAll('"', '')),
}));

const titles: readonly string[] = readdirSync(here)
  .filter((name) => name.endsWith('.test.ts') && name !== 'spec.test.ts')
  .flatMap((name) => [...readFileSync(new URL(name, here), 'utf8').matchAll(/\btest\(\s*'([^']+)'/g)])
  .map((match) => match[1] ?? '');

const named = (title: string): readonly string[] =>
  /\((core\/\d+(?:, core\/\d+)*)\)$/.exec(title)?.[1]?.split(', ') ?? [];

describe('the specification of the core', () => {
  test('has each invariant once, each with a rule', () => {
    const ids = invariants.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(30);
    expect(ids.toSorted()).toEqual([...new Set(spec.match(/^core\/\d+/gm))].toSorted());
    expect(new Set(ids).size).toBe(ids.length);
    const rules = spec.slice(spec.indexOf('## Rules'), spec.indexOf('## Deadlines'));
    const mapped = new Set(rules.match(/core\/\d+/g));
    expect([...mapped].filter((id) => !ids.includes(id))).toEqual([]);
    expect(ids.filter((id) => !mapped.has(id))).toEqual([]);
    for (let rule = 1; rule <= 18; rule += 1) {
      expect(rules).toMatch(new RegExp(`^\\| ${rule} .+core/\\d`, 'm'));
    }
  });

  test('names tests that exist and that name the invariant', () => {
    const wrong = invariants.flatMap(({ id, tests }) =>
      tests
        .filter((name) => !titles.some((title) => title.startsWith(name) && named(title).includes(id)))
        .map((name) => `${id}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('is named by every test of the core, at the invariant that the test names', () => {
    expect(titles.length).toBeGreaterThan(80);
    const wrong = titles.filter((title) => {
      const ids = named(title);
      const known = ids.map((id) => invariants.find((one) => one.id === id));
      return ids.length === 0 || !known.every((one) => one?.tests.some((name) => title.startsWith(name)));
    });
    expect(wrong).toEqual([]);
  });
});
