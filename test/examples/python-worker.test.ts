/** The example worker in Python over a real daemon: it is preempted, killed, followed by another one, and outlives its daemon. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Client, createClient, type ReadEvent } from '../../src/client/index.ts';
import { tokenIn } from '../../src/cli/target.ts';
import { Cli, type Up } from '../support/cli.ts';

const missing = spawnSync('python3', ['--version']).status === 0 ? null : 'python3 is not installed here';
const program = fileURLToPath(new URL('../../examples/worker.py', import.meta.url));
const testDeadlineMs = 60_000;

/** A worker that runs; it goes with the test. */
class Worker implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  #stderr = '';

  constructor(cli: Cli, up: Up, args: readonly string[], env: { readonly [name: string]: string } = {}) {
    this.child = spawn('python3', [program, ...args], {
      env: {
        PATH: process.env['PATH'],
        HOME: cli.folder,
        SIGNALBOX_URL: up.ready.url,
        SIGNALBOX_DATA: cli.data,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr?.on('data', (part: Buffer) => (this.#stderr += part.toString()));
    if (this.child.stdout === null) {
      throw new Error('the worker has no output');
    }
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** What it says next. */
  async says(): Promise<{ readonly [name: string]: unknown }> {
    const { value, done } = await this.lines.next();
    if (done === true) {
      throw new Error(`the worker has ended:\n${this.#stderr}`);
    }
    return JSON.parse(value) as { readonly [name: string]: unknown };
  }

  async code(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.code();
  }
}

/** Resolves with the first event of the tape that fits. */
async function eventOf(client: Client, task: string, fits: (event: ReadEvent) => boolean): Promise<ReadEvent> {
  for await (const event of client.follow(task)) {
    if (fits(event)) {
      return event;
    }
  }
  throw new Error(`the tape of ${task} has ended`);
}

const typesOf = async (client: Client, task: string): Promise<readonly string[]> =>
  (await client.taskEvents(task, { limit: 500 })).items
    .map(({ type }) => type ?? 'unknown')
    .filter((type) => type !== 'output');

describe('the worker in Python', () => {
  test(
    'takes three turns under one hold, is preempted in one, is killed in the next, and its successor finishes',
    async (context) => {
      if (missing !== null) {
        context.skip(missing);
      }
      await using cli = new Cli();
      const up = await cli.up(['--agent', 'scripted']);
      const client = createClient({ baseUrl: up.ready.url, token: tokenIn(cli.data) });
      const steps = ['[[text:one]]', '[[work:40,50,two]]', '[[text:three]]'];
      const lease = ['--lease-ms', '4000'];
      await using first = new Worker(cli, up, ['--submit', 's', ...lease, ...steps, '[[forever:20]]']);
      const task = String((await first.says())['submitted']);
      const { epoch } = await first.says();
      expect(epoch).toBe(1);
      expect(await first.says()).toEqual({ step: 1, outcome: 'completed', text: 'one' });
      await eventOf(client, task, ({ type, data }) => type === 'turn-started' && data.turn === 2);
      const urgent = await cli.json(['send', 's', '[[text:urgent]]', '--wait']);
      expect(urgent).toMatchObject({ status: 'completed' });
      expect(await first.says()).toMatchObject({ step: 2, outcome: 'completed' });
      expect(await first.says()).toEqual({ step: 3, outcome: 'completed', text: 'three' });
      // Turn 2 is taken twice, and one is that of the urgent task.
      await eventOf(client, task, ({ type, data }) => type === 'turn-started' && data.turn === 6);
      expect(await client.task(task)).toMatchObject({ status: 'running', attempts: 1, holder: { epoch: 1 } });

      first.child.kill('SIGKILL');
      await eventOf(client, task, ({ type }) => type === 'lease-lapsed');
      await using second = new Worker(cli, up, ['--task', task, ...lease, ...steps, '[[text:four]]']);
      const grant = await second.says();
      expect(grant).toMatchObject({ granted: task, attempt: 2, steps: 3 });
      await expect(
        fetch(`${up.ready.url}/v1/tasks/${task}/hold/turn`, {
          method: 'POST',
          headers: { authorization: `Bearer ${tokenIn(cli.data)}`, 'content-type': 'application/json' },
          body: JSON.stringify({ epoch, call: 5, prompt: 'I live' }),
        }).then((answer) => answer.json()),
      ).resolves.toMatchObject({ status: 409, code: 'evicted' });
      expect(await second.says()).toEqual({ step: 4, outcome: 'completed', text: 'four' });
      expect(await second.says()).toEqual({ finished: task });
      expect(await second.code()).toBe(0);
      expect(await client.task(task)).toMatchObject({
        status: 'completed',
        attempts: 2,
        holder: null,
        final: { result: { steps: [{ text: 'one' }, { step: 2 }, { text: 'three' }, { text: 'four' }] } },
      });
      const types = await typesOf(client, task);
      expect(types.filter((type) => type === 'claimed')).toHaveLength(2);
      expect(types.join(' ')).toContain('lease-lapsed attempt-lost attempt-retried interrupt-requested');
      expect(types.filter((type) => type === 'preempted')).toHaveLength(2);
    },
    testDeadlineMs,
  );

  test(
    'fails its task when a turn fails, and takes no further one',
    async (context) => {
      if (missing !== null) {
        context.skip(missing);
      }
      await using cli = new Cli();
      const up = await cli.up(['--agent', 'scripted']);
      await using worker = new Worker(cli, up, ['--submit', 's', '[[fail:no luck]]', '[[text:never]]']);
      const task = String((await worker.says())['submitted']);
      await worker.says();
      expect(await worker.says()).toMatchObject({ step: 1, outcome: 'failed' });
      expect(await worker.says()).toEqual({ failed: task });
      expect(await worker.code()).toBe(1);
      const client = createClient({ baseUrl: up.ready.url, token: tokenIn(cli.data) });
      expect(await client.task(task)).toMatchObject({
        status: 'failed',
        reason: 'step_failed',
        final: { result: { steps: [{ step: 1 }] } },
      });
    },
    testDeadlineMs,
  );

  test(
    'outlives a daemon that is killed in the middle of a turn, and finishes under the same epoch',
    async (context) => {
      if (missing !== null) {
        context.skip(missing);
      }
      await using cli = new Cli();
      const up = await cli.up(['--agent', 'scripted']);
      const port = new URL(up.ready.url).port;
      await using worker = new Worker(cli, up, ['--submit', 's', '[[text:one]]', '[[silent:once]] [[text:two]]']);
      const task = String((await worker.says())['submitted']);
      expect(await worker.says()).toMatchObject({ granted: task, epoch: 1, attempt: 1 });
      await worker.says();
      const before = createClient({ baseUrl: up.ready.url, token: tokenIn(cli.data) });
      await eventOf(before, task, ({ type, data }) => type === 'turn-started' && data.turn === 2);
      process.kill(up.ready.daemon, 'SIGKILL');
      up.child.kill('SIGKILL');
      await up.ended;
      const again = await cli.up(['--agent', 'scripted', '--port', port]);
      expect(await worker.says()).toMatchObject({ step: 2, outcome: 'completed' });
      expect(await worker.says()).toEqual({ finished: task });
      const client = createClient({ baseUrl: again.ready.url, token: tokenIn(cli.data) });
      expect(await client.task(task)).toMatchObject({ status: 'completed', attempts: 1 });
      expect(await typesOf(client, task)).not.toContain('lease-lapsed');
    },
    testDeadlineMs,
  );

  test('ends with the reason when it is refused, and fails its task when it breaks', async (context) => {
    if (missing !== null) {
      context.skip(missing);
    }
    await using cli = new Cli();
    const up = await cli.up(['--agent', 'scripted']);
    await using stranger = new Worker(cli, up, ['--submit', 's', 'x'], { SIGNALBOX_TOKEN: 'wrong' });
    expect(await stranger.says()).toMatchObject({ refused: 'unauthorized' });
    expect(await stranger.code()).toBe(1);
    await using lost = new Worker(cli, up, ['--task', 'nothing', 'x']);
    expect(await lost.says()).toMatchObject({ refused: 'unknown_task' });
    await using evicted = new Worker(cli, up, ['--submit', 's', '[[forever:20]]']);
    const task = String((await evicted.says())['submitted']);
    await evicted.says();
    const client = createClient({ baseUrl: up.ready.url, token: tokenIn(cli.data) });
    await eventOf(client, task, ({ type }) => type === 'turn-started');
    await client.cancel(task);
    expect(await evicted.says()).toMatchObject({ refused: 'evicted' });
    expect(await evicted.code()).toBe(3);
    await using broken = new Worker(cli, up, ['--submit', 's', '[[forever:20]]']);
    const second = String((await broken.says())['submitted']);
    await broken.says();
    await eventOf(client, second, ({ type }) => type === 'turn-started');
    broken.child.kill('SIGINT');
    await broken.code();
    // Its turn is interrupted first.
    await eventOf(client, second, ({ type }) => type === 'final');
    expect(await client.task(second)).toMatchObject({ status: 'failed', reason: 'worker_failed' });
  });
});
