/** Messages between the driver and its thread. Both ends are ours; the user's module is not. */
import type { Incarnation, SessionKey, TurnId } from '../../core/model/ids.ts';
import type { ErrorRecord } from '../shared/error-record.ts';
import type { AgentEvent } from '../port.ts';

/** Data that the thread starts with. */
export interface ThreadStart {
  /** URL of the user's module. */
  readonly module: string;
  readonly exported: string;
  readonly session: SessionKey;
  readonly incarnation: Incarnation;
  readonly conversation: string | null;
  readonly model: string | null;
}

export type ToThread =
  | { readonly type: 'prompt'; readonly turn: TurnId; readonly text: string; readonly rewind: TurnId | null }
  | { readonly type: 'interrupt'; readonly turn: TurnId }
  | { readonly type: 'steer'; readonly turn: TurnId; readonly id: string; readonly text: string }
  | {
      readonly type: 'respond';
      readonly turn: TurnId;
      readonly request: string;
      readonly allow: boolean;
      readonly note: string | null;
    }
  | { readonly type: 'model'; readonly model: string | null }
  | { readonly type: 'close' }
  /** Everything before that mark has been handled. */
  | { readonly type: 'handled'; readonly mark: number };

export type FromThread =
  | { readonly type: 'event'; readonly event: AgentEvent }
  /** Reply `handled` when everything before this has been handled; nothing more comes until then. */
  | { readonly type: 'mark'; readonly mark: number }
  /** The module could not be loaded, or has no such function. */
  | { readonly type: 'unloadable'; readonly error: ErrorRecord }
  /** An uncaught error; the thread ends with it. */
  | { readonly type: 'crashed'; readonly error: ErrorRecord };
