/** The two stores are twins: whatever they are given, right or wrong, they answer the same and then hold the same. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { sessionKey, taskId, type SessionKey } from '../../src/core/model/ids.ts';
import type { Record as CoreRecord } from '../../src/core/model/records.ts';
import {
  admit,
  end,
  ownEvent,
  parkedBy,
  payload,
  sessionRecord,
  taskEvent,
  progress,
  taskRow,
  time,
} from '../../src/testing/store/records.ts';
import type { SessionCommit, StoredSession } from '../../src/store/port.ts';
import { memoryHarness, sqliteHarness } from './harness.ts';
import { ownedOf } from '../../src/store/errors.ts';
import type { SyncStore } from './race.ts';

const sessions = ['a', 'b', 'c'].map(sessionKey);
/** `a1` is session a's, admitted at the start; `a2` is whoever's admits it first. */
const tasks = ['a1', 'a2', 'b1', 'b2', 'c1', 'c2'];

/** A record whose session, task and number are filled in when it is committed: mostly rightly. */
type Draft = (session: SessionKey, seqOf: (task: string | null) => number) => CoreRecord;
interface Part {
  readonly session: SessionKey;
  readonly stale: boolean;
  readonly drafts: readonly Draft[];
}
type Act = { readonly claim: SessionKey } | { readonly commit: readonly Part[] } | 'reopen';

const rarely = (odd: string, usual: string, once: number) => fc.nat(once).map((n) => (n === 0 ? odd : usual));
/** Given a session, the name of a task: mostly its own first one. */
const named = fc.tuple(rarely('2', '1', 3), rarely('b', '', 15)).map(
  ([number, foreign]) =>
    (session: SessionKey) =>
      `${foreign === '' ? session : foreign}${number}`,
);
const step = fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2);

const admits = fc
  .tuple(
    named,
    fc.constantFrom(null, null, null, 'k1', 'k2'),
    fc.constantFrom('interactive', 'background'),
    fc.constantFrom('api', 'api', 'chat'),
  )
  .map(
    ([name, idempotencyKey, lane, source]): Draft =>
      (session) =>
        admit(name(session), { idempotencyKey, source }, { lane }),
  );
const events = fc.tuple(named, step, fc.jsonValue()).map(([name, by, data]): Draft => (session, seqOf) => {
  return taskEvent(name(session), seqOf(name(session)) + by, progress(data));
});
const ends = fc.tuple(named, step, fc.constantFrom('completed', 'failed', 'cancelled')).map(
  ([name, by, status]): Draft =>
    (session, seqOf) =>
      end(name(session), seqOf(name(session)) + by, status),
);
const rows = fc
  .tuple(named, fc.constantFrom('queued', 'running', 'running', 'running'), fc.nat(9))
  .map(([name, status, ord]): Draft => (session) => {
    return { type: 'task', at: time, task: taskRow(taskId(name(session)), { status, position: ord }) };
  });
const payloads = fc.tuple(named, fc.string()).map(([name, prompt]): Draft => (session) => {
  return { type: 'payload', at: time, task: taskId(name(session)), payload: payload({ prompt }) };
});
const own = step.map(
  (by): Draft =>
    (_, seqOf) =>
      ownEvent(seqOf(null) + by),
);
const ofSession = fc.constantFrom(null, parkedBy('by hand')).map(
  (parked): Draft =>
    (session) =>
      sessionRecord(session, { parked }),
);

const draft: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 2, arbitrary: admits },
  { weight: 12, arbitrary: events },
  { weight: 2, arbitrary: ends },
  { weight: 3, arbitrary: rows },
  { weight: 1, arbitrary: payloads },
  { weight: 3, arbitrary: own },
  { weight: 2, arbitrary: ofSession },
);
const part: fc.Arbitrary<Part> = fc.record({
  session: fc.constantFrom(...sessions),
  stale: fc.nat(9).map((n) => n === 0),
  drafts: fc.array(draft, { maxLength: 4 }),
});
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...sessions).map((claim): Act => ({ claim })) },
  { weight: 1, arbitrary: fc.constant<Act>('reopen') },
  { weight: 30, arbitrary: fc.array(part, { minLength: 1, maxLength: 2 }).map((commit): Act => ({ commit })) },
);

