import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isThere } from '../../src/cli/demo/child.ts';
import { checkAgents } from '../../src/cli/doctor/agents.ts';
import type { Check } from '../../src/cli/doctor/check.ts';
import {
  checkFolder,
  checkNode,
  checkPlatform,
  checkPort,
  checkSqlite,
  checkToken,
} from '../../src/cli/doctor/machine.ts';
import { checkOpenTasks } from '../../src/cli/doctor/open-tasks.ts';
import { installedAgents } from '../../src/agents/registry.ts';
import type { AgentConfig } from '../../src/protocol/config.ts';
import { Cli } from '../support/cli.ts';
import { sandboxLack } from '../support/sandbox.ts';

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

test('doctor passes a complete machine, before a daemon runs, while it runs, and after it was killed', async () => {
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

test('doctor names what is wrong with what to do, and its exit code is 1', async () => {
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
  for (const { fix } of wrong) {
    expect(fix).toMatch(/./);
  }
  expect(wrong[2]?.what).toContain('Did you mean `maxOpen`?');
  const text = await cli.run(['doctor', '--config', config]);
  expect(text.stdout).toMatch(/^✗ token .*0644: others may read it$/m);
  expect(text.stdout).toMatch(/^ +→ chmod 600 /m);
});

test('each check of doctor tells good from bad', async () => {
  expect(checkNode('v20.19.0')).toMatchObject({
    state: 'missing',
    fix: expect.stringContaining('nodejs.org') as string,
  });
  expect(checkNode('v26.0.0').state).toBe('ok');
  expect(await checkSqlite()).toMatchObject({ state: 'ok', what: expect.stringMatching(/SQLite 3\./) as string });
  const states = async (platform: NodeJS.Platform, proc: boolean) =>
    (await checkPlatform(platform, proc)).map(({ state }) => state);
  expect(await states('linux', true)).toEqual(['ok']);
  expect(await states('linux', false)).toEqual(['note']);
  expect(await states('darwin', false)).toEqual(['note']);
  expect(await states('win32', false)).toContain('missing');
  await using cli = new Cli();
  expect(checkFolder(join(cli.folder, 'a', 'b')).state).toBe('ok');
  writeFileSync(join(cli.folder, 'file'), '');
  expect(checkFolder(join(cli.folder, 'file', 'x')).state).toBe('missing');
  expect(checkToken(join(cli.folder, 'none')).state).toBe('note');
});

test('doctor reports a port that another program has', async () => {
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

describe('the agent check', () => {
  /** A folder of fake programs, as the only PATH there is, and a home. */
  class Machine {
    readonly folder: string;
    readonly env: { [name: string]: string };

    constructor(folder: string) {
      this.folder = folder;
      this.env = { PATH: folder, HOME: join(folder, 'home') };
      mkdirSync(join(folder, 'home'));
    }

    program(name: string, text: string): string {
      const file = join(this.folder, name);
      writeFileSync(file, `#!/bin/sh\nPATH=/usr/bin:/bin\n${text}\n`, { mode: 0o755 });
      return file;
    }

    async check(agent: string, deadlineMs?: number): Promise<Check | undefined> {
      const options = { env: this.env, cwd: this.folder, ...(deadlineMs === undefined ? {} : { deadlineMs }) };
      return (await checkAgents(options)).find(({ name }) => name === `agent ${agent}`);
    }
  }

  test('names every missing agent at once, with how to install it', async () => {
    await using cli = new Cli();
    const began = performance.now();
    const checks = await checkAgents({ env: { PATH: `/nowhere:${cli.folder}` }, cwd: cli.folder });
    expect(performance.now() - began).toBeLessThan(500);
    expect(checks.map(({ name }) => name)).toEqual(installedAgents.map((agent) => `agent ${agent.name}`));
    expect(checks.map(({ state, fix }) => [state, fix])).toEqual(
      installedAgents.map(({ program }) => ['note', program.install]),
    );
  });

  test('names a program that does not start in the sandbox, and not where the configuration shows what it needs', async (context) => {
    if (sandboxLack !== null) {
      context.skip(sandboxLack);
    }
    await using cli = new Cli();
    const machine = new Machine(cli.folder);
    const part = join(cli.folder, 'part');
    mkdirSync(part);
    writeFileSync(join(part, 'version'), '2.1.329');
    machine.program('claude', `cat ${part}/version`);
    const env = { ...machine.env, PATH: `${machine.env['PATH'] ?? ''}:/usr/bin:/bin` };
    const check = async (configured: AgentConfig): Promise<Check | undefined> =>
      (await checkAgents({ env, cwd: cli.folder, configured })).find(({ name }) => name === 'agent claude');
    expect(await check({ name: 'codex' })).toMatchObject({
      state: 'note',
      what: expect.stringMatching(/2\.1\.329.*does not start in the sandbox: .*part\/version/) as string,
      fix: expect.stringContaining('agent.readable') as string,
    });
    const shown = await check({ name: 'claude', readable: [part] });
    expect(shown?.what).not.toContain('sandbox');
    expect((await check({ name: 'claude', sandbox: 'off' }))?.what).not.toContain('sandbox');
  });

  test('shows version, path and the sign of a login, and ignores a folder of that name', async () => {
    await using cli = new Cli();
    const machine = new Machine(cli.folder);
    const claude = machine.program('claude', 'echo "2.1.329 (Claude Code)"');
    machine.program('copilot', 'echo "GitHub Copilot CLI 1.0.102."; echo "Run copilot update."');
    mkdirSync(join(cli.folder, 'gemini'));
    expect(await machine.check('gemini')).toMatchObject({ what: 'Gemini CLI is not on the PATH' });
    const noLogin = { state: 'note', fix: expect.stringContaining('ANTHROPIC_API_KEY') as string };
    expect(await machine.check('claude')).toMatchObject(process.platform === 'linux' ? noLogin : {});
    expect(await machine.check('copilot')).toMatchObject({
      state: 'ok',
      what: expect.stringMatching(/Copilot CLI 1\.0\.102 \(.*cannot be seen$/) as string,
    });
    machine.env['ANTHROPIC_API_KEY'] = 'sk-ant-very-secret';
    const seen = await machine.check('claude');
    expect(seen).toEqual({
      name: 'agent claude',
      state: 'ok',
      what: `Claude Code 2.1.329 (${claude}), login: ANTHROPIC_API_KEY`,
    });
  });

  test('counts a login file by its presence, at the place that a variable may name', async () => {
    await using cli = new Cli();
    const machine = new Machine(cli.folder);
    machine.program('codex', 'echo codex-cli 0.169.0');
    const place = join(cli.folder, 'codex-home');
    mkdirSync(place);
    writeFileSync(join(place, 'auth.json'), 'very secret', { mode: 0o000 });
    machine.env['CODEX_HOME'] = place;
    expect(await machine.check('codex')).toMatchObject({
      state: 'ok',
      what: expect.stringMatching(/Codex 0\.169\.0 .*, login: .*auth\.json$/) as string,
    });
  });

  test('prefers AGENT_BIN_* to the PATH, and reports a variable that names no program', async () => {
    await using cli = new Cli();
    const machine = new Machine(cli.folder);
    machine.program('gemini', 'echo 1.1.1');
    machine.env['AGENT_BIN_GEMINI'] = machine.program('my-gemini', 'echo 2.2.2');
    expect((await machine.check('gemini'))?.what).toContain(`Gemini CLI 2.2.2 (${join(cli.folder, 'my-gemini')})`);
    machine.env['AGENT_BIN_GEMINI'] = join(cli.folder, 'none');
    expect(await machine.check('gemini')).toMatchObject({
      state: 'note',
      what: `AGENT_BIN_GEMINI: ${join(cli.folder, 'none')} is not a program`,
    });
  });

  test('shows the message and the exit code of a broken agent', async () => {
    await using cli = new Cli();
    const machine = new Machine(cli.folder);
    machine.program('codex', 'echo "cannot find module" >&2; exit 3');
    machine.program('claude', 'echo hello');
    writeFileSync(join(cli.folder, 'gemini'), '\0not an executable', { mode: 0o755 });
    expect((await machine.check('codex'))?.what).toMatch(
      /does not say its version \(exit code 3\): cannot find module/,
    );
    expect((await machine.check('claude'))?.what).toMatch(/does not say its version \(exit code 0\): hello/);
    expect(await machine.check('gemini')).toMatchObject({ state: 'note', what: expect.any(String) as string });
  });

  test('names a hanging agent, and ends it with its children, whichever process holds its pipes', async () => {
    await using cli = new Cli();
    const machine = new Machine(cli.folder);
    const pids = join(cli.folder, 'pids');
    const hangs = machine.program('opencode', `trap '' TERM; sleep 60 & echo "$$ $!" > '${pids}'; wait; wait`);
    machine.program('claude', 'echo 2.1.329');
    const began = performance.now();
    const [hung, well] = await Promise.all([machine.check('opencode', 400), machine.check('claude', 400)]);
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(hung).toMatchObject({ state: 'note', what: expect.stringContaining(`${hangs} hangs: `) as string });
    expect(well?.what).toContain('2.1.329');
    const [leader = '', child = ''] = readFileSync(pids, 'utf8').trim().split(' ');
    for (const pid of [leader, child]) {
      expect(isThere(Number(pid)), pid).toBe(false);
    }
  });

  test('gives agents no key when it asks for their version', async () => {
    await using cli = new Cli();
    const machine = new Machine(cli.folder);
    machine.program('claude', `env > '${join(cli.folder, 'env')}'; echo 1.2.3`);
    machine.env['ANTHROPIC_API_KEY'] = 'sk-ant-very-secret';
    await machine.check('claude');
    const told = readFileSync(join(cli.folder, 'env'), 'utf8');
    expect(told).toContain('HOME=');
    expect(told).not.toContain('very-secret');
  });

  test('names the agent to begin with in the command', async () => {
    await using cli = new Cli();
    const machine = new Machine(cli.folder);
    machine.program('codex', 'echo codex-cli 0.169.0');
    const env = { ...machine.env, OPENAI_API_KEY: 'k', SIGNALBOX_LISTEN_PORT: '0' };
    const ran = await cli.run(['doctor'], { env });
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/✓ agent codex .*Codex 0\.169\.0/)]);
    expect(ran.stdout).toMatch(/Nothing that is needed is missing\. Next: signalbox up --agent codex\n$/);
  });
});

describe('the open tasks of a daemon', () => {
  test('are counted by a real daemon, and a refused submit ends the command line with exit code 4', async () => {
    await using cli = new Cli();
    await cli.up([], { env: { SIGNALBOX_LIMITS_MAX_OPEN_PER_SOURCE: '1' } });
    const submit = () => cli.run(['send', 's', 'wait [[work:50,200]]', '--json']);
    expect((await submit()).code).toBe(0);
    const refused = await submit();
    expect([refused.code, JSON.parse(refused.stderr)]).toMatchObject([
      4,
      {
        error: {
          code: 'source_full',
          message: expect.stringContaining('The source "cli" has 1 open task; 1 is'),
          retryAfterMs: 30_000,
        },
      },
    ]);
    const { report: seen } = await report(cli);
    expect(seen.checks.find(({ name }) => name === 'open tasks')).toMatchObject({
      state: 'note',
      what: '1 of 40000; cli has most: 1 of 1',
    });
  });

  test('are a note from four fifths of a limit on', () => {
    const sources = [{ source: 'cli', open: 79 }];
    const full = { open: 79, limit: 100, sourceLimit: 100, sources };
    expect(checkOpenTasks(full).state).toBe('ok');
    expect(checkOpenTasks({ ...full, open: 80 }).state).toBe('note');
    expect(checkOpenTasks({ ...full, sources: [{ source: 'cli', open: 80 }] }).state).toBe('note');
    expect(checkOpenTasks({ open: 0, limit: 100, sourceLimit: 100, sources: [] }).what).toBe('0 of 100');
  });
});
