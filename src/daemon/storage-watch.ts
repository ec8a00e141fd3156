/**
 * Watches whether the database can be written, and keeps the log readable while it cannot.
 *
 * Owned by the daemon. Owns: one timer, and the state of the outage.
 *  storage-watch/1 `problem` is set within `lookMs` after the file was removed or changed, and at the first write that fails; it
 *                  is cleared by a write that succeeds.
 *  storage-watch/2 The log has each error once in an outage, and one line at its end with the count of all.
 */
import { AppError } from '../core/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../server/options.ts';
import type { SqliteStore } from '../store/sqlite/store.ts';

const lookMs = 250;
const outageCodes: ReadonlySet<string> = new Set(['store_failed', 'store_replaced', 'store_damaged']);

export interface StorageWatchParts {
  readonly store: Pick<SqliteStore, 'probe'>;
  readonly log: Logger;
  readonly clock: Clock;
}

export class StorageWatch {
  readonly #parts: StorageWatchParts;
  #problem: AppError | null = null;
  #failures = 0;
  readonly #said = new Set<string>();
  #cancel: () => void;

  constructor(parts: StorageWatchParts) {
    this.#parts = parts;
    this.#cancel = this.#later();
  }

  /** Why nothing can be stored now. */
  get problem(): AppError | null {
    return this.#problem;
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
    this.#cancel();
  }

  #later(): () => void {
    return this.#parts.clock.timer(lookMs, () => {
      this.#look();
      this.#cancel = this.#later();
    });
  }

  #look(): void {
    try {
      this.#parts.store.probe(this.#problem !== null);
    } catch (error) {
      if (!this.took(error)) {
        this.#parts.log.error({ err: error }, 'the database could not be looked at');
      }
      return;
    }
    if (this.#problem !== null) {
      this.#parts.log.warn({ failures: this.#failures }, 'the database can be written again');
      this.#problem = null;
      this.#failures = 0;
      this.#said.clear();
    }
  }
}