/** All that can be read. */
function everything(store: SyncStore): unknown {
  const feed = store.feed(null, null, 9_999);
  return {
    feed,
    ends: sessions.map((session) => store.feedEnd(session)),
    feeds: sessions.map((session) => feed.map((event) => store.feed(session, event.position, 3))),
    tapes: sessions.map((session) => [null, ...tasks.map(taskId)].map((id) => store.tape(session, id, 0, 99))),
    tasks: store.tasks({}, null, 99),
    open: store.openSessions(null, 99),
    sessions: store.sessions(null, 99),
    keys: ['k1', 'k2'].map((key) => store.taskByIdempotencyKey('api', key)),
    stats: { ...store.stats(), bytes: 0 },
  };
}

/** What `work` returns, or the code and message that it throws. */
function attempt<T>(work: () => T): T | { readonly thrown: readonly [string, string] } {
  try {
    return work();
  } catch (error) {
    if (error instanceof AppError) {
      return { thrown: [error.code, error.message] };
    }
    throw error;
  }
}

class Pair {
  readonly #harnesses = [sqliteHarness(), memoryHarness()] as const;
  readonly #leases = new Map<SessionKey, number>();
  readonly #met: Set<string>;
  #sqlite = this.#harnesses[0].open();
  #memory = this.#harnesses[1].open();

  constructor(met: Set<string>) {
    this.#met = met;
    for (const session of sessions) {
      this.run({ claim: session });
      this.run({ commit: [{ session, stale: false, drafts: [() => admit(`${session}1`)] }] });
    }
  }

  both<T>(work: (store: SyncStore) => T): ReturnType<typeof attempt<T>> {
    const answer = attempt(() => work(this.#memory));
    deepStrictEqual(
      attempt(() => work(this.#sqlite)),
      answer,
    );
    return answer;
  }

  run(next: Act): void {
    if (next === 'reopen') {
      this.#close();
      this.#sqlite = this.#harnesses[0].open();
      this.#memory = this.#harnesses[1].open();
    } else if ('claim' in next) {
      const claimed = this.both((store): StoredSession => ownedOf(store.claim(next.claim), next.claim));
      if ('lease' in claimed) {
        this.#leases.set(next.claim, claimed.lease);
      }
    } else {
      const commits = next.commit.map((one) => this.#filled(one));
      const answer = this.both((store) => store.commit(commits));
      if ('thrown' in answer) {
        this.#met.add(answer.thrown[0]);
      } else {
        for (const outcome of answer) {
          this.#met.add(outcome.kind);
        }
      }
    }
  }

  #filled({ session, stale, drafts }: Part): SessionCommit {
    const seqs = new Map<string | null, number>();
    const seqOf = (id: string | null): number => seqs.get(id) ?? this.#seq(session, id);
    const records = drafts.map((make) => {
      const record = make(session, seqOf);
      if ('seq' in record) {
        seqs.set(record.task, record.seq);
      }
      return record;
    });
    return { session, lease: (this.#leases.get(session) ?? 0) - (stale ? 1 : 0), records };
  }

  #seq(session: SessionKey, id: string | null): number {
    if (id !== null) {
      return this.#memory.task(taskId(id))?.seq ?? 0;
    }
    return this.#memory.tape(session, null, 0, 9_999).length;
  }

  #close(): void {
    this.#sqlite.close();
    this.#memory.close();
  }

  dispose(): void {
    this.#close();
    for (const harness of this.#harnesses) {
      harness.dispose();
    }
  }
}

describe('the two stores', () => {
  test('give the same answers and hold the same data after any commits, valid or not', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(fc.array(act, { minLength: 20, maxLength: 100 }), (acts) => {
        const pair = new Pair(met);
        try {
          for (const next of acts) {
            pair.run(next);
          }
          pair.both(everything);
        } finally {
          pair.dispose();
        }
      }),
      { numRuns: 40, seed: 7 },
    );
    const kinds = ['committed', 'duplicate', 'fenced', 'status_backward', 'tape_conflict', 'task_conflict'];
    expect([...met].sort()).toEqual(kinds);
  });
});
