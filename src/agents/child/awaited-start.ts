/**
 * A program that was started and has not said yet that it is ready: a named wait with a deadline. When that passes, the
 * program is told of at once with its last words, and ended; `exited` follows with its reason `start_timeout`. The deadline counts the time in
 * which this process ran: while it was stopped, or the machine slept, it read nothing of what the program said.
 */
import type { AgentChild, Timers } from '../../supervise/index.ts';
import { pendingWaits } from '../../supervise/index.ts';
import type { AgentEvent } from '../port.ts';
import { notice } from '../shared/parts.ts';

/** Time that passes while the process stands still counts as one slice at most. */
const sliceMs = 500;

export class AwaitedStart {
  readonly #child: AgentChild;
  readonly #leave: () => void;

  constructor(child: AgentChild, timers: Timers, deadlineMs: number, emit: (event: AgentEvent) => void) {
    this.#child = child;
    const endWait = pendingWaits.add({ owner: child.label, name: 'its word that it is ready', deadlineMs });
    let cancel = (): void => {};
    const wait = (leftMs: number): void => {
      const ms = Math.min(leftMs, sliceMs);
      cancel = timers.set(ms, () => (leftMs > ms ? wait(leftMs - ms) : late()));
    };
    const late = (): void => {
      endWait();
      const part = notice('not-ready', `not ready within ${deadlineMs} ms`, { stderr: child.stderrTail() });
      emit({ type: 'output', turn: null, part });
      child.kill('start_timeout');
    };
    wait(deadlineMs);
    this.#leave = () => {
      endWait();
      cancel();
    };
  }

  /** It is ready. */
  ready(): void {
    this.#leave();
    this.#child.ready();
  }

  /** It has ended first. */
  over(): void {
    this.#leave();
  }
}
