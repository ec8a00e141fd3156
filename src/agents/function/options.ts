/** What an agent that is a function is given and returns, and what its author may set. */
import type { Cost, OutputPart, Usage } from '../../core/model/output.ts';
import type { Incarnation, SessionKey, TurnId } from '../../core/model/ids.ts';
import type { TurnResult } from '../../core/model/session.ts';
import type { RequestedAction } from '../../core/model/permission.ts';
import type { Timers } from '../../supervise/index.ts';
import type { ProviderFailure } from '../failures.ts';
import type { PermissionRequestOptions, Decision } from './permissions.ts';

/** What a function knows of a failed request to its model; what it leaves out is not known. */
export type FunctionFailure = Pick<ProviderFailure, 'class'> & Partial<ProviderFailure>;

export interface FunctionContext {
  /** Aborts when the turn is interrupted, or the agent ended. */
  readonly signal: AbortSignal;
  readonly session: SessionKey;
  readonly incarnation: Incarnation;
  readonly conversation: string;
  readonly turn: TurnId;
  /**
   * Turn to be taken out of the conversation first, with all turns of a higher number, whether it is still there or not; only where the
   * driver declares `rewind`.
   */
  readonly rewind: TurnId | null;
  /** The model of this turn; null: the function's default. Changes between turns only where the driver declares `models`. */
  readonly model: string | null;
  /** Requests permission. Resolves with a denial, never rejects, when the turn is interrupted or over. */
  readonly requestPermission: (action: RequestedAction, options?: PermissionRequestOptions) => Promise<Decision>;
  /** Reports that a failed request is retried. */
  readonly retrying: (failure: FunctionFailure) => void;
}

/** What a turn may yield: text, or another part. */
type FunctionOutput = string | OutputPart;

/**
 * What a turn may return. Without an outcome: `interrupted` if its signal has aborted, else `failed` with a failure, else
 * `completed`.
 */
export interface FunctionResult {
  /** The answer. What of it was not yielded is emitted as a last piece; the text of the turn is all of its pieces. */
  readonly text?: string;
  readonly usage?: Usage;
  readonly cost?: Cost;
  readonly error?: unknown;
  /** Why the provider did not answer; told only with the outcome `failed`. */
  readonly failure?: FunctionFailure;
  readonly outcome?: TurnResult['outcome'];
}

export type AgentFunction = (
  prompt: string,
  context: FunctionContext,
) => AsyncGenerator<FunctionOutput, FunctionResult | string | void, void>;

export interface FunctionDriverOptions {
  /** Default: `function`. */
  readonly name?: string;
  /** Whom its model requests go to. Default: its name. */
  readonly provider?: string;
  /** Takes text into the running turn; false: it could not. Its presence declares the capability. */
  readonly steer?: (text: string, context: FunctionContext) => boolean;
  /** The function heeds `context.rewind`. */
  readonly rewind?: boolean;
  /** The conversation keeps the prompt of an interrupted turn, so that a resumed turn is only told to continue. Default: false. */
  readonly keepsPrompts?: boolean;
  /** Changes the model of the turns that follow; false: it could not; `true`: it always can. Its presence declares the capability. */
  readonly models?: true | ((model: string | null) => boolean);
  /** Whether a conversation can be resumed. Default: always, since nothing of it is kept here. */
  readonly knows?: (conversation: string) => boolean;
  /** How long an ended turn may take to come to its end before it is abandoned. Default 100. */
  readonly killGraceMs?: number;
  /** Outputs after which the event loop turns once (function-agent/4). Default 256. */
  readonly breathEvery?: number;
  /** Lets the loop turn once. */
  readonly breathe?: () => Promise<void>;
  readonly timers?: Timers;
  /** Makes conversation ids. Default: UUIDv4. */
  readonly ids?: () => string;
}
