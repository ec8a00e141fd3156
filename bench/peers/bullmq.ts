/** BullMQ on its own Redis server. `power`: an append-only file, synced at every write; `process`: no file. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { Queue, Worker } from 'bullmq';
import type { Durability } from '../../src/store/index.ts';
import { rate } from '../harness.ts';
import { sendAll } from '../support/no-op-tasks.ts';
import { Countdown, type Peer, timed } from './peer.ts';
import { freePort } from './postgres.ts';

/** Null: this machine has no redis-server (`REDIS_SERVER` names one elsewhere). */
export function redisServer(): string | null {
  const program = process.env['REDIS_SERVER'] ?? 'redis-server';
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return program;
  } catch {
    return null;
  }
}

export async function openBullMq(program: string, folder: string, durability: Durability): Promise<Peer> {
  const port = await freePort();
  const lasting = durability === 'power' ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...lasting];
  const server: ChildProcess = spawn(program, flags, { stdio: 'ignore' });
  let problem: string | null = null;
  const gone = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      problem = why;
      resolve();
    };
    server.once('exit', (code, signal) => end(`redis-server ended with ${code ?? signal ?? 'no exit code'}`));
    server.once('error', ({ message }) => end(`redis-server did not start: ${message}`));
  });
  // Without a strategy the client would go on connecting to a server that has ended.
  const retryStrategy = (): number | null => (problem === null ? 50 : null);
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null, retryStrategy };
  const queue = new Queue('no-op', { connection });
  queue.on('error', () => {});
  try {
    await queue.waitUntilReady();
  } catch (error) {
    throw new Error(problem ?? 'BullMQ cannot reach redis-server', { cause: error });
  }
  let countdown = new Countdown(0);
  let began: () => void = () => {};
  const work = ({ name }: { readonly name: string }): Promise<void> => {
    if (name === 'probe') {
      began();
    }
    return Promise.resolve();
  };
  const worker = new Worker('no-op', work, { connection, concurrency: 100 });
  worker.on('completed', () => countdown.end());
  worker.on('error', () => {});
  await worker.waitUntilReady();
  return {
    dispatch: () =>
      timed(async (run) => {
        began = run;
        await queue.add('probe', {}, { removeOnComplete: true });
      }),
    round: (load) => {
      countdown = new Countdown(load.sessions * load.perSession);
      return rate(load.sessions * load.perSession, async () => {
        await sendAll(load, (session) => queue.add('no-op', { session }, { removeOnComplete: true }));
        await countdown.all;
      });
    },
    async [Symbol.asyncDispose]() {
      await worker.close();
      await queue.close();
      server.kill('SIGTERM');
      await gone;
    },
  };
}
