/**
 * Watches whether the database can be written, and keeps the log readable while it cannot.
 *
 * Owned by the daemon. Owns: its timers, and the state of the outage.
 *  storage-watch/1 `problem` is set within `lookMs` after the file was removed or changed, within `lookMs` and `answerMs` after a
 *                  server was lost, and at the first write that fails; it is cleared by a write that succeeds.
 *  storage-watch/2 The log has each error once in an outage, and one line at its end with the count of all.
 *  storage-watch/3 One look is under way at a time.
 */
import { AppError } from '../core/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../server/options.ts';
import type { MaybePromise } from '../store/maybe-promise.ts';
import type { StoreHealth } from '../store/port.ts';

const lookMs = 250;
/** A server that takes longer is not of use at the moment. */
const answerMs = 600;
const outageCodes: ReadonlySet<string> = new Set([
  'store_failed',
  'store_replaced',
  'store_damaged',
  'store_unreachable',
  'store_lost',
]);
/** The feed of all sessions is told to be late when it is later than this, and again when it is ten times as late. */
const lagMs = 10_000;

export interface StorageWatchParts {
  /** Throws why the store cannot be written. `write`: it has to be tried. */
  readonly store: { probe(write: boolean): MaybePromise<StoreHealth | void> };
  readonly log: Logger;
  readonly clock: Clock;
}

export class StorageWatch {
  readonly #parts: StorageWatchParts;
  #problem: AppError | null = null;
  #health: StoreHealth | null = null;
  #failures = 0;
  readonly #said = new Set<string>();
  #lagSaid = lagMs;
  #closed = false;
  #cancel: () => void = () => {};

  constructor(parts: StorageWatchParts) {
    this.#parts = parts;
  }

  /** Looks once, then again and again. */
  async start(): Promise<void> {
    await this.#look();
    this.#cancel = this.#closed ? () => {} : this.#later();
  }

  /** Why nothing can be stored now. */
  get problem(): AppError | null {
    return this.#problem;
  }

  /** As the last look found it; null for a store without a server, and before the first look. */
  get health(): StoreHealth | null {
    return this.#health;
  }

  /** Whether the error says that the database cannot be written. It is counted and logged here then. */
  took(error: unknown): boolean {
    if (!(error instanceof AppError) || !outageCodes.has(error.code)) {
      return false;
    }
    this.#problem = error;
    this.#failures += 1;
    if (!this.#said.has(error.message)) {
      this.#said.add(error.message);
      const { code, hint } = error;
      this.#parts.log.error(
        { code, reason: error.message, hint },
        'the database cannot be written: nothing is accepted',
      );
    }
    return true;
  }

  /** The log without the repetitions of an outage. */
  get log(): Logger {
    const { log } = this.#parts;
    return {
      ...log,
      error: (fields, message) => {
        if (!('err' in fields && this.took(fields.err))) {
          log.error(fields, message);
        }
      },
    };
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #later(): () => void {
    return this.#parts.clock.timer(lookMs, () => void this.#lookAgain());
  }

  async #lookAgain(): Promise<void> {
    const message = `the database has not answered for ${answerMs} ms`;
    this.#cancel = this.#parts.clock.timer(answerMs, () => {
      this.took(new AppError({ code: 'store_unreachable', message }));
    });
    await this.#look();
    this.#cancel();
    if (!this.#closed) {
      this.#cancel = this.#later();
    }
  }

  async #look(): Promise<void> {
    const { store, log } = this.#parts;
    // What fails in the meantime is not refuted by this look.
    const write = this.#problem !== null;
    try {
      this.#health = (await store.probe(write)) ?? null;
    } catch (error) {
      if (!this.#closed && !this.took(error)) {
        log.error({ err: error }, 'the database could not be looked at');
      }
      return;
    }
    this.#heedLag();
    if (write) {
      log.warn({ failures: this.#failures }, 'the database can be written again');
      this.#problem = null;
      this.#failures = 0;
      this.#said.clear();
    }
  }

  #heedLag(): void {
    const { feedLagMs = 0 } = this.#health ?? {};
    if (feedLagMs > this.#lagSaid) {
      this.#lagSaid *= 10;
      const effect = 'the feed of all sessions waits for a transaction that is open on the database server';
      this.#parts.log.warn({ feedLagMs: Math.round(feedLagMs) }, effect);
    } else if (feedLagMs < lagMs) {
      this.#lagSaid = lagMs;
    }
  }
}
