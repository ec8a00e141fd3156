/**
 * How many open tasks there may be: of one source, and in all. So neither a source nor a session can fill the daemon; the bound
 * of a session is the core's (`limits.maxOpen`).
 *
 * Owned by one runtime. The registry says which sessions are open, the committer what was committed, the admission what is under way.
 * Everything it knows follows from the store: at a start the sessions with open tasks are opened before any submit is looked at.
 *
 *  shares/1 A task counts from the moment at which its admission begins until its end is committed. A merged task counts like any other.
 *  shares/2 What is refused, or fails, counts no longer. What is committed counts until its `end` record is, whoever ended it.
 *  shares/3 The last tenth of the places, of a source and in all, is for interactive tasks.
 *  shares/4 One submit costs the same whatever the number of open tasks.
 */
import type { SessionKey, TaskId } from '../core/model/ids.ts';
import type { Record as StepRecord } from '../core/model/records.ts';
import type { Session } from '../core/model/session.ts';
import type { Lane, Task } from '../core/model/task.ts';
import { treeGet } from '../core/tree.ts';
import type { TaskPayload } from '../store/port.ts';
import type { Full, OpenTasks } from './api.ts';
import type { Clock } from './clock.ts';
import type { RuntimeLimits } from './options.ts';
import { Pace } from './pace.ts';

/** What names a part of a source: `github:acme/app#12` and `github:acme/app@3f2a` are of the source `github:acme/app`. */
const partMark = /[#@]/;

/** The source whose share a task takes. A source that begins with such a mark is its own. */
export function shareOf(source: string): string {
  const at = source.search(partMark);
  return at > 0 ? source.slice(0, at) : source;
}

/** The merge group of a task is its source, a NUL, and JSON, which has none: the admission makes it so. */
const shareOfTask = ({ mergeGroup }: Pick<Task, 'mergeGroup'>): string => {
  const group = mergeGroup ?? '';
  return shareOf(group.slice(0, Math.max(0, group.lastIndexOf('\u0000'))));
};

/** What a step of the session has committed. */
interface Committed {
  readonly before: Session;
  readonly records: readonly StepRecord[];
  readonly payloads: ReadonlyMap<TaskId, TaskPayload>;
}

/** The last tenth of the places is for interactive tasks: a flood of machines must not turn a person away, not even where both are of one source. */
const boundOf = (places: number, lane: Lane): number =>
  lane === 'interactive' ? places : places - Math.floor(places / 10);

/** One count of open tasks, and how fast they end. */
class Tally {
  open = 0;
  readonly pace = new Pace();
}

function tallyOf<K>(tallies: Map<K, Tally>, key: K): Tally {
  const known = tallies.get(key);
  if (known !== undefined) {
    return known;
  }
  const tally = new Tally();
  tallies.set(key, tally);
  return tally;
}

/** The tallies of one session: what is committed, by source. */
interface SessionTally {
  readonly pace: Pace;
  readonly bySource: Map<string, number>;
}

interface SharesParts {
  readonly limits: Pick<RuntimeLimits, 'maxOpen' | 'maxOpenTasks' | 'maxOpenPerSource'>;
  readonly clock: Pick<Clock, 'now'>;
}

export class Shares {
  readonly #parts: SharesParts;
  readonly #all = new Tally();
  readonly #bySource = new Map<string, Tally>();
  /** Those that have open tasks. A session that is opened again is counted anew. */
  readonly #sessions = new Map<SessionKey, SessionTally>();

  constructor(parts: SharesParts) {
    this.#parts = parts;
  }

  /** Takes a place for a submit that begins, to be given back by the returned function. Or says what is full. */
  take(source: string, lane: Lane): (() => void) | Full {
    const { limits, clock } = this.#parts;
    const share = shareOf(source);
    const own = this.#bySource.get(share);
    const sourceLimit = boundOf(limits.maxOpenPerSource, lane);
    if (own !== undefined && own.open >= sourceLimit) {
      const retryAfterMs = own.pace.nextMs(clock.now());
      return { what: 'source', name: share, open: own.open, limit: sourceLimit, retryAfterMs };
    }
    const { open, pace } = this.#all;
    const limit = boundOf(limits.maxOpenTasks, lane);
    if (open >= limit) {
      return { what: 'daemon', name: null, open, limit, retryAfterMs: pace.nextMs(clock.now()) };
    }
    this.#add(share, 1);
    let taken = true;
    return () => {
      if (taken) {
        taken = false;
        this.#add(share, -1);
      }
    };
  }

  /** For a submit that the session itself has refused as full. */
  full(session: SessionKey): Full {
    const { limits, clock } = this.#parts;
    const pace = this.#sessions.get(session)?.pace ?? new Pace();
    const retryAfterMs = pace.nextMs(clock.now());
    return { what: 'session', name: session, open: limits.maxOpen, limit: limits.maxOpen, retryAfterMs };
  }

  /** The session was loaded, with these open tasks. */
  opened(session: SessionKey, open: readonly Pick<Task, 'mergeGroup'>[]): void {
    this.forget(session);
    for (const task of open) {
      this.#admitted(session, shareOfTask(task));
    }
  }

  /** The session is no longer in memory: nothing of it is open, or it is opened again, here or by another daemon. */
  forget(session: SessionKey): void {
    for (const [share, count] of this.#sessions.get(session)?.bySource ?? []) {
      this.#add(share, -count);
    }
    this.#sessions.delete(session);
  }

  committed(session: SessionKey, { before, records, payloads }: Committed): void {
    for (const record of records) {
      if (record.type === 'admit') {
        this.#admitted(session, shareOfTask(record.task));
      } else if (record.type === 'end') {
        const source = payloads.get(record.task)?.source;
        const task = treeGet(before.tasks, record.task);
        this.#ended(session, source !== undefined ? shareOf(source) : task !== undefined ? shareOfTask(task) : '');
      }
    }
  }

  #admitted(session: SessionKey, share: string): void {
    let tally = this.#sessions.get(session);
    if (tally === undefined) {
      tally = { pace: new Pace(), bySource: new Map() };
      this.#sessions.set(session, tally);
    }
    tally.bySource.set(share, (tally.bySource.get(share) ?? 0) + 1);
    this.#add(share, 1);
  }

  #ended(session: SessionKey, share: string): void {
    const tally = this.#sessions.get(session);
    const count = tally?.bySource.get(share) ?? 0;
    if (tally === undefined || count === 0) {
      return;
    }
    const now = this.#parts.clock.now();
    for (const { pace } of [tally, tallyOf(this.#bySource, share), this.#all]) {
      pace.ended(now);
    }
    if (count > 1) {
      tally.bySource.set(share, count - 1);
    } else {
      tally.bySource.delete(share);
    }
    if (tally.bySource.size === 0) {
      this.#sessions.delete(session);
    }
    this.#add(share, -1);
  }

  #add(share: string, by: number): void {
    const tally = tallyOf(this.#bySource, share);
    tally.open += by;
    this.#all.open += by;
    if (tally.open === 0) {
      this.#bySource.delete(share);
    }
  }

  /** The largest sources first, so many of them. */
  view(sources: number): OpenTasks {
    const { maxOpenTasks, maxOpenPerSource } = this.#parts.limits;
    const largest = [...this.#bySource]
      .map(([source, { open }]) => ({ source, open }))
      .toSorted((a, b) => b.open - a.open || (a.source < b.source ? -1 : 1));
    return {
      open: this.#all.open,
      limit: maxOpenTasks,
      sourceLimit: maxOpenPerSource,
      sources: largest.slice(0, sources),
    };
  }
}
