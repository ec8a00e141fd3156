/** What the demo collects while it runs, for `verify.ts` to judge. */

export interface SeenEvent {
  readonly session: string;
  /** Null: the session's own tape. */
  readonly task: string | null;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly data: unknown;
}

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
  readonly feed: readonly SeenEvent[];
  /** Each task's own tape as the daemon gives it. */
  readonly tapes: ReadonlyMap<string, readonly SeenEvent[]>;
  /** Status of each task, as the daemon gives it. */
  readonly statuses: ReadonlyMap<string, string>;
  readonly agentLog: readonly AgentLine[];
  /** Processes of the demo that were still there after its end. */
  readonly strays: readonly number[];
}

/** A member of an event's data, where it is an object that has it. */
export function field(event: SeenEvent, name: string): unknown {
  const { data } = event;
  return typeof data === 'object' && data !== null && name in data
    ? (data as { readonly [name: string]: unknown })[name]
    : undefined;
}

/** Name of the actor that an event's `by` names. */
export function actorName(event: SeenEvent): unknown {
  const by = field(event, 'by');
  return typeof by === 'object' && by !== null && 'name' in by ? by.name : undefined;
}

/** The piece of the answer that an `output` event carries; empty: it carries something else. */
export function outputText(event: SeenEvent): string {
  const part = field(event, 'part');
  return typeof part === 'object' && part !== null && 'text' in part ? String(part.text) : '';
}
