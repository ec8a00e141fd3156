/**
 * What a step, and what a task, cost when there is much of everything. Each pair is the same work beside little and beside
 * much: of sessions, of events on the tape, of waiting tasks.
 */
import { join } from 'node:path';
import { functionDriver } from '../../src/agents/index.ts';
import { sessionKey, taskId, turnId } from '../../src/core/model/ids.ts';
import type { Session } from '../../src/core/model/session.ts';
import { newSession } from '../../src/core/queue.ts';
import { step } from '../../src/core/step.ts';
import { createSignalbox } from '../../src/runtime/index.ts';
import { openMemoryStore, openSqliteStore } from '../../src/store/index.ts';
import { partsPerStep } from '../../src/runtime/options.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { compared, inTurns, temporaryFolder } from '../harness.ts';
import { agentReady, output, submitted, turnStarted } from '../support/inputs.ts';

const limits = { maxPassedOver: 3, maxOpen: 1_000_000, partsPerStep, freshWhenFull: true };
/** Growth by nothing, but for the caches of the processor. */
const flat = { of: 'ratio', atMost: 1.5 } as const;

export const row: Row = {
  name: 'growth',
  title: 'cost with many sessions, long tapes, long queues',
  limit: 'the same with few, short, short',
  async measure(run: Run): Promise<readonly Figure[]> {
    return [
      await taskBesideSessions(run),
      await stepOnLongTape(run),
      await appendToLongTape(run),
      await stepOnLongQueue(run),
    ];
  },
};

/** Nanoseconds of one of `count`. */
async function each(count: number, work: () => Promise<void> | void): Promise<number> {
  const began = performance.now();
  await work();
  return ((performance.now() - began) * 1e6) / count;
}

/** One session's tasks, one after the other, while others are live: each has an owner and a task that waits. */
async function taskBesideSessions(run: Run): Promise<Figure> {
  const [few, many] = [1, run.quick ? 200 : 10_000];
  const count = run.quick ? 100 : 3_000;
  const open = async (others: number) => {
    const agent = functionDriver(async function* (prompt, { signal }) {
      yield 'begun';
      if (prompt === 'hold') {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
    });
    const box = createSignalbox({ store: openMemoryStore(), agent, limits: { maxAgents: 20_000 } });
    await box.ready;
    const send = async (session: string, prompt: string): Promise<string> => {
      const answer = await box.submit({ session, prompt, whenBusy: 'enqueue' });
      if (answer.kind !== 'accepted') {
        throw new Error(answer.code);
      }
      return answer.task;
    };
    for (let at = 0; at < others; at += 1) {
      await send(`bench:other-${at}`, 'hold');
      await send(`bench:other-${at}`, 'wait');
    }
    return {
      round: () =>
        each(count, async () => {
          for (let at = 0; at < count; at += 1) {
            await box.result(await send('bench:one', 'now'));
          }
        }),
      [Symbol.asyncDispose]: () => box.close({ graceMs: 0 }),
    };
  };
  await using limit = await open(few);
  await using ours = await open(many);
  const pairs = await inTurns(run, { limit: limit.round, ours: ours.round });
  return compared(pairs, { measure: `a task, ${many} other live sessions to ${few}`, unit: 'ns', goal: flat });
}

function running(): Session {
  const first = step(newSession(sessionKey('bench:growth'), limits), submitted('first', 'interactive')).session;
  const up = step(first, agentReady(first)).session;
  return step(up, turnStarted(up)).session;
}

async function stepOnLongTape(run: Run): Promise<Figure> {
  const [short, long] = [10, run.quick ? 10_000 : 1_000_000];
  const count = run.quick ? 1_000 : 300_000;
  const grown = (events: number): Session => {
    let session = running();
    const chunk = output(session);
    for (let at = 0; at < events; at += 1) {
      session = step(session, chunk).session;
    }
    return session;
  };
  const work = (start: Session) => () =>
    each(count, () => {
      let session = start;
      const chunk = output(session);
      for (let at = 0; at < count; at += 1) {
        session = step(session, chunk).session;
      }
    });
  const pairs = await inTurns(run, { limit: work(grown(short)), ours: work(grown(long)) });
  return compared(pairs, { measure: `a step, tape of ${long} events to ${short}`, unit: 'ns', goal: flat });
}

/** The same through the store: commits of 64 events to one tape. */
async function appendToLongTape(run: Run): Promise<Figure> {
  const [short, long] = [10, run.quick ? 5_000 : 1_000_000];
  const count = run.quick ? 640 : 19_200;
  using folder = temporaryFolder();
  const part = { kind: 'text', text: 'a chunk of text as an agent streams it' } as const;
  const event = { type: 'output', data: { turn: turnId(1), part } } as const;
  const open = (events: number) => {
    const store = openSqliteStore({ path: join(folder.path, `tape-${events}.db`), durability: 'process' });
    const key = sessionKey('bench:growth');
    const { lease } = store.claim(key);
    const { records } = step(newSession(key, limits), submitted('first', 'interactive'));
    store.commit([{ session: key, lease, records }]);
    let seq = records.filter((record) => record.type === 'event' && record.task === 'first').length;
    const append = (chunk: number): void => {
      const made = Array.from({ length: chunk }, () => ({
        type: 'event' as const,
        at: 1,
        task: taskId('first'),
        seq: (seq += 1),
        event,
      }));
      store.commit([{ session: key, lease, records: made }]);
    };
    for (let at = 0; at < events; at += 2_000) {
      append(Math.min(2_000, events - at));
    }
    const round = () =>
      each(count, () => {
        for (let at = 0; at < count; at += 64) {
          append(64);
        }
      });
    return { round, [Symbol.dispose]: () => store.close() };
  };
  run.say('writing the tapes');
  using limit = open(short);
  using ours = open(long);
  const pairs = await inTurns(run, { limit: limit.round, ours: ours.round });
  return compared(pairs, { measure: `an append, tape of ${long} events to ${short}`, unit: 'ns', goal: flat });
}

/** A submit and its cancel, in a session where so many wait: the one operation that must find its place among them. */
async function stepOnLongQueue(run: Run): Promise<Figure> {
  const [short, long] = [10, run.quick ? 2_000 : 100_000];
  const count = run.quick ? 1_000 : 50_000;
  const grown = (waiting: number): Session => {
    let session = running();
    for (let at = 0; at < waiting; at += 1) {
      session = step(session, submitted(`waits-${at}`, 'interactive')).session;
    }
    return session;
  };
  const work = (start: Session) => () =>
    each(count * 2, () => {
      let session = start;
      for (let at = 0; at < count; at += 1) {
        const id = `new-${at}`;
        session = step(session, submitted(id, 'interactive')).session;
        session = step(session, { type: 'cancel', at: 1, task: taskId(id), reason: 'cancelled', by: null }).session;
      }
    });
  const pairs = await inTurns(run, { limit: work(grown(short)), ours: work(grown(long)) });
  const logarithm = Math.log(long) / Math.log(short);
  return compared(pairs, {
    measure: `a step, ${long} waiting to ${short}`,
    unit: 'ns',
    goal: { of: 'ratio', atMost: logarithm },
    note: 'by the logarithm: the ratio of the two logarithms is the bound',
  });
}
