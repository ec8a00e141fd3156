import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/security.md`, 'utf8');

const testsIn = (text: string): readonly string[] =>
  [...text.matchAll(/`((?:test|src|e2e)\/[\w./-]+\.ts)`/g)].map(([, path = '']) => path);

test('every threat of the security page names a test, and every test that the page names is there', () => {
  const rows = page.split('\n').filter((line) => line.split('|').length === 7 && !/^\| (?:asset|---)/.test(line));
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.filter((row) => testsIn(row).length === 0)).toEqual([]);
  expect(testsIn(page).filter((path) => !existsSync(root + path))).toEqual([]);
});
