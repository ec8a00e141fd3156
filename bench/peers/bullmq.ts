/** BullMQ on a Redis of its own. `power`: an append-only file, synced at every write; `process`: none. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { Queue, Worker } from 'bullmq';
import type { Durability } from '../../src/store/index.ts';
import { rate } from '../harness.ts';
import { sendAll } from '../support/no-op-tasks.ts';
import { Countdown, type Peer } from './peer.ts';
import { freePort } from './postgres.ts';

/** Null: there is no redis-server on this machine (`REDIS_SERVER` names one elsewhere). */
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
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
  const queue = new Queue('no-op', { connection });
  await queue.waitUntilReady();
  let countdown = new Countdown(0);
  const worker = new Worker('no-op', () => Promise.resolve(), { connection, concurrency: 100 });
  worker.on('completed', () => countdown.end());
  worker.on('error', () => {});
  await worker.waitUntilReady();
  return {
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
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await gone;
    },
  };
}
