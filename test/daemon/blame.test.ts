/**
 * What may fail an accepted task, with real daemons and real programs: nothing that its own turn cannot have caused. Each task completes after the
 * cause has ended, in its first attempt, and `explain` names the cause meanwhile. Causes that last for hours are in test/runtime, on a clock
 * that the test moves.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Client, createClient, type ReadEvent } from '../../src/client/index.ts';
import { tokenIn } from '../../src/cli/target.ts';
import { processesWith } from '../campaigns/harness/processes.ts';
import { Cli, type Up } from '../support/cli.ts';

type Known = Extract<ReadEvent, { kind: 'known' }>;

interface Daemon extends Up {
  readonly client: Client;
}

/** Starts the daemon of this folder; again, after the one before has ended. */
async function up(cli: Cli, config: object, args: readonly string[] = []): Promise<Daemon> {
  const file = join(cli.folder, 'signalbox.config.ts');
  writeFileSync(file, `export default ${JSON.stringify({ agent: { name: 'scripted' }, ...config })}`);
  const one = await cli.up(['--config', file, ...args]);
  return { ...one, client: createClient({ baseUrl: one.ready.url, token: tokenIn(cli.data) }) };
}

/** As a service manager does, and waits until it is gone. */
async function close(daemon: Daemon): Promise<void> {
  daemon.child.kill('SIGTERM');
  await daemon.ended;
}

/** Resolves with the event of that type, the `nth` on the tape of the task. */
async function event<T extends Known['type']>(client: Client, task: string, type: T, nth = 1): Promise<Known> {
  let seen = 0;
  for await (const one of client.follow(task)) {
    if (one.kind === 'known' && one.type === type && (seen += 1) === nth) {
      return one;
    }
  }
  throw new Error(`the tape of ${task} has ${seen} ${type}`);
}

/** Resolves when the session is throttled for this reason. */
async function throttled(client: Client, session: string, reason: string): Promise<void> {
  for await (const one of client.followSession(session)) {
    if (one.kind === 'known' && one.type === 'throttled' && one.data.reason === reason) {
      return;
    }
  }
}

/** Allows what the task asks for until it ends. What a daemon before this one was asked was withdrawn. */
async function allowed(client: Client, task: string, session: string): Promise<void> {
  for await (const one of client.follow(task)) {
    if (one.kind === 'known' && one.type === 'permission-requested') {
      const { turn, request } = one.data;
      const refused = await client.respond(session, { turn, request, allow: true }).catch((error: unknown) => error);
      expect([{ ok: true }, expect.objectContaining({ code: 'no_permission_request' })]).toContainEqual(refused);
    }
  }
}

async function ended(client: Client, task: string): Promise<{ status: string; reason: string; attempts: number }> {
  const one = await event(client, task, 'final');
  return one.data as { status: string; reason: string; attempts: number };
}

const completed = { status: 'completed', attempts: 1 };

/** Resolves when so much time has passed outside of this process. */
const seconds = (count: number): Promise<unknown> =>
  new Promise((resolve) => spawn('sleep', [String(count)]).once('exit', resolve));

/** What the task waits for, in words. */
async function explained(client: Client, task: string): Promise<string> {
  const { summary, waitsFor } = await client.explain(task);
  return [summary, ...waitsFor.map((wait) => wait.what)].join('\n');
}

