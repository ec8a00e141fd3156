import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentPrograms, checkAgents } from '../../src/cli/doctor/agents.ts';
import {
  checkFolder,
  checkNode,
  checkPlatform,
  checkPort,
  checkSqlite,
  checkToken,
} from '../../src/cli/doctor/machine.ts';
import { Cli } from '../support/cli.ts';

interface Report {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly state: string;
    readonly what: string;
    readonly fix?: string;
  }[];
}

async function report(cli: Cli, ...args: readonly string[]): Promise<{ code: number | null; report: Report }> {
  const { code, stdout } = await cli.run(['doctor', '--json', ...args], { env: { SIGNALBOX_LISTEN_PORT: '0' } });
  return { code, report: JSON.parse(stdout) as Report };
}

test('a machine with all that is needed, before and while a daemon runs, and after it was killed', async () => {
  await using cli = new Cli();
  const before = await report(cli);
  expect(before.report.checks.filter(({ state }) => state === 'missing')).toEqual([]);
  expect(before).toMatchObject({ code: 0, report: { ok: true } });
  const daemon = ({ report: { checks } }: { report: Report }) => checks.find(({ name }) => name === 'daemon');
  expect(daemon(before)).toMatchObject({ state: 'note', what: 'not running' });
  const up = await cli.up();
  expect(daemon(await report(cli))).toMatchObject({
    state: 'ok',
    what: expect.stringContaining(up.ready.url) as string,
  });
  up.child.kill('SIGKILL');
  await up.ended;
  const after = await report(cli);
  expect(daemon(after)).toMatchObject({ state: 'note', what: expect.stringContaining('was killed') as string });
  expect(after.code).toBe(0);
});

test('what is wrong is named with what to do, and the exit code says so', async () => {
  await using cli = new Cli();
  mkdirSync(cli.data, { mode: 0o755 });
  writeFileSync(join(cli.data, 'token'), 'x'.repeat(40), { mode: 0o644 });
  chmodSync(join(cli.data, 'token'), 0o644);
  const config = join(cli.folder, 'wrong.ts');
  writeFileSync(config, 'export default { limits: { maxOpne: 1 } }');
  const { code, report: found } = await report(cli, '--config', config);
  expect(code).toBe(1);
  const wrong = found.checks.filter(({ state }) => state === 'missing');
  expect(wrong.map(({ name }) => name)).toEqual(['data folder', 'token', 'configuration']);
  for (const { fix } of wrong) expect(fix).toMatch(/./);
  expect(wrong[2]?.what).toContain('Did you mean `maxOpen`?');
  const text = await cli.run(['doctor', '--config', config]);
  expect(text.stdout).toMatch(/^✗ token .*0644: others may read it$/m);
  expect(text.stdout).toMatch(/^ +→ chmod 600 /m);
});

test('each check by itself', async () => {
  expect(checkNode('v20.19.0')).toMatchObject({
    state: 'missing',
    fix: expect.stringContaining('nodejs.org') as string,
  });
  expect(checkNode('v26.0.0').state).toBe('ok');
  expect(await checkSqlite()).toMatchObject({ state: 'ok', what: expect.stringMatching(/SQLite 3\./) as string });
  expect(['linux', 'darwin', 'win32'].map((platform) => checkPlatform(platform).state)).toEqual([
    'ok',
    'note',
    'missing',
  ]);
  await using cli = new Cli();
  expect(checkFolder(join(cli.folder, 'a', 'b')).state).toBe('ok');
  writeFileSync(join(cli.folder, 'file'), '');
  expect(checkFolder(join(cli.folder, 'file', 'x')).state).toBe('missing');
  expect(checkToken(join(cli.folder, 'none')).state).toBe('note');
});

test('a port that another program has', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  expect(await checkPort('127.0.0.1', port)).toMatchObject({
    state: 'missing',
    fix: expect.stringContaining('--port') as string,
  });
  await new Promise((resolve) => other.close(resolve));
  expect((await checkPort('127.0.0.1', port)).state).toBe('ok');
});

test('agents on the PATH: found with their version, silent, missing', async () => {
  await using cli = new Cli();
  const program = (name: string, text: string): void =>
    writeFileSync(join(cli.folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  program('claude', 'echo "2.1.329 (Claude Code)"');
  program('codex', 'exit 3');
  mkdirSync(join(cli.folder, 'gemini'));
  const checks = await checkAgents(`/nowhere:${cli.folder}`);
  expect(checks.map(({ state }) => state)).toEqual(['ok', 'note', 'note', 'note', 'note']);
  expect(checks[0]?.what).toContain('Claude Code 2.1.329');
  expect(checks[1]?.what).toContain('does not say its version');
  expect(checks.slice(2).map(({ fix }) => fix)).toEqual(agentPrograms.slice(2).map(({ install }) => install));
});
