/**
 * Tokens and cost of one turn. The protocol leaves open what an agent counts, so each counts in its own way (measured):
 *
 *  - `usage` of the response: of this turn (claude-agent-acp, codex-acp), of its last model request (opencode), or the sum
 *    since the process began (Copilot CLI). Anthropic's input tokens leave out the cached ones, which the total shows.
 *  - `_meta.quota.token_count` of the response: of this turn (Gemini CLI).
 *  - `usage_update.cost`: the sum of the session.
 *
 * Owned by one agent.
 */
import { fieldsAt, numberAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { Cost, Usage } from '../../core/model/output.ts';
import { readCost } from '../shared/parts.ts';

/** What a turn used; the agent may tell neither. */
export interface Spent {
  readonly usage?: Usage;
  readonly cost?: Cost;
}

interface Counts {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

export class Spending {
  /** Whether `usage` counts from the beginning of the process. */
  readonly #sums: boolean;
  #before: Counts = { input: 0, output: 0, cached: 0 };
  /** Usage of the session: the last report, and the one at the begin of the turn. */
  #cost: Cost | null = null;
  #costBefore: Cost | null = null;

  constructor(sums: boolean) {
    this.#sums = sums;
  }

  /** A turn begins. */
  begin(): void {
    this.#costBefore = this.#cost;
  }

  /** A `usage_update`, also one of the past while a conversation is loaded. */
  take(update: Fields): void {
    this.#cost = readCost(update['cost']) ?? this.#cost;
  }

  /** Of the turn that ends with this response. */
  end(response: Fields): Spent {
    const read = readCounts(response);
    const counts = read !== null && this.#sums ? this.#since(read) : read;
    const cost = this.#costOfTurn();
    return { ...(counts === null ? {} : { usage: usageOf(counts) }), ...(cost === null ? {} : { cost }) };
  }

  /** Null: nothing was added to the sum. */
  #costOfTurn(): Cost | null {
    if (this.#cost === null) {
      return null;
    }
    const { amount, currency } = this.#cost;
    const before = this.#costBefore?.currency === currency ? this.#costBefore.amount : 0;
    // Sums of binary fractions: a billionth of a dollar is only their error.
    const added = Math.round((amount - before) * 1e9) / 1e9;
    return added > 0 ? { amount: added, currency } : null;
  }

  #since(now: Counts): Counts {
    const before = this.#before;
    this.#before = now;
    return {
      input: Math.max(0, now.input - before.input),
      output: Math.max(0, now.output - before.output),
      cached: Math.max(0, now.cached - before.cached),
    };
  }
}

const usageOf = ({ input, output, cached }: Counts): Usage => ({
  inputTokens: input,
  outputTokens: output,
  ...(cached === 0 ? {} : { cachedInputTokens: cached }),
});

function readCounts(response: Fields): Counts | null {
  const { usage } = response;
  if (isFields(usage)) {
    return ofUsage(usage);
  }
  const count = fieldsAt(fieldsAt(response, '_meta'), 'quota')['token_count'];
  if (!isFields(count)) {
    return null;
  }
  const input = numberAt(count, 'input_tokens');
  const output = numberAt(count, 'output_tokens');
  return input === null || output === null ? null : { input, output, cached: 0 };
}

function ofUsage(usage: Fields): Counts | null {
  const input = numberAt(usage, 'inputTokens');
  const output = numberAt(usage, 'outputTokens');
  if (input === null || output === null) {
    return null;
  }
  const read = numberAt(usage, 'cachedReadTokens') ?? 0;
  const written = numberAt(usage, 'cachedWriteTokens') ?? 0;
  const excluded = numberAt(usage, 'totalTokens') === input + output + read + written;
  return { input: excluded ? input + read + written : input, output, cached: read };
}
