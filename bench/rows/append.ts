/**
 * Durable appends to the tapes of 64 tasks at once: by the whole runtime (64 function agents that stream, through `step`,
 * actors and group commit), and by the store alone (groups of one, and of eight events for each of 64 sessions).
 * The limit inserts the same event rows, in transactions of 100, into the same table without its fences.
 */
import { join } from 'node:path';
import { functionDriver } from '../../src/agents/index.ts';
import { sessionKey, taskId, turnId } from '../../src/core/model/ids.ts';
import { newSession } from '../../src/core/queue.ts';
import { step } from '../../src/core/step.ts';
import { createSignalbox } from '../../src/runtime/index.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import { partsPerStep } from '../../src/runtime/options.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { compared, inTurns, rate, temporaryFolder } from '../harness.ts';
import { submitted } from '../support/inputs.ts';
import { RawStore } from '../support/raw-store.ts';

const sessions = 64;
const goal = { of: 'ratio', atLeast: 0.6 } as const;
const text = `${'The quick brown fox jumps over the lazy dog. '.repeat(4)}and goes on`;
/** Data of an `output` event as the core makes it. */
const data = { turn: turnId(1), part: { kind: 'text', text } } as const;

export const row: Row = {
  name: 'append',
  title: 'durable tape append, 64 tasks at once, rows per second',
  limit: 'raw prepared inserts of the same rows in transactions of 100',
  async measure(run: Run): Promise<readonly Figure[]> {
    const each = run.quick ? 20 : 1_000;
    using folder = temporaryFolder();
    using raw = new RawStore(join(folder.path, 'raw.db'), 'power');
    let tapes = 0;
    const limit = (): Promise<number> =>
      rate(each * sessions, () => {
        const first = tapes + 1;
        tapes += sessions;
        let open = 0;
        for (let seq = 1; seq <= each; seq += 1) {
          for (let tape = first; tape < first + sessions; tape += 1) {
            if (open === 0) {
              raw.begin();
            }
            raw.event(tape, seq, seq, 'output', JSON.stringify(data));
            open += 1;
            if (open === 100) {
              raw.commit();
              open = 0;
            }
          }
        }
        if (open > 0) {
          raw.commit();
        }
      });
    const figures: Figure[] = [];
    {
      await using ours = await openRuntime(join(folder.path, 'runtime.db'), each);
      const pairs = await inTurns(run, { limit, ours: ours.round });
      figures.push(compared(pairs, { measure: 'by the runtime', unit: '/s', goal, note: await ours.grouping() }));
    }
    for (const [perSession, aim] of [
      [8, goal],
      [1, null],
    ] as const) {
      using ours = openStore(join(folder.path, `store-${perSession}.db`));
      const pairs = await inTurns(run, { limit, ours: () => ours.round(each, perSession) });
      const measure = `by the store, ${perSession} × ${sessions} a commit`;
      const note =
        aim === null ? `its commits hold ${sessions} rows and the limit's 100, each waits for the disk once` : null;
      figures.push(compared(pairs, { measure, unit: '/s', goal: aim, ...(note === null ? {} : { note }) }));
    }
    return figures;
  },
};

async function openRuntime(path: string, each: number) {
  const answer = async function* () {
    for (let at = 0; at < each; at += 1) {
      yield text;
    }
  };
  // Eight chunks a pass of the event loop, as a busy pipe brings them.
  const agent = functionDriver(answer, { breathEvery: 8 });
  const limits = { maxAgents: sessions, outputBatchMs: 5 };
  const box = createSignalbox({ store: openSqliteStore({ path, durability: 'power' }), agent, limits });
  await box.ready;
  return {
    round: () =>
      rate(each * sessions, async () => {
        const admitted = await Promise.all(
          Array.from({ length: sessions }, (_, at) => box.submit({ session: `bench:append-${at}`, prompt: 'stream' })),
        );
        const ended = await Promise.all(
          admitted.map((answer) => box.result(answer.kind === 'accepted' ? answer.task : '')),
        );
        if (ended.some(({ status, seq }) => status !== 'completed' || seq < each)) {
          throw new Error('a tape is short');
        }
      }),
    async grouping(): Promise<string> {
      const { histograms } = await box.stats();
      const mean = (name: string): number => (histograms[name]?.sum ?? 0) / (histograms[name]?.count ?? 1);
      return `the runtime made groups of ${mean('commit_sessions').toFixed(0)} sessions and ${mean('commit_records').toFixed(0)} records`;
    },
    [Symbol.asyncDispose]: () => box.close({ graceMs: 0 }),
  };
}

function openStore(path: string) {
  const store = openSqliteStore({ path, durability: 'power' });
  let made = 0;
  /** New tasks in their sessions, so that tapes begin anew as they do in the limit. */
  const begin = () =>
    Array.from({ length: sessions }, (_, at) => {
      const key = sessionKey(`bench:store-${(made += 1)}-${at}`);
      const { lease } = store.claim(key);
      const id = `task-${made}-${at}`;
      const { records, session } = step(
        newSession(key, { maxPassedOver: 3, maxOpen: 10, partsPerStep, freshWhenFull: true }),
        submitted(id, 'interactive'),
      );
      store.commit([{ session: key, lease, records }]);
      const seq = records.filter((record) => record.type === 'event' && record.task === id).length;
      return { key, lease, task: taskId(id), seq, session };
    });
  return {
    round(each: number, perSession: number): Promise<number> {
      const open = begin();
      return rate(each * sessions, () => {
        for (let at = 0; at < each; at += perSession) {
          const chunk = Math.min(perSession, each - at);
          store.commit(
            open.map(({ key, lease, task, seq }) => ({
              session: key,
              lease,
              records: Array.from({ length: chunk }, (_, index) => ({
                type: 'event' as const,
                at: 1,
                task,
                seq: seq + at + index + 1,
                event: { type: 'output' as const, data },
              })),
            })),
          );
        }
      });
    },
    [Symbol.dispose]: () => store.close(),
  };
}
