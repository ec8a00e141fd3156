/**
 * From SIGKILL of a daemon and its launcher, at a random moment, until another node has its session. Built daemons with their launchers; several are
 * killed one after the other in each round, so that the moments between two of their signs of life are all tried.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../../../src/client/index.ts';
import type { Figure, Row, Run } from '../../harness.ts';
import { alone, median, pause, temporaryFolder } from '../../harness.ts';
import { type BuiltDaemon, mustBeBuilt, startDaemon } from '../../support/built-daemon.ts';
import { emptyDatabase } from '../support/database.ts';

const marginMs = 1_000;
const owners = 3;

export const row: Row = {
  name: 'takeover',
  title: 'SIGKILL of the owner to the takeover by another node',
  limit: 'the time-to-live and a second',
  async measure(run: Run): Promise<readonly Figure[]> {
    mustBeBuilt();
    const figures: Figure[] = [];
    for (const ttlMs of run.quick ? [2_000] : [3_000, 10_000]) {
      run.say(`time-to-live ${ttlMs} ms`);
      const taken: number[] = [];
      for (let at = 0; at < run.rounds; at += 1) {
        taken.push(...(await round(ttlMs)));
        run.say(taken.map(Math.round).join(' '));
      }
      const what = `time-to-live ${ttlMs / 1_000} s`;
      figures.push(alone(median(taken), { measure: `${what}, median`, unit: 'ms', goal: null }));
      const goal = { of: 'ours', atMost: ttlMs + marginMs } as const;
      figures.push(alone(Math.max(...taken), { measure: `${what}, longest of ${taken.length}`, unit: 'ms', goal }));
    }
    return figures;
  },
};

const clientOf = (folder: string, { url }: BuiltDaemon) =>
  createClient({ baseUrl: url, token: readFileSync(join(folder, 'token'), 'utf8').trim() });

/** Milliseconds, one for each owner. */
async function round(ttlMs: number): Promise<readonly number[]> {
  using folder = temporaryFolder();
  await using database = await emptyDatabase();
  const start = (name: string): Promise<BuiltDaemon> =>
    startDaemon(join(folder.path, name), ['--store', database.url], {
      SIGNALBOX_NODE_NAME: name,
      SIGNALBOX_NODE_TTL_MS: String(ttlMs),
    });
  await using survivor = await start('survivor');
  const client = clientOf(join(folder.path, 'survivor'), survivor);
  const over = new AbortController();
  const recovered = new Map<string, PromiseWithResolvers<number>>();
  const watching = (async () => {
    for await (const { type, session } of client.followAll({ signal: over.signal })) {
      if (type === 'recovered') {
        recovered.get(session)?.resolve(performance.now());
      }
    }
  })();
  watching.catch(() => {});
  const killed: { readonly session: string; readonly at: number }[] = [];
  for (let number = 0; number < owners; number += 1) {
    const name = `owner-${number}`;
    const owner = await start(name);
    const session = `bench:${name}`;
    recovered.set(session, Promise.withResolvers());
    const own = clientOf(join(folder.path, name), owner);
    const { task } = await own.submit({ session, lane: 'background', prompt: '[[forever:200]]' });
    for await (const { type } of own.follow(task)) {
      if (type === 'turn-started') {
        break;
      }
    }
    await pause(Math.random() * ttlMs);
    killed.push({ session, at: performance.now() });
    process.kill(owner.pid, 'SIGKILL');
    process.kill(owner.launcher, 'SIGKILL');
  }
  const taken: number[] = [];
  for (const { session, at } of killed) {
    taken.push(((await recovered.get(session)?.promise) ?? Number.NaN) - at);
  }
  over.abort();
  return taken;
}
