/**
 * The store's place among the daemons that work on one database: at most one is alive.
 *
 * Owns: this daemon's row in `nodes`, and the timer of its beats.
 *  membership/1 A daemon joins only when no other is alive. One is dead when its process is gone, which is seen on the same machine alone,
 *               or when a watcher has seen no beat for a whole time-to-live on its own monotonic clock; the statement that declares it
 *               dead checks the beat once more.
 *  membership/2 A claim holds the row of its node, which must be alive; a declaration of death waits for that, or comes first. So
 *               no claim of a dead node follows one of its successor.
 *  membership/3 A daemon that was declared dead, or had no renewal for so long that it may have been, is lost: it writes nothing more, and
 *               its owner is told once, before the time-to-live is over.
 */
import { hostname } from 'node:os';
import { AppError } from '../../core/errors.ts';
import { processSpace, startOf } from '../process.ts';
import { num, text, textOrNull, type Row } from '../row.ts';
import type { Database, Query } from './database.ts';
import type { Statements } from './sql.ts';

export interface MembershipOptions {
  readonly database: Database;
  readonly sql: Statements;
  /** Milliseconds without a beat after which others may take the database over. */
  readonly ttlMs: number;
  /** Whom `store_locked` names to others. */
  readonly pid: number;
  /** Called once (membership/3). */
  readonly onLost: (error: AppError) => void;
  /** Called when the start has to wait for another daemon to be seen dead, with whom. */
  readonly onWait: (other: string) => void;
  readonly clock: MembershipClock;
}

/** Milliseconds. `timer` gives what stops it. */
export interface MembershipClock {
  now(): number;
  timer(ms: number, run: () => void): () => void;
}

/** Parts of the time-to-live: between two beats, without one until the daemon gives up, between two looks at another. */
const renewPart = 1 / 6;
const givesUpPart = 3 / 4;
const lookPart = 1 / 24;

export interface Other {
  readonly inc: number;
  readonly beat: number;
  readonly name: string;
  readonly gone: boolean;
  /** Its time-to-live; null where it has not said it. */
  readonly ttlMs: number | null;
}

/** The daemon as what it claims and commits. */
export interface Member {
  readonly inc: number;
  /** What stands in the rows of its sessions: its number where nodes share the schema, else nothing. */
  readonly owner: number | null;
  /** Throws what ended it, when it is lost. */
  check(): void;
  /** A statement of ours found that this node is not alive. */
  declaredDead(): AppError;
}

export class Membership implements Member {
  readonly inc: number;
  readonly owner = null;
  readonly #options: MembershipOptions;
  /** When the last beat that was answered was sent. */
  #renewedAt: number;
  /** When the next one is to be sent. */
  #dueAt = 0;
  #stop: () => void = () => {};
  #lost: AppError | null = null;
  #left = false;

  private constructor(options: MembershipOptions, inc: number, at: number) {
    this.#options = options;
    this.inc = inc;
    this.#renewedAt = at;
    this.#arm();
  }

  /** Throws `store_locked` where another daemon is alive. A dead one is waited for. */
  static async join(options: MembershipOptions): Promise<Membership> {
    const { database, sql, clock, ttlMs, pid } = options;
    const seen = new Map<number, { readonly beat: number; readonly since: number }>();
    let told = false;
    for (;;) {
      const at = clock.now();
      const inc = await database.transaction((query) => enter(query, sql, pid));
      if (typeof inc === 'number') {
        return new Membership(options, inc, at);
      }
      for (const other of inc) {
        const before = seen.get(other.inc);
        if (before !== undefined && before.beat !== other.beat) {
          throw locked(other);
        }
        const since = before?.since ?? clock.now();
        seen.set(other.inc, { beat: other.beat, since });
        const silent = clock.now() - since;
        if (other.gone || silent >= Math.max(ttlMs, other.ttlMs ?? 0)) {
          await database.transaction((query) => bury(query, sql, other));
        } else if (!told) {
          told = true;
          options.onWait(other.name);
        }
      }
      if (!inc.every(({ gone }) => gone)) {
        await new Promise<void>((resolve) => {
          clock.timer(ttlMs * lookPart, resolve);
        });
      }
    }
  }

  check(): void {
    if (this.#lost !== null) {
      throw this.#lost;
    }
  }

  declaredDead(): AppError {
    return this.#lose('another daemon has taken the database over');
  }

  async leave(): Promise<void> {
    this.#left = true;
    this.#stop();
    if (this.#lost === null) {
      await this.#options.database.write(this.#options.sql.leave, [this.inc]);
    }
  }

  #arm(): void {
    const { clock, ttlMs } = this.#options;
    this.#dueAt = clock.now() + ttlMs * renewPart;
    this.#stop = clock.timer(ttlMs * renewPart, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { database, sql, clock, ttlMs } = this.#options;
    const sent = clock.now();
    const givesUpMs = ttlMs * givesUpPart;
    if (sent - this.#dueAt > ttlMs * renewPart) {
      // The process itself stood still. The database knows whether that was too long: it gets the time of two beats to say so.
      this.#renewedAt = Math.max(this.#renewedAt, sent - givesUpMs + 2 * ttlMs * renewPart);
    }
    if (sent - this.#renewedAt >= givesUpMs) {
      this.#lose('the database has not answered for so long that another daemon may have taken it over');
      return;
    }
    // A renewal that does not come back must not keep the deadline from being seen.
    this.#arm();
    try {
      const rows = await database.beat(sql.beat, [this.inc]);
      if (rows.length === 0) {
        this.declaredDead();
      } else {
        this.#renewedAt = Math.max(this.#renewedAt, sent);
      }
    } catch {
      // The next one comes; the deadline stands.
    }
  }

  #lose(why: string): AppError {
    if (this.#lost !== null) {
      return this.#lost;
    }
    this.#stop();
    const lost = new AppError({ code: 'store_lost', message: why });
    this.#lost = lost;
    if (!this.#left) {
      this.#options.onLost(lost);
    }
    return lost;
  }
}

/** Joins, or gives those that are alive. One transaction at a time does so. */
async function enter(query: Query, sql: Statements, pid: number): Promise<number | readonly Other[]> {
  await query(sql.lockNodes);
  const others = await query(sql.aliveNodes);
  if (others.length > 0) {
    return others.map(otherOf);
  }
  const { pid: own } = process;
  const [made] = await query(sql.join, [hostname(), pid, own, processSpace(), startOf(own)]);
  return num(made ?? {}, 'inc');
}

export async function bury(query: Query, sql: Statements, { inc, beat }: Other): Promise<void> {
  await query(sql.lockNodes);
  await query(sql.buryNode, [inc, beat]);
}

export function otherOf(row: Row): Other {
  const [pid, host] = [num(row, 'pid'), text(row, 'host')];
  const [space, started] = [textOrNull(row, 'space'), textOrNull(row, 'started')];
  const near = space !== null && started !== null && started !== '' && space === processSpace();
  return {
    inc: num(row, 'inc'),
    beat: num(row, 'beat'),
    name: `the daemon with pid ${pid} on ${host}`,
    gone: near && startOf(num(row, 'process')) !== started,
    ttlMs: row['ttl_ms'] === null ? null : num(row, 'ttl_ms'),
  };
}

const locked = ({ name }: Other): AppError =>
  new AppError({ code: 'store_locked', message: `${name} works on this database` });
