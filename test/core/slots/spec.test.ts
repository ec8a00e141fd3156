/** The specification of the slots and its tests name each other. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const spec = readFileSync(new URL('../../../src/core/slots/SPEC.md', import.meta.url), 'utf8');
const source = readFileSync(new URL('slots.test.ts', import.meta.url), 'utf8');

const cited = [...spec.matchAll(/^(slots\/\d+) \*\*[^]*?\nTests: (.+)$/gm)].flatMap(([, id = '', names = '']) =>
  names.split('; ').map((name) => ({ id, name: name.replaceAll('"', '') })),
);
const titles = [...source.matchAll(/\btest\(\s*'([^']+) \((slots\/\d+)\)'/g)].map(([, title = '', id = '']) => ({
  title,
  id,
}));

describe('the specification of the slots', () => {
  test('names tests that exist and that name the invariant', () => {
    expect(cited.length).toBeGreaterThan(15);
    const wrong = cited.filter(({ id, name }) => !titles.some((one) => one.id === id && one.title.includes(name)));
    expect(wrong).toEqual([]);
  });

  test('is named by every test, and each of its invariants has one', () => {
    const ids = [...new Set(spec.match(/^slots\/\d+/gm))];
    expect([...new Set(cited.map(({ id }) => id))]).toEqual(ids);
    expect([...source.matchAll(/^ *test\(/gm)]).toHaveLength(titles.length);
    const wrong = titles.filter(({ title, id }) => !cited.some((one) => one.id === id && title.includes(one.name)));
    expect(wrong).toEqual([]);
  });
});
