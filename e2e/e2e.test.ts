/** What of the end-to-end tests needs no real program: their command line, their figures, their lockfiles. */
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Figures } from './figures.ts';
import { groupsToInstall } from './install.ts';
import { isolation } from './isolate.ts';
import { EventLog } from './model/index.ts';
import { readOptions } from './options.ts';
import { environmentOf, groupFolder, locate, realPrograms } from './programs.ts';
import { processesOf } from './processes.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the command line', () => {
  test('accepts the programs of every CI run, all five, or those that are named', () => {
    expect(readOptions([])).toMatchObject({ programs: ['gemini', 'codex'], contract: false, install: true });
    expect(readOptions(['--all'])).toMatchObject({ races: 200, contract: true });
    expect(readOptions(['--all']).programs).toHaveLength(5);
    expect(readOptions(['--only', 'claude,codex', '--race', '7', '--no-install'])).toMatchObject({
      programs: ['codex', 'claude'],
      races: 7,
      install: false,
    });
    expect(readOptions(['--all', '--no-contract']).contract).toBe(false);
  });

  test.each([
    [['--only', 'clod'], /--only: not known: clod/],
    [['--race', 'many'], /--race: many/],
    [['--nothing'], /--nothing/],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  test('refuses an unknown flag with exit code 2, and shows every flag', () => {
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    const ran = spawnSync(process.execPath, [main, '--scenario', 'none'], { encoding: 'utf8' });
    expect([ran.status, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(/--scenario: not known: none; there are main-job,[^]*--race N/);
  });
});

describe('a program', () => {
  test('of the user precedes the one of the lockfile, and a missing one gives a reason', () => {
    vi.stubEnv('AGENT_BIN_CODEX', process.execPath);
    expect(locate('codex')).toEqual({ kind: 'found', file: process.execPath, own: true });
    vi.stubEnv('AGENT_BIN_CODEX', '/nowhere/codex');
    expect(locate('codex')).toEqual({ kind: 'absent', why: 'AGENT_BIN_CODEX: /nowhere/codex is not a program' });
  });

  test('of the user needs no installation', () => {
    for (const name of ['AGENT_BIN_CODEX', 'AGENT_BIN_GEMINI']) {
      vi.stubEnv(name, process.execPath);
    }
    expect(groupsToInstall(['codex', 'gemini'])).toEqual([]);
  });

  test.each(realPrograms)('$name gets its own home, dummy keys and dead proxies', (program) => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'a real key');
    vi.stubEnv('HOME', '/home/somebody');
    const home = mkdtempSync(join(tmpdir(), 'signalbox-e2e-test-'));
    const env = environmentOf(program, home, 'http://127.0.0.1:1');
    rmSync(home, { recursive: true });
    expect(env['HOME']).toBe(home);
    expect(JSON.stringify(env)).not.toMatch(/a real key|\/home\/somebody/);
    expect(env['HTTPS_PROXY']).toBe('http://127.0.0.1:9');
    expect(
      Object.entries(env)
        .filter(([name]) => /KEY|TOKEN/.test(name))
        .map(([, value]) => value),
    ).toSatisfy((values: readonly string[]) => values.every((value) => value.includes('dummy')));
  });
});

describe.each(['ci', 'more'] as const)('the clients of `%s`', (group) => {
  const read = (name: string): string => readFileSync(join(groupFolder(group), name), 'utf8');
  const { dependencies } = JSON.parse(read('package.json')) as { readonly dependencies: { [name: string]: string } };

  test('have exact versions, in a lockfile that names no registry', () => {
    for (const version of Object.values(dependencies)) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    }
    expect(read('package-lock.json')).not.toContain('"resolved"');
    const { packages } = JSON.parse(read('package-lock.json')) as {
      readonly packages: { readonly [path: string]: { readonly version: string } };
    };
    for (const [name, version] of Object.entries(dependencies)) {
      expect(packages[`node_modules/${name}`]?.version).toBe(version);
    }
  });

  test('have their licences and versions in the README', () => {
    const readme = readFileSync(join(groupFolder(group), '..', '..', 'README.md'), 'utf8');
    for (const [name, version] of Object.entries(dependencies)) {
      expect(readme).toMatch(new RegExp(`\`${name}\`.*\\| ${version}[ ,]`));
    }
  });
});

test('the event log finds earlier events and waits for later ones', async () => {
  const seen = new EventLog<number>(String);
  seen.add(1);
  const two = seen.next('two', (one) => one === 2);
  seen.add(2);
  expect(await two).toBe(2);
  expect(await seen.next('one', (one) => one === 1)).toBe(1);
  const from = seen.mark();
  await expect(seen.next('one again', (one) => one === 1, { from, deadlineMs: 1 })).rejects.toThrow(
    /one again did not come within 1 ms/,
  );
});

test('the table of figures has medians and worst cases', () => {
  const figures = new Figures();
  for (const ms of [1, 2, 30]) {
    figures.add('a', 'x', ms);
  }
  figures.add('b', 'y', 5);
  expect(figures.table(['a', 'b'])).toEqual([
    'milliseconds, p50 (max)         a          b',
    'x                        2.0 (30)          –',
    'y                               –  5.0 (5.0)',
  ]);
});

test('the processes of a program are found by their home', async () => {
  const home = mkdtempSync(join(tmpdir(), 'signalbox-e2e-test-'));
  writeFileSync(join(home, 'wait.mjs'), 'process.stdin.resume(); process.stdout.write("up");');
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, [join(home, 'wait.mjs')], { env: { HOME: home } });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const found = processesOf(home);
  child.stdin.end();
  await new Promise((resolve) => child.once('close', resolve));
  rmSync(home, { recursive: true });
  if (process.platform === 'linux') {
    expect(found).toMatchObject([{ pid: child.pid, ofAgent: false }]);
  }
  expect(processesOf(home)).toEqual([]);
});

test('the isolation tests whether it can make a namespace', () => {
  expect(['inside', 'possible', 'none']).toContain(isolation().kind);
});
