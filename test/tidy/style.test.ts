/** House style as tests. Each rule is first shown a violation, so that a rule which has gone blind fails too. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { read, root, sourcesUnder, trackedFiles } from './files.ts';
import type { Finding } from './rules.ts';
import { escapesFromTypes, machinePaths, unsoundTests, withoutComments } from './rules.ts';

function violations(paths: readonly string[], rule: (text: string) => readonly Finding[]): string[] {
  return paths.flatMap((path) => rule(read(path)).map(({ line, what }) => `${path}:${line}: ${what}`));
}

const what = (findings: readonly Finding[]): string[] => findings.map((finding) => finding.what);

describe('a way around the type checker', () => {
  test.each([
    ['const x: any = 1;', 'any'],
    ['const x = y as any;', 'any'],
    ['const x: any[] = [];', 'any'],
    ['const x = new Map<string, any>();', 'any'],
    ['const x = y as unknown as Z;', 'as unknown as'],
    [`// @ts-${'ignore'}`, 'a ts directive'],
    [`// @ts-${'expect-error'}: because`, 'a ts directive'],
  ])('is found: %s', (code, finding) => {
    expect(what(escapesFromTypes(code))).toEqual([finding]);
  });

  test.each(['// at any rate: any, really', "const s = 'any';", 'const any = 1;', 'x as unknown'])(
    'is not reported falsely: %s',
    (code) => {
      expect(escapesFromTypes(code)).toEqual([]);
    },
  );

  test('does not occur in src or e2e', () => {
    expect(violations(sourcesUnder('src', 'e2e'), escapesFromTypes)).toEqual([]);
  });
});

const paced: readonly string[] = [
  'test/campaigns/chaos/run.ts',
  'test/campaigns/cycles/run.ts',
  'test/campaigns/soak/load.ts',
  'test/campaigns/nodes/agents-watch.ts',
  'test/campaigns/nodes/arena.ts',
  'test/campaigns/nodes/faults/links.ts',
  'test/campaigns/nodes/faults/processes.ts',
  'test/campaigns/nodes/faults/server.ts',
  'test/campaigns/nodes/load.ts',
  'test/campaigns/nodes/run.ts',
  'test/campaigns/soak/run.ts',
];

describe('a test that proves nothing', () => {
  test.each([
    [`test${'.only'}('x', f)`, 'a test left out'],
    [`describe${'.skip'}('x', f)`, 'a test left out'],
    [`it.concurrent${'.todo'}('x')`, 'a test left out'],
    [`await new Promise((r) => ${'setTimeout'}(r, 10));`, 'a sleep'],
    [`await ${'sleep'}(10);`, 'a sleep'],
    [`import { setTimeout } from '${'node:timers'}/promises';`, 'a sleep'],
  ])('is found: %s', (code, finding) => {
    expect(what(unsoundTests(code))).toEqual([finding]);
  });

  test('does not occur in a test file; only test/support may own a timer', () => {
    const tests = sourcesUnder('test', 'src', 'check', 'sim')
      .filter((path) => path.startsWith('test/') || path.endsWith('.test.ts'))
      .filter((path) => !path.startsWith('test/support/') && !path.includes('/fixtures/'))
      // Campaigns: these pace their load by the clock, or give up by it; nothing waits so for what it asserts.
      .filter((path) => !paced.includes(path));
    expect(tests).toContain('test/tidy/style.test.ts');
    expect(violations(tests, unsoundTests)).toEqual([]);
  });
});

describe('a path of a machine', () => {
  test.each(['work', 'root', 'farm'])('is found: %s', (top) => {
    expect(what(machinePaths(`cd /${top}/main`))).toEqual(['a machine path']);
    expect(machinePaths(`https://example.org/${top}/main and my${top}/x`)).toEqual([]);
  });

  test('does not occur in a tracked file', () => {
    const texts = trackedFiles().filter((path) => !path.endsWith('package-lock.json'));
    expect(texts).toContain('package.json');
    expect(violations(texts, machinePaths)).toEqual([]);
  });
});

test('every path that CONTRIBUTING.md names exists', () => {
  const paths = [
    ...read('CONTRIBUTING.md').matchAll(/`((?:src|test|docs|check|sim|bench|e2e|tools|examples)\/[\w./-]*)`/g),
  ];
  expect(paths.length).toBeGreaterThan(15);
  expect(paths.flatMap(([, path = '']) => (existsSync(join(root, path)) ? [] : [path]))).toEqual([]);
});

test('the search blanks comments line by line, and keeps strings with slashes', () => {
  expect(withoutComments('a /* b\n c */ d // e')).toBe('a     \n      d ');
  expect(withoutComments("const u = 'https://x';")).toBe("const u = 'https://x';");
});
