/** What the demo collects while it runs, for `verify.ts` to judge. */
import type { ReadEvent } from '../../client/index.ts';

export interface Receipt {
  /** `A`, `B`, `C` or `background`. */
  readonly name: string;
  readonly task: string;
}

/** A line of the agent's own log, kept by the agent and not by the daemon. */
export interface AgentLine {
  /** Monotonic nanoseconds; one clock for all processes of the machine. */
  readonly at: string;
  readonly pid: number;
  readonly event: string;
  readonly turn?: number;
}

export interface Evidence {
  /** Everything that was accepted, in the order in which it should be served. */
  readonly receipts: readonly Receipt[];
  /** The receipt that gives way to the others. */
  readonly background: string;
  /** All events of the session, those of its tasks included, in the order of their commits. */
  readonly feed: readonly ReadEvent[];
  /** Each task's own tape as the daemon gives it. */
  readonly tapes: ReadonlyMap<string, readonly ReadEvent[]>;
  /** Status of each task, as the daemon gives it. */
  readonly statuses: ReadonlyMap<string, string>;
  readonly agentLog: readonly AgentLine[];
  /** Processes of the demo that were still there after its end. */
  readonly strays: readonly number[];
}

/** The piece of the answer that an event carries; empty: it carries none. */
export const textOf = (event: ReadEvent): string =>
  event.type === 'output' && event.data.part.kind === 'text' ? event.data.part.text : '';
