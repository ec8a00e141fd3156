/**
 * From the cancel of the task that runs until the first step of the task behind it, in one session. Not like for like: Restate is called over HTTP
 * and calls its handler over HTTP; ours is in this process, on Postgres.
 */
import { functionDriver } from '../../../src/agents/index.ts';
import type { Signalbox } from '../../../src/runtime/index.ts';
import type { Figure, Row, Run } from '../../harness.ts';
import { compared, inTurns, percentile, temporaryFolder } from '../../harness.ts';
import { emptyDatabase } from '../support/database.ts';
import { openNode } from '../support/node.ts';
import { loadPeer } from '../support/peers.ts';

/** As bench/peers/restate.ts has it. */
interface Holders extends AsyncDisposable {
  handOver(): Promise<number>;
}

interface RestatePeer {
  readonly openRestate: (folder: string) => Promise<Holders>;
}

export const row: Row = {
  name: 'cancel',
  title: 'cancel of the running task to the first step of the next',
  limit: 'Restate: a virtual object, whose running call is cancelled',
  async measure(run: Run): Promise<readonly Figure[]> {
    using folder = temporaryFolder();
    await using database = await emptyDatabase();
    const { openRestate } = await loadPeer<RestatePeer>('restate.ts');
    await using restate = await openRestate(folder.path);
    await using ours = await openOurs(database.url);
    const samples = run.quick ? 5 : 60;
    const round = async (holders: Pick<Holders, 'handOver'>): Promise<readonly number[]> => {
      const taken: number[] = [];
      for (let sample = 0; sample < samples; sample += 1) {
        taken.push(await holders.handOver());
      }
      return taken;
    };
    const pairs = await inTurns(run, { limit: () => round(restate), ours: () => round(ours) });
    return [50, 99].map((percent) =>
      compared(
        pairs.map((pair) => ({ ours: percentile(pair.ours, percent), limit: percentile(pair.limit, percent) })),
        { measure: `p${percent}`, unit: 'ms', goal: percent === 99 ? { of: 'ratio', atMost: 1 } : null },
      ),
    );
  },
};

async function openOurs(url: string): Promise<Holders> {
  let began: (prompt: string) => void = () => {};
  const agent = functionDriver(async function* (prompt, { signal }) {
    began(prompt);
    if (prompt.includes('stay') && !signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    yield 'done';
  });
  const box = await openNode(url, { name: 'a', agent });
  const nextStep = (word: string): Promise<number> =>
    new Promise((resolve) => {
      began = (prompt) => {
        if (prompt.includes(word)) {
          resolve(performance.now());
        }
      };
    });
  return {
    async handOver() {
      const first = nextStep('stay');
      const holder = await submitted(box, 'stay');
      await first;
      const second = nextStep('pass');
      const next = await submitted(box, 'pass');
      const at = performance.now();
      await box.cancel(holder);
      const took = (await second) - at;
      await box.result(next);
      return took;
    },
    [Symbol.asyncDispose]: () => box.close({ graceMs: 0 }),
  };
}

async function submitted(box: Signalbox, prompt: string): Promise<string> {
  const answer = await box.submit({ session: 'bench:cancel', prompt, lane: 'background' });
  if (answer.kind !== 'accepted') {
    throw new Error(answer.code);
  }
  return answer.task;
}
