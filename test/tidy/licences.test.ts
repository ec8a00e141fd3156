/** The licences of everything that is installed: with Signalbox, and for its development. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/docs.ts';
import { licensedPackages } from '../support/licences.ts';

const all = licensedPackages(join(root, 'package-lock.json'));

/** What the project takes for what it ships. The Unlicense gives a work to the public domain, and asks for nothing. */
const forShipped = new Set(['MIT', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', '0BSD', 'Unlicense']);
/** MPL-2.0 concerns changes of its own files, Python-2.0 asks that its text goes along, CC0-1.0 asks for nothing; nothing of them is shipped. */
const forDevelopment = new Set([...forShipped, 'MPL-2.0', 'Python-2.0', '(MIT OR CC0-1.0)']);

test('every shipped package has a licence that the project takes', () => {
  const shipped = all.filter((one) => one.shipped);
  expect(shipped.length).toBeGreaterThan(10);
  expect(shipped.filter(({ licence }) => !forShipped.has(licence))).toEqual([]);
});

test('every package for development has a licence that allows its use', () => {
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter(({ licence }) => !forDevelopment.has(licence))).toEqual([]);
});
