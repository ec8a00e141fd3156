/**
 * Tokens and dollars of one turn, out of the ways in which agents tell them (measured; the protocol leaves it open):
 *
 *  - `usage` of the response: of this turn (claude-agent-acp, codex-acp), of its last model request (opencode), or the sum
 *    since the process began (Copilot CLI). Anthropic's input tokens leave out the cached ones, which the total shows.
 *  - `_meta.quota.token_count` of the response: of this turn (Gemini CLI).
 *  - `usage_update.cost`: the sum of the session, in a currency.
 *
 * Owned by one agent.
 */
import { fieldsAt, numberAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { Cost, Usage } from '../../core/events.ts';

/** What a turn used, as far as its agent tells. */
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
  #cost: number | null = null;
  #costBefore: number | null = null;

  constructor(sums: boolean) {
    this.#sums = sums;
  }

  /** A turn begins. */
  begin(): void {
    this.#costBefore = this.#cost;
  }

  /** A `usage_update`, also one of the past while a conversation is loaded. */
  take(update: Fields): void {
    const cost = fieldsAt(update, 'cost');
    const amount = numberAt(cost, 'amount');
    if (amount !== null && cost['currency'] === 'USD') {
      this.#cost = amount;
    }
  }

  /** Of the turn that ends with this response. */
  end(response: Fields): Spent {
    const told = readCounts(response);
    const counts = told === null ? null : this.#sums ? this.#since(told) : told;
    const cost = this.#cost === null ? null : this.#cost - (this.#costBefore ?? 0);
    // Sums of binary fractions: a billionth of a dollar is nobody's price.
    const spent = cost === null || cost <= 0 ? {} : { cost: { amount: Math.round(cost * 1e9) / 1e9, currency: 'USD' } };
    if (counts === null) {
      return spent;
    }
    const usage = {
      inputTokens: counts.input,
      outputTokens: counts.output,
      ...(counts.cached === 0 ? {} : { cachedInputTokens: counts.cached }),
    };
    return { usage, ...spent };
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
  const apart = numberAt(usage, 'totalTokens') === input + output + read + written;
  return { input: apart ? input + read + written : input, output, cached: read };
}
