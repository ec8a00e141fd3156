/**
 * What the holders of external tasks have asked: the text of each open call, and the last answer. Owned by one runtime.
 *
 *  holders/1 Nothing is decided here: whether a call is open, answered or stale says the core. What is lost with the memory, a holder says
 *            again, and the tape has its answer. Only that an open call is still open is known here, until its answer or the end of its run.
 *  holders/2 The first text of a call stands, however often the call is asked.
 *  holders/3 A call that the core has not taken, of a lost holder too, never stands in for the one that it has.
 *  holders/4 One call of a run is kept: with the next one that the core takes it is forgotten, and with the end of the run.
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
  /** The one that the core has taken, and those that it is being asked about. */
  readonly #calls = new Map<TaskId, readonly Kept[]>();

  #kept(task: TaskId, run: Epoch, call: number): Kept | null {
    return this.#calls.get(task)?.find((kept) => kept.run === run && kept.call === call) ?? null;
  }

  #keep(task: TaskId, calls: readonly Kept[]): void {
    if (calls.length === 0) {
      this.#calls.delete(task);
    } else {
      this.#calls.set(task, calls);
    }
  }

  /** Before the core is asked: its prompt may be written in the same pass. The returned function takes it back. */
  offer(task: TaskId, run: Epoch, call: number, text: string): () => void {
    if (this.#kept(task, run, call) !== null) {
      return () => {};
    }
    const kept: Kept = { run, call, text, answer: null, open: null };
    this.#keep(task, [...(this.#calls.get(task) ?? []), kept]);
    return () => {
      this.#keep(
        task,
        (this.#calls.get(task) ?? []).filter((other) => other !== kept),
      );
    };
  }

  /** The core has taken the call. An answer may have come before this. */
  taken(task: TaskId, run: Epoch, call: number, open: OpenCall): void {
    const kept = this.#kept(task, run, call);
    if (kept === null) {
      return;
    }
    this.#keep(
      task,
      (this.#calls.get(task) ?? []).filter((other) => other === kept || (other.run === run && other.call > call)),
    );
    if (kept.answer === null) {
      kept.open = open;
    }
  }

  /** A call that is known to be open need not be asked again with each piece of output. */
  openCall(task: TaskId, run: Epoch, call: number): OpenCall | null {
    return this.#kept(task, run, call)?.open ?? null;
  }

  /** `run` null: it has ended since, in a step that was committed with the one of the prompt. */
  textOf(task: TaskId, run: Epoch | null, call: number): string | null {
    return (
      this.#calls.get(task)?.find((kept) => kept.call === call && (run === null || kept.run === run))?.text ?? null
    );
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
    this.#keep(
      task,
      (this.#calls.get(task) ?? []).filter((kept) => kept.run !== run),
    );
  }
}
