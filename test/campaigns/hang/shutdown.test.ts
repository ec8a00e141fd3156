/** Row S10: a daemon with 50 running turns is told to end. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Client, ReadEvent } from '../../../src/client/index.ts';
import { createClient } from '../../../src/client/index.ts';
import { isThere } from '../../../src/cli/demo/child.ts';
import type { Ran, Up } from '../../support/cli.ts';
import { Cli, ended, firstLine, program } from '../../support/cli.ts';
import { startingAgents, stubborn, wrongEnd } from '../doors/stop.ts';
import { untilEvent } from '../harness/until-event.ts';

const sessions = 50;

/** It came to its own end, and neither it nor its launcher says anything else. */
const expectGraceful = (ran: Ran): void => expect(wrongEnd(ran)).toBe(null);

const clientOf = (cli: Cli, up: Up): Client =>
  createClient({ baseUrl: up.ready.url, token: readFileSync(join(cli.data, 'token'), 'utf8').trim() });

async function tapeOf(client: Client, task: string): Promise<readonly ReadEvent['type'][]> {
  const types: ReadEvent['type'][] = [];
  for await (const { type } of client.follow(task)) {
    types.push(type);
  }
  return types;
}

test('S10 50 running turns are interrupted: those that drain within the grace lose nothing, and the others follow their policy', async () => {
  await using cli = new Cli();
  const log = join(cli.folder, 'agents.log');
  const env = {
    SIGNALBOX_LIMITS_GRACE_MS: '1000',
    SIGNALBOX_LIMITS_MAX_AGENTS: String(sessions),
    SIGNALBOX_AGENT_LOG: log,
  };
  const first = await cli.up(['--log-level', 'info'], { env });
  const before = clientOf(cli, first);
  const policyOf = (index: number): 'retry' | 'fail' => (index % 2 === 0 ? 'retry' : 'fail');
  const running = await Promise.all(
    Array.from({ length: sessions }, async (_, index) => {
      const onLost = policyOf(index);
      // Background work that no grace outlasts, and that ends once it is resumed. Every other pair does not read its interrupt.
      const deaf = index % 4 > 1;
      const prompt = `${deaf ? '[[deaf]]' : ''}[[silent:once]][[text:done]]`;
      const { task } = await before.submit({ session: `s10-${index}`, prompt, lane: 'background', onLost });
      await untilEvent(before, task, 'turn-started');
      return { task, onLost, deaf };
    }),
  );
  const waiting = await before.submit({ session: 's10-0', prompt: '[[text:queued]]', lane: 'background' });
  const agents = new Set(
    readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly pid: number }).pid),
  );
  expect(agents.size).toBe(sessions);

  first.child.kill('SIGTERM');
  expectGraceful(await first.ended);
  expect([...agents].filter(isThere)).toEqual([]);

  const second = await cli.up([], { env });
  const after = clientOf(cli, second);
  const ends = await Promise.all(
    running.map(async ({ task, onLost, deaf }) => {
      const types = await tapeOf(after, task);
      const { status } = await after.task(task);
      expect(types.filter((type) => type === 'final')).toHaveLength(1);
      const how = types.includes('attempt-lost') ? 'lost' : 'not lost';
      return `${deaf ? 'deaf ' : ''}${onLost} ${status} ${how}`;
    }),
  );
  expect(new Set(ends)).toEqual(
    new Set([
      'retry completed not lost',
      'fail completed not lost',
      'deaf retry completed lost',
      'deaf fail failed lost',
    ]),
  );
  expect((await tapeOf(after, waiting.task)).at(-1)).toBe('final');
  second.child.kill('SIGTERM');
  expect((await second.ended).code).toBe(0);
}, 180_000);

describe('a daemon whose agents are starting', () => {
  test.each(startingAgents)('%s: does not wait for them until its grace is over', async (name) => {
    await using cli = new Cli();
    const config = join(cli.folder, 'signalbox.config.mjs');
    const command = join(cli.folder, 'agent');
    writeFileSync(command, stubborn, { mode: 0o755 });
    const agent = { name, command, sandbox: 'off' };
    // Far longer than the test may take.
    writeFileSync(
      config,
      `export default ${JSON.stringify({ agent, limits: { graceMs: 600_000, startMs: 600_000 } })}`,
    );
    const up = await cli.up(['--config', config, '--log-level', 'info']);
    const client = clientOf(cli, up);
    await client.submit({ session: 'person', prompt: 'now' });
    await client.submit({ session: 'machine', prompt: 'later', lane: 'background' });
    const begun = `${command}.begun`;
    // Some programs serve several sessions.
    while (!existsSync(begun)) {
      await client.health();
    }
    up.child.kill('SIGTERM');
    expectGraceful(await up.ended);
  });
});

test('a service manager that ends every process of the daemon at once sees a graceful end', async () => {
  await using cli = new Cli();
  const log = join(cli.folder, 'agents.log');
  const up = await cli.up(['--log-level', 'info'], { env: { SIGNALBOX_AGENT_LOG: log } });
  const client = clientOf(cli, up);
  await Promise.all(
    Array.from({ length: 4 }, async (_, n) => {
      const { task } = await client.submit({
        session: `s${n}`,
        prompt: '[[silent:once]][[text:done]]',
        lane: 'background',
      });
      await untilEvent(client, task, 'turn-started');
    }),
  );
  const agents = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly pid: number }).pid);
  for (const pid of [up.ready.pid, up.ready.daemon, ...agents]) {
    process.kill(pid, 'SIGTERM');
  }
  expectGraceful(await up.ended);
});

describe('SIGHUP', () => {
  test('does not end a daemon without a terminal, as one that `nohup` has started', async () => {
    await using cli = new Cli();
    const up = await cli.up(['--log-level', 'info']);
    const client = clientOf(cli, up);
    for (const pid of [up.ready.pid, up.ready.daemon]) {
      process.kill(pid, 'SIGHUP');
    }
    // A signal is handled before what comes later on a socket.
    for (let asked = 0; asked < 20; asked += 1) {
      await client.health();
    }
    up.child.kill('SIGTERM');
    const ran = await up.ended;
    expectGraceful(ran);
  });

  const hasScript = spawnSync('script', ['--version']).status === 0;
  test.skipIf(!hasScript)('ends a daemon whose terminal hangs up (skipped without script of util-linux)', async () => {
    await using cli = new Cli();
    const words = [process.execPath, program, 'up', '--json', '--port', '0', '--log-level', 'info']
      .map((word) => `'${word}'`)
      .join(' ');
    const child = spawn('script', ['-q', '-e', '-c', words, '/dev/null'], {
      env: { ...process.env, SIGNALBOX_DATA: cli.data, HOME: cli.folder },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const end = ended(child);
    const line = await firstLine(child);
    const { pid } = JSON.parse(line.slice(line.indexOf('{'))) as Up['ready'];
    process.kill(pid, 'SIGHUP');
    const { code, stdout } = await end;
    expect([code, stdout.match(/"msg":"closed"/g)?.length]).toEqual([0, 1]);
  });
});
