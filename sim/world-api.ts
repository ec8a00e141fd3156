/** The world, as those see it who act on its daemon, and who judge what became of it. */
import type { Signalbox } from '../src/runtime/api.ts';
import type { RuntimeLimits } from '../src/runtime/index.ts';
import type { StoredTask } from '../src/store/index.ts';
import type { Daemon } from './daemon.ts';
import type { Readers, ReadersStage } from './readers.ts';

export interface WorldApi extends ReadersStage {
  readonly limits: RuntimeLimits;
  readonly readers: Readers;
  /** All that were opened, in order. */
  readonly daemons: readonly Daemon[];
  /** What is stored of a task; null: nothing, or no daemon is open. */
  stored(id: string): StoredTask | null;
  /** Asks the daemon. `answered` gives what the story says of the answer. */
  call<T>(
    what: string,
    ask: (box: Signalbox) => Promise<T>,
    answered: (answer: T) => string,
    failed?: () => void,
  ): void;
  /** The wall clock jumps by so many ms. */
  jump(by: number): void;
  crash(where: string): void;
  close(graceMs: number): void;
}
