/**
 * The agent protocol on the wire: newline-delimited JSON over stdio, described for authors of agents in
 * docs/agent-protocol.md. These are the shapes; `parse.ts` expects none of them to be kept.
 */
import type { Cost, OutputPart, Usage } from '../../core/model/output.ts';
import type { TurnResult } from '../../core/model/session.ts';
import type { ActionKind } from '../../core/model/permission.ts';
import type { FailureClass } from '../failures.ts';

/** Counts incompatible changes. A reader ignores additions that it does not know. */
export const protocolVersion = 1;

/** Daemon to agent. */
export type ToAgent =
  | {
      readonly type: 'start';
      readonly protocol: typeof protocolVersion;
      readonly session: string;
      readonly incarnation: number;
      readonly conversation: string | null;
      readonly model: string | null;
      readonly folder: string | null;
    }
  | { readonly type: 'prompt'; readonly turn: number; readonly text: string; readonly rewind?: number }
  | { readonly type: 'interrupt'; readonly turn: number }
  | { readonly type: 'steer'; readonly turn: number; readonly id: string; readonly text: string }
  /** `withdrawn`: not decided, because the turn is interrupted or over. `note`: for the model, with a denial. */
  | {
      readonly type: 'permission-resolved';
      readonly turn: number;
      readonly request: string;
      readonly decision: 'allow' | 'deny' | 'withdrawn';
      readonly note: string | null;
    }
  | { readonly type: 'model'; readonly model: string | null }
  | { readonly type: 'close' };

/** A request to the model that failed. */
export interface WireFailure {
  readonly class: FailureClass;
  readonly retryAfterMs?: number;
  readonly status?: number;
  readonly message?: string;
}

/** Agent to daemon. */
export type FromAgent =
  | {
      readonly type: 'ready';
      readonly conversation: string | null;
      readonly conversationReset?: boolean;
      readonly capabilities: {
        readonly acks: boolean;
        readonly steer: boolean;
        readonly rewind: boolean;
        readonly models?: boolean;
        readonly keepsPrompts?: boolean;
      };
    }
  | { readonly type: 'started'; readonly turn: number }
  | { readonly type: 'output'; readonly turn: number; readonly part: OutputPart }
  | {
      readonly type: 'permission-requested';
      readonly turn: number;
      readonly request: string;
      readonly kind: ActionKind;
      readonly tool: string;
      readonly title: string;
      readonly detail?: unknown;
    }
  | { readonly type: 'permission-withdrawn'; readonly turn: number; readonly request: string }
  | { readonly type: 'retrying'; readonly turn: number; readonly failure: WireFailure }
  | { readonly type: 'ack'; readonly turn: number; readonly noResult?: boolean }
  | {
      readonly type: 'result';
      readonly turn: number;
      readonly outcome: TurnResult['outcome'];
      readonly text: string;
      readonly usage?: Usage;
      readonly cost?: Cost;
      readonly error?: unknown;
      readonly failure?: WireFailure;
    }
  | { readonly type: 'steered'; readonly turn: number; readonly id: string; readonly delivered: boolean }
  | { readonly type: 'switched'; readonly model: string | null; readonly ok: boolean }
  /** What the agent does beside its turns and continues after them, all of it, each by a title. */
  | { readonly type: 'background'; readonly work: readonly string[] }
  | { readonly type: 'unsolicited'; readonly phase: 'began' | 'ended'; readonly data?: unknown };
