/**
 * The Agent port: what a driver turns its protocol into. One handle is one agent (a process, a thread, a function) of one
 * session; its incarnation number stands in every event. Drivers know nothing of tasks, stores or HTTP.
 *
 * Rules every driver keeps (tested by its contract suite):
 *  A-1 The methods are synchronous and write at once, whole messages only, in the order of the calls; they never throw:
 *      a failed write becomes `exited`.
 *  A-2 `exited` comes exactly once, last, after the process is reaped; also when `start` fails or its deadline passes.
 *  A-3 `started` names a turn at most once; `result` ends it; an event for a turn that is over may come and is the core's to drop.
 *  A-4 `interrupt` is written as soon as it is called; the core calls it only after `started`.
 *  A-5 Malformed or unknown messages become `output` of kind `raw` (bounded), never an exception.
 */
import type { AgentCaps, TurnResult } from '../core/model.ts';
import type { Incarnation, SessionKey, TurnId } from '../core/ids.ts';
import type { OutputKind } from '../core/inputs.ts';

export type AgentEvent =
  | { readonly type: 'ready'; readonly caps: AgentCaps; readonly conversation: string | null; readonly lost: boolean }
  | { readonly type: 'started'; readonly turn: TurnId }
  | { readonly type: 'output'; readonly turn: TurnId | null; readonly kind: OutputKind; readonly data: unknown }
  | { readonly type: 'ack'; readonly turn: TurnId; readonly none: boolean }
  | { readonly type: 'result'; readonly turn: TurnId; readonly result: TurnResult }
  | { readonly type: 'steered'; readonly turn: TurnId; readonly id: string; readonly taken: boolean }
  | { readonly type: 'unsolicited'; readonly phase: 'began' | 'ended'; readonly data: unknown }
  | { readonly type: 'exited'; readonly reason: string; readonly data: unknown };

export interface AgentStart {
  readonly session: SessionKey;
  readonly incarnation: Incarnation;
  /** The agent's own conversation id to resume, or null for a fresh one. */
  readonly conversation: string | null;
  /** Called in order, never re-entrantly from within a method of the handle. */
  readonly emit: (event: AgentEvent) => void;
  /** Called once with the process's identity as soon as it is spawned, before anything is written to it; processes only. */
  readonly onProcess: (process: { readonly pid: number; readonly startTime: string; readonly cookie: string }) => void;
}

export interface AgentHandle {
  prompt(turn: TurnId, text: string, options: { readonly rewind: TurnId | null }): void;
  interrupt(turn: TurnId): void;
  steer(turn: TurnId, id: string, text: string): void;
  /** Let an agent at rest leave by itself, then the kill ladder. */
  close(): void;
  /** The kill ladder at once: the whole group, reaped. */
  kill(): void;
}

export interface AgentDriver {
  readonly name: string;
  start(options: AgentStart): AgentHandle;
}
