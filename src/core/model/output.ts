/** What an agent says in a turn, in the same parts for every driver, and what comes with the end of the turn. */
import type { ActionKind } from './permission.ts';

/** Tokens of one turn; a dialect that counts from the beginning of its session is brought to this by its driver. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens` that the provider had cached. */
  readonly cachedInputTokens?: number;
}

/** What a turn cost, as the agent tells. */
export interface Cost {
  readonly amount: number;
  /** ISO 4217, for example `USD`. */
  readonly currency: string;
}

/** Text that was cut to a bound: `omittedBytes` of it are missing at the place that the text itself marks. */
export interface BoundedText {
  readonly text: string;
  /** Left out when nothing is missing. */
  readonly omittedBytes?: number;
}

/** A change of one file, as a unified diff. */
export interface FileDiff {
  readonly path: string;
  /** Unified diff (`--- a/…`, `+++ b/…`, `@@ …`), bounded. */
  readonly unified: BoundedText;
}

export type ToolStatus = 'started' | 'completed' | 'failed';

/** One use of a tool. Events of the same use carry the same `id`; each repeats what is known by then. */
export interface ToolPart {
  readonly kind: 'tool';
  /** The agent's id of this use; null: the agent gives none. */
  readonly id: string | null;
  /** The agent's own name of the tool, for example `Bash`. */
  readonly name: string;
  readonly action: ActionKind;
  /** One line for a person: the command, the path. */
  readonly title: string;
  readonly status: ToolStatus;
  /** The input as JSON text. Left out where the agent does not say. */
  readonly input?: BoundedText;
  /** The result. Left out while the tool runs. */
  readonly output?: BoundedText;
  /** Files that the tool changed. */
  readonly diffs?: readonly FileDiff[];
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export interface PlanEntry {
  readonly text: string;
  readonly status: 'pending' | 'in_progress' | 'completed';
}

/** What an agent says in a turn: the same parts for every driver. */
export type OutputPart =
  /** A piece of the answer; the pieces of a turn, one after the other and without what is retracted, are its whole text. */
  | { readonly kind: 'text'; readonly text: string }
  /** The agent begins its message again: the last `length` UTF-16 units of the text so far are not part of it any more. */
  | { readonly kind: 'retraction'; readonly length: number }
  | { readonly kind: 'thinking'; readonly text: string }
  | ToolPart
  | ({ readonly kind: 'usage' } & Usage)
  | ({ readonly kind: 'cost' } & Cost)
  | { readonly kind: 'plan'; readonly entries: readonly PlanEntry[] }
  /** What the agent or its driver says of itself: `code` is stable, `detail` any JSON. */
  | { readonly kind: 'notice'; readonly code: string; readonly message: string; readonly detail?: unknown }
  /** A message that the driver does not know, bounded. */
  | { readonly kind: 'raw'; readonly data: unknown };

/** Why a turn failed, in the one vocabulary of all dialects. */
export interface TurnFailure {
  /** `rate_limit`, `overloaded`, … : see docs/providers.md. */
  readonly class: string;
  readonly transient: boolean;
  /** The agent has no login that the provider accepts. Left out where that is not the cause. */
  readonly login?: true;
  /** The agent's own words. */
  readonly message: string;
  /** What to do. */
  readonly hint: string;
  readonly retryAfterMs?: number;
}

/** What came with the boundary of a turn. */
export interface TurnReport {
  /** All that the agent said in it. Empty where it said nothing, unless the shell has words of its own (after a denial). */
  readonly text: string;
  readonly usage?: Usage;
  readonly cost?: Cost;
  readonly failure?: TurnFailure;
  /** The dialect's own record of what went wrong. */
  readonly error?: unknown;
}
