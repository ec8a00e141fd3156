/** From the call of submit until the handler runs, where nothing else does. Ours: a warm session, whose agent is a function. */
import { functionDriver } from '../../../src/agents/index.ts';
import type { Figure, Row, Run, Skipped } from '../../harness.ts';
import { compared, inTurns, pause, percentile, temporaryFolder } from '../../harness.ts';
import { emptyDatabase } from '../support/database.ts';
import { openNode } from '../support/node.ts';
import { type KnownPeer, peers } from '../support/peers.ts';

export const row: Row = {
  name: 'dispatch',
  title: 'submit to the first step of the handler, idle',
  limit: 'the peer on the same server; BullMQ on Redis',
  async measure(run: Run): Promise<readonly (Figure | Skipped)[]> {
    const figures: (Figure | Skipped)[] = [];
    await using database = await emptyDatabase();
    await using ours = await openOurs(database.url);
    for (const peer of peers.filter(({ dispatches }) => dispatches)) {
      figures.push(...(await beside(run, peer, ours.dispatch)));
    }
    return figures;
  },
};

async function openOurs(url: string) {
  let began: () => void = () => {};
  let ended: () => void = () => {};
  const agent = functionDriver(async function* () {
    began();
    yield 'done';
  });
  const box = await openNode(url, { name: 'a', agent });
  box.listen({ all: true }, (events) => {
    if (events.some(({ type }) => type === 'final')) {
      ended();
    }
  });
  return {
    dispatch: async (): Promise<number> => {
      const over = new Promise<void>((resolve) => (ended = resolve));
      const at = performance.now();
      let took = 0;
      const runs = new Promise<void>((resolve) => {
        began = () => {
          took = performance.now() - at;
          resolve();
        };
      });
      const answer = await box.submit({ session: 'bench:dispatch', prompt: 'nothing' });
      if (answer.kind !== 'accepted') {
        throw new Error(answer.code);
      }
      await runs;
      await over;
      return took;
    },
    [Symbol.asyncDispose]: () => box.close({ graceMs: 0 }),
  };
}

async function beside(
  run: Run,
  { name, open }: KnownPeer,
  ours: () => Promise<number>,
): Promise<readonly (Figure | Skipped)[]> {
  run.say(name);
  using folder = temporaryFolder();
  await using database = await emptyDatabase();
  const peer = await open(database.url, folder.path);
  if (typeof peer === 'string') {
    return [{ measure: name, skipped: peer }];
  }
  await using opened = peer;
  // pg-boss polls: half a second each.
  const samples = run.quick ? 5 : name === 'pg-boss' ? 20 : 150;
  const round = async (dispatch: () => Promise<number>): Promise<readonly number[]> => {
    const taken: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      await pause(5 + Math.random() * 10);
      taken.push(await dispatch());
    }
    return taken;
  };
  const pairs = await inTurns(run, { limit: () => round(() => opened.dispatch()), ours: () => round(ours) });
  return [50, 99].map((percent) =>
    compared(
      pairs.map((pair) => ({ ours: percentile(pair.ours, percent), limit: percentile(pair.limit, percent) })),
      { measure: `${name}, p${percent}`, unit: 'ms', goal: percent === 99 ? { of: 'ratio', atMost: 1 } : null },
    ),
  );
}
