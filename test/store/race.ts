/**
 * Writers that race for one task. They are as rude as they can be: each reads, loses control, then writes what follows from
 * what it read, and they know of each other through the store alone. In between a commit fails at a fault point, the lease is
 * lost, two writers stand in one group, or the store is closed and opened again.
 */
import { AppError } from '../../src/core/errors.ts';
import type { SessionKey, TaskId } from '../../src/core/model/ids.ts';
import type { TerminalStatus } from '../../src/core/model/task.ts';
import type { Record as CoreRecord } from '../../src/core/model/records.ts';
import { admit, end, running, taskEvent, queuedEvent, grantedEvent } from '../../src/testing/store/records.ts';
import { storeFaultPoints, type MemoryStore, type SqliteStore } from '../../src/store/index.ts';
import { ownedOf } from '../../src/store/errors.ts';
import type { CommitOutcome, SessionCommit } from '../../src/store/port.ts';

export type SyncStore = MemoryStore | SqliteStore;

/** Thrown by the harness's faults at `World.aim`. */
export class Struck extends Error {}

export interface World {
  store: SyncStore;
  /** Where the next commit fails. */
  aim: string | null;
  reopened: number;
  readonly reopen: () => SyncStore;
}

/** What a writer learns of its commit. `again`: it knew too little, or cannot tell whether it was written. */
type Verdict = 'wrote' | 'lost' | 'again';
/** What a writer is in the end. */
export type Result = TerminalStatus | 'lost' | 'progressed';
/** Yields null where it loses control, and its commit where it writes. */
type Writer = Generator<SessionCommit | null, Result, Verdict>;

/** A small seeded generator (mulberry32): the same scenario every time. */
function randomOf(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export class Race {
  readonly #world: World;
  readonly #session: SessionKey;
  readonly #task: TaskId;
  readonly #random: (below: number) => number;
  #lease = 0;

  constructor(world: World, session: SessionKey, task: TaskId, seed: number) {
    this.#world = world;
    this.#session = session;
    this.#task = task;
    this.#random = randomOf(seed);
  }

  /** Admits the task and runs three to five writers in a random order until each of them is done. */
  run(): readonly Result[] {
    this.#claim();
    const task = this.#task;
    const first: CoreRecord[] = [admit(task), taskEvent(task, 1, queuedEvent)];
    if (this.#random(3) > 0) {
      first.push(running(task), taskEvent(task, 2, grantedEvent));
    }
    this.#commit([{ session: this.#session, lease: this.#lease, records: first }]);
    const progress = (): Writer =>
      this.#writer('progressed', (seq) => [running(task), taskEvent(task, seq + 1), taskEvent(task, seq + 2)]);
    const ending = (status: TerminalStatus): Writer => this.#writer(status, (seq) => [end(task, seq + 1, status)]);
    const writers = [progress(), ending('completed'), ending('cancelled'), progress(), ending('failed')];
    return this.#schedule(writers.slice(0, 3 + this.#random(3)));
  }

  #claim(): void {
    this.#lease = ownedOf(this.#world.store.claim(this.#session), this.#session).lease;
  }

  *#writer(won: Result, write: (seq: number) => readonly CoreRecord[]): Writer {
    for (;;) {
      const lease = this.#lease;
      const seq = this.#world.store.task(this.#task)?.seq ?? 0;
      yield null;
      const verdict = yield { session: this.#session, lease, records: write(seq) };
      if (verdict !== 'again') {
        return verdict === 'wrote' ? won : 'lost';
      }
    }
  }

  #schedule(writers: readonly Writer[]): readonly Result[] {
    const results = new Map<Writer, Result>();
    const waiting = new Map<Writer, SessionCommit>();
    const advance = (writer: Writer, verdict: Verdict): void => {
      const step = writer.next(verdict);
      if (step.done === true) {
        results.set(writer, step.value);
      } else if (step.value !== null) {
        waiting.set(writer, step.value);
      }
    };
    while (results.size < writers.length) {
      const left = writers.filter((writer) => !results.has(writer));
      const writer = left[this.#random(left.length)];
      if (writer === undefined) {
        break;
      }
      if (this.#random(10) === 0) {
        this.#upset();
      }
      if (!waiting.has(writer)) {
        advance(writer, 'again');
        continue;
      }
      const group = this.#random(3) === 0 ? [...waiting] : [...waiting].filter(([one]) => one === writer);
      const verdicts = this.#commit(group.map(([, commit]) => commit));
      for (const [index, [one]] of group.entries()) {
        waiting.delete(one);
        advance(one, verdicts[index] ?? 'again');
      }
    }
    return writers.map((writer) => results.get(writer) ?? 'lost');
  }

  #upset(): void {
    const kind = this.#random(8);
    const point = storeFaultPoints[kind];
    if (point !== undefined) {
      this.#world.aim = point;
    } else if (kind < 7) {
      this.#claim();
    } else if (this.#random(6) === 0) {
      this.#world.store = this.#world.reopen();
      this.#world.reopened += 1;
      this.#claim();
    }
  }

  #commit(commits: readonly SessionCommit[]): readonly Verdict[] {
    try {
      return this.#world.store.commit(commits).map(verdictOf);
    } catch (error) {
      if (error instanceof Struck) {
        return commits.map(() => 'again');
      }
      if (!(error instanceof AppError) || error.code !== 'tape_conflict') {
        throw error;
      }
      // A group falls as a whole; each alone, only those fall that knew too little.
      return commits.length === 1 ? ['again'] : commits.flatMap((one) => this.#commit([one]));
    }
  }
}

function verdictOf(outcome: CommitOutcome): Verdict {
  if (outcome.kind !== 'committed') {
    return 'again';
  }
  return outcome.late > 0 ? 'lost' : 'wrote';
}
