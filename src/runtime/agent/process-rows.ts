/**
 * The rows by which a later daemon finds the agent processes that this one leaves behind.
 *
 * Owned by the registry. Called by the agent hosts.
 *  process-rows/1 The row of a process is removed after it was written: a store that answers late may take two calls under way
 *                 in any order.
 *  process-rows/2 What the store throws is reported and ends nothing here.
 */
import type { ProcessRow } from '../../store/port.ts';
import type { Context } from '../options.ts';

export type ProcessId = Pick<ProcessRow, 'pid' | 'startTime'>;

const nameOf = ({ pid, startTime }: ProcessId): string => `${pid} ${startTime}`;

export class ProcessRows {
  readonly #context: Pick<Context, 'store' | 'onError'>;
  /** Writes that the store has not answered, by process. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(context: Pick<Context, 'store' | 'onError'>) {
    this.#context = context;
  }

  /** Null: the store answered at once. Else resolves when it has answered. `failed` is called before, where it took no row. */
  record(row: ProcessRow, failed: () => void): Promise<void> | null {
    const written = this.#write('record process', () => this.#context.store.recordProcess(row), failed);
    this.#track(row, written);
    return written;
  }

  /** The process is gone. */
  forget(process: ProcessId): void {
    const forget = (): Promise<void> | null =>
      this.#write('forget process', () => this.#context.store.forgetProcess(process.pid, process.startTime));
    const before = this.#underWay.get(nameOf(process));
    this.#track(process, before === undefined ? forget() : before.then(async () => (await forget()) ?? undefined));
  }

  /** Resolves when the store has answered every write so far. */
  async written(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  #track(process: ProcessId, write: Promise<void> | null): void {
    if (write === null) {
      return;
    }
    const name = nameOf(process);
    const over = write.then(() => {
      if (this.#underWay.get(name) === over) {
        this.#underWay.delete(name);
      }
    });
    this.#underWay.set(name, over);
  }

  #write(where: string, write: () => void | Promise<void>, failed: () => void = () => {}): Promise<void> | null {
    const report = (error: unknown): void => {
      this.#context.onError(error, where);
      failed();
    };
    try {
      const done = write();
      if (done instanceof Promise) {
        return done.catch(report);
      }
    } catch (error) {
      report(error);
    }
    return null;
  }
}
