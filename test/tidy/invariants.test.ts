/**
 * Invariants are named by module and number, `pool/1`: whoever reads a name finds its text by the name alone.
 *
 * They are stated in the comment at the head of their module, and for the core and the supervision on a page.
 */
import { describe, expect, test } from 'vitest';
import { read, sourcesUnder, trackedFiles } from './files.ts';

interface Invariant {
  readonly module: string;
  readonly number: number;
  readonly path: string;
}

const code = sourcesUnder('src', 'sim', 'check', 'test', 'e2e', 'bench').filter((path) => !path.includes('/fixtures/'));
const pages = trackedFiles().filter((path) => path.endsWith('.md') && !path.includes('/fixtures/'));

const found = (path: string, pattern: RegExp): Invariant[] =>
  [...read(path).matchAll(pattern)].map(([, module = '', number]) => ({ module, number: Number(number), path }));

const stated: readonly Invariant[] = [
  ...code.flatMap((path) => found(path, /^ \* {1,3}([a-z]+(?:-[a-z]+)*)\/(\d+) /gm)),
  ...pages.flatMap((path) => found(path, /^([a-z]+(?:-[a-z]+)*)\/(\d+) \*\*/gm)),
];

/** In comments, titles and pages. `9/10` is a number, `a/b/1` a path, and `adr/0001` has leading zeros. */
const cited: readonly Invariant[] = [...code, ...pages].flatMap((path) =>
  found(path, /(?<![\w./@:${}-])([a-z]+(?:-[a-z]+)*)\/([1-9]\d?)(?![\w./%-])/g),
);

const nameOf = ({ module, number }: Invariant): string => `${module}/${number}`;

describe('an invariant', () => {
  test('has a name that nothing else has', () => {
    expect(stated.length).toBeGreaterThan(200);
    const names = stated.map(nameOf);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    const homes = new Map<string, Set<string>>();
    for (const { module, path } of stated) {
      homes.set(module, (homes.get(module) ?? new Set()).add(path));
    }
    expect([...homes].filter(([, paths]) => paths.size > 1).map(([module, paths]) => [module, ...paths])).toEqual([]);
  });

  test('is counted from 1 in its module, without a gap', () => {
    const numbers = new Map<string, number[]>();
    for (const { module, number } of stated) {
      numbers.set(module, [...(numbers.get(module) ?? []), number]);
    }
    const wrong = [...numbers].filter(([, list]) => Math.max(...list) !== list.length);
    expect(wrong).toEqual([]);
  });

  test('is stated wherever it is cited', () => {
    expect(cited.length).toBeGreaterThan(2 * stated.length);
    const names = new Set(stated.map(nameOf));
    expect(cited.filter((one) => !names.has(nameOf(one))).map((one) => `${one.path}: ${nameOf(one)}`)).toEqual([]);
  });

  test('is not named by a letter', () => {
    const lettered = code.flatMap((path) =>
      [...read(path).matchAll(/^ \* +([A-Z]{1,3}-\d+) /gm)].map(([, name]) => `${path}: ${name}`),
    );
    expect(lettered).toEqual([]);
  });
});
