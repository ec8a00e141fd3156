/**
 * What the holders of external tasks have asked: the text of each open call, and the last answer. Owned by one runtime.
 *
 *  holders/1 Nothing is decided here: whether a call is open, answered or stale says the core. What is lost with the memory, a holder says
 *            again, and the tape has its answer. Only that an open call is still open is known here, until its answer or the end of its run.
 *  holders/2 The first text of a call stands, however often the call is asked.
 *  holders/3 One call of a run is kept: with the next one it is forgotten, and with the end of the run.
 */
import type { Epoch, SessionKey, TaskId } from '../../core/model/ids.ts';
import type { Effect } from '../../core/model/effects.ts';
import type { TurnAnswer } from '../api.ts';

interface Kept {
  readonly run: Epoch;
  readonly call: number;
  readonly text: string;
  answer: TurnAnswer | null;
  /** The core has taken it, and it was not over since. */
  open: OpenCall | null;
}

interface OpenCall {
  readonly session: SessionKey;
  readonly leaseMs: number;
}

export class Holders {
  readonly #calls = new Map<TaskId, Kept>();

  #kept(task: TaskId, run: Epoch, call: number): Kept | null {
    const kept = this.#calls.get(task);
    return kept !== undefined && kept.run === run && kept.call === call ? kept : null;
  }

  /** Before the core is asked: its prompt may be written in the same pass. The returned function takes it back. */
  offer(task: TaskId, run: Epoch, call: number, text: string): () => void {
    const before = this.#calls.get(task);
    if (this.#kept(task, run, call) !== null) {
      return () => {};
    }
    const kept: Kept = { run, call, text, answer: null, open: null };
    this.#calls.set(task, kept);
    return () => {
      if (this.#calls.get(task) !== kept) {
        return;
      }
      if (before === undefined) {
        this.#calls.delete(task);
      } else {
        this.#calls.set(task, before);
      }
    };
  }

  /** The core has taken the call. An answer may have come before this. */
  taken(task: TaskId, run: Epoch, call: number, open: OpenCall): void {
    const kept = this.#kept(task, run, call);
    if (kept !== null && kept.answer === null) {
      kept.open = open;
    }
  }

  /** A call that is known to be open need not be asked again with each piece of output. */
  openCall(task: TaskId, run: Epoch, call: number): OpenCall | null {
    return this.#kept(task, run, call)?.open ?? null;
  }

  textOf(task: TaskId, call: number): string | null {
    const kept = this.#calls.get(task);
    return kept !== undefined && kept.call === call ? kept.text : null;
  }

  answerOf(task: TaskId, run: Epoch, call: number): TurnAnswer | null {
    return this.#kept(task, run, call)?.answer ?? null;
  }

  settle({ task, run, call, outcome, report }: Extract<Effect, { type: 'settle' }>): void {
    const kept = this.#kept(task, run, call);
    if (kept !== null) {
      kept.answer = { ...(report ?? { text: '' }), outcome };
      kept.open = null;
    }
  }

  /** The run is over. */
  forget(task: TaskId, run: Epoch): void {
    if (this.#calls.get(task)?.run === run) {
      this.#calls.delete(task);
    }
  }
}
