/** The peers, each on the server of the run, or on its own Redis. They are installed apart: `npm ci --prefix bench/peers`. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Load } from '../../support/no-op-tasks.ts';

/** As bench/peers/peer.ts has it: that folder is type-checked apart. */
export interface Peer extends AsyncDisposable {
  round(load: Load): Promise<number>;
  dispatch(): Promise<number>;
}

export interface KnownPeer {
  readonly name: string;
  /** Whether it is measured by its single dispatches, too: one that differs only in how it takes many is not. */
  readonly dispatches: boolean;
  /** A text says why this machine has none. */
  readonly open: (url: string, folder: string) => Promise<Peer | string>;
}

const folder = fileURLToPath(new URL('../../peers/', import.meta.url));

function install(): void {
  // npm writes this file last, so an install that was interrupted does not count.
  if (!existsSync(`${folder}node_modules/.package-lock.json`)) {
    const { status } = spawnSync('npm', ['ci', '--prefix', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) {
      throw new Error('the peers cannot be installed: npm ci --prefix bench/peers');
    }
  }
}

/** A module of bench/peers. */
export async function loadPeer<T>(file: string): Promise<T> {
  install();
  return (await import(`${folder}${file}`)) as T;
}

interface Graphile {
  readonly openGraphileWorker: (url: string, isBatched: boolean) => Promise<Peer>;
}
interface Boss {
  readonly openPgBoss: (url: string) => Promise<Peer>;
}
interface Bull {
  readonly redisServer: () => string | null;
  readonly openBullMq: (program: string, folder: string, durability: 'power') => Promise<Peer>;
}

export const peers: readonly KnownPeer[] = [
  {
    name: 'graphile-worker',
    dispatches: true,
    open: async (url) => (await loadPeer<Graphile>('graphile-worker.ts')).openGraphileWorker(url, false),
  },
  {
    name: 'graphile-worker, batched',
    dispatches: false,
    open: async (url) => (await loadPeer<Graphile>('graphile-worker.ts')).openGraphileWorker(url, true),
  },
  { name: 'pg-boss', dispatches: true, open: async (url) => (await loadPeer<Boss>('pg-boss.ts')).openPgBoss(url) },
  {
    name: 'BullMQ, synced at each write',
    dispatches: true,
    open: async (_, scratch) => {
      const { redisServer, openBullMq } = await loadPeer<Bull>('bullmq.ts');
      const program = redisServer();
      return program === null ? 'this machine has no redis-server' : openBullMq(program, scratch, 'power');
    },
  },
];