describe('an accepted task is not failed, and completes in its first attempt', () => {
  test('B02 by three deploys: its daemon closes and starts again, also for a task that waits for a person, or is not to be sent again', async () => {
    await using cli = new Cli();
    let daemon = await up(cli, {});
    const job = { lane: 'background', maxAttempts: 1 } as const;
    const { task: worker } = await daemon.client.submit({ session: 'a', prompt: '[[work:200,30,job]]', ...job });
    const once = { session: 'b', onLost: 'fail', ...job } as const;
    const { task: delicate } = await daemon.client.submit({ ...once, prompt: '[[work:200,30,once]]' });
    const asking = { session: 'c', prompt: '[[ask:execute:make]][[text:made]]', ...job } as const;
    const { task: waiting } = await daemon.client.submit({ ...asking, permissions: { mode: 'ask' } });
    await event(daemon.client, worker, 'output');
    await event(daemon.client, delicate, 'output');
    await event(daemon.client, waiting, 'permission-requested');
    for (let deploy = 1; deploy <= 3; deploy += 1) {
      await close(daemon);
      daemon = await up(cli, {});
      for (const task of [worker, delicate]) {
        await event(daemon.client, task, 'turn-started', deploy + 1);
      }
      await event(daemon.client, waiting, 'permission-requested', deploy + 1);
    }
    const { client } = daemon;
    await allowed(client, waiting, 'c');
    expect(await ended(client, worker)).toMatchObject(completed);
    expect(await ended(client, delicate)).toMatchObject(completed);
    expect(await ended(client, waiting)).toMatchObject(completed);
    await close(daemon);
  }, 60_000);

  test('B02 by SIGTERM to the daemon and to all agents at once', async () => {
    await using cli = new Cli();
    const mark = join(cli.folder, 'agents.log');
    const config = { agent: { name: 'scripted', args: ['--log', mark] } };
    let daemon = await up(cli, config);
    const job = { session: 'a', prompt: '[[work:100,30,job]]', maxAttempts: 1 } as const;
    const { task } = await daemon.client.submit(job);
    await event(daemon.client, task, 'output');
    for (const pid of processesWith('cmdline', mark)) {
      process.kill(pid, 'SIGTERM');
    }
    await close(daemon);
    daemon = await up(cli, config);
    expect(await ended(daemon.client, task)).toMatchObject(completed);
    await close(daemon);
  }, 60_000);

  test('B03 by a program that is away for some seconds, as during an update', async () => {
    await using cli = new Cli();
    const program = join(cli.folder, 'agent.sh');
    const script = join(import.meta.dirname, '../../src/agents/scripted/program/main.ts');
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" --no-warnings "${script}" "$@"\n`);
    chmodSync(program, 0o755);
    const daemon = await up(cli, { agent: { name: 'process', command: program } });
    renameSync(program, `${program}.old`);
    const { task } = await daemon.client.submit({ session: 'a', prompt: '[[text:there]]', maxAttempts: 1 });
    await throttled(daemon.client, 'a', 'agent_start_failed');
    expect(await explained(daemon.client, task)).toMatch(/cannot be started.*agent\.sh/);
    renameSync(`${program}.old`, program);
    expect(await ended(daemon.client, task)).toMatchObject(completed);
    await close(daemon);
  }, 90_000);

  test('by another session that has its folder', async () => {
    await using cli = new Cli();
    const folder = join(cli.folder, 'one');
    mkdirSync(folder);
    const daemon = await up(cli, { workspaces: [{ session: 's*', folder }] });
    const { client } = daemon;
    const { task: first } = await client.submit({ session: 's1', prompt: '[[forever:20]]' });
    await event(client, first, 'output');
    const { task: second } = await client.submit({ session: 's2', prompt: '[[text:mine]]', maxAttempts: 1 });
    await throttled(client, 's2', 'folder_in_use');
    expect(await explained(client, second)).toMatch(/is used by session s1/);
    await client.cancel(first);
    expect(await ended(client, second)).toMatchObject(completed);
    await close(daemon);
  }, 60_000);

  test('B05 by a daemon that stands still: what the agent said meanwhile is read before its silence is judged', async () => {
    await using cli = new Cli();
    const daemon = await up(cli, { limits: { silenceMs: 1_500 } });
    const prompt = '[[stream:20,300]]';
    const { task } = await daemon.client.submit({ session: 'a', prompt, maxAttempts: 1 });
    await event(daemon.client, task, 'output');
    process.kill(daemon.ready.daemon, 'SIGSTOP');
    await seconds(4);
    process.kill(daemon.ready.daemon, 'SIGCONT');
    expect(await ended(daemon.client, task)).toMatchObject(completed);
    const tape = (await daemon.client.taskEvents(task, { limit: 200 })).items;
    expect(tape.filter(({ type }) => type === 'deadline-reached')).toEqual([]);
    await close(daemon);
  }, 60_000);

  test('B05 by a daemon that stands still while the agent starts', async () => {
    await using cli = new Cli();
    const daemon = await up(cli, { limits: { startMs: 3_000 } });
    const { task } = await daemon.client.submit({ session: 'a', prompt: '[[text:there]]', onLost: 'fail' });
    process.kill(daemon.ready.daemon, 'SIGSTOP');
    await seconds(5);
    process.kill(daemon.ready.daemon, 'SIGCONT');
    expect(await ended(daemon.client, task)).toMatchObject(completed);
    const { items } = await daemon.client.sessionEvents('a', { limit: 200 });
    expect(items.filter(({ type }) => type === 'agent-exited')).toEqual([]);
    await close(daemon);
  }, 60_000);

  test('B04 by a tool that runs for longer than an agent may be silent', async () => {
    await using cli = new Cli();
    const daemon = await up(cli, { limits: { silenceMs: 500 } });
    const { task } = await daemon.client.submit({
      session: 'a',
      prompt: '[[tool:4000]][[text:built]]',
      maxAttempts: 1,
    });
    expect(await ended(daemon.client, task)).toMatchObject(completed);
    await close(daemon);
  }, 60_000);

  test('B03 by a daemon that has too few descriptors for all of its agents', async () => {
    await using cli = new Cli();
    const daemon = await up(cli, { limits: { maxAgents: 24, maxStarting: 24, agentIdleMs: 500 } });
    const limited = spawn('prlimit', ['--pid', String(daemon.ready.daemon), '--nofile=64:64']);
    await new Promise((resolve) => limited.once('exit', resolve));
    const tasks: string[] = [];
    for (let session = 0; session < 24; session += 1) {
      const prompt = '[[stream:100,50]]';
      tasks.push((await daemon.client.submit({ session: `s${session}`, prompt, maxAttempts: 1 })).task);
    }
    let waited = 0;
    for (const task of tasks) {
      expect(await ended(daemon.client, task)).toMatchObject(completed);
      const tape = (await daemon.client.taskEvents(task, { limit: 200 })).items;
      waited += tape.some(({ type }) => type === 'attempt-retried') ? 1 : 0;
    }
    expect(waited).toBeGreaterThan(0);
    await close(daemon);
  }, 120_000);
});

test('a task that nothing lets run ends when its time is up, and its tape says what it waited for', async () => {
  await using cli = new Cli();
  const daemon = await up(cli, {});
  const { client } = daemon;
  const { task: first } = await client.submit({ session: 'a', prompt: '[[text:a]]' });
  await event(client, first, 'final');
  await client.park('a', 'closed for today');
  const { task } = await client.submit({ session: 'a', prompt: '[[text:b]]', expiresIn: 1_000 });
  expect(await event(client, task, 'expired')).toMatchObject({ data: { waitsFor: 'parked' } });
  expect(await ended(client, task)).toMatchObject({ status: 'failed', reason: 'expired' });
  await close(daemon);
}, 60_000);
