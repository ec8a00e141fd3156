/**
 * Tokens of one turn, from the sum that Codex keeps for the whole conversation.
 *
 * Owned by one agent. `thread/tokenUsage/updated` comes after each request to the model. Where a resumed conversation takes
 * its first turn, it also comes once with the old sum and the old turn's id.
 */
import type { Fields } from '../child/json-lines.ts';
import type { Usage } from '../../core/model/output.ts';
import { fieldsAt, numberAt } from '../child/fields.ts';

interface Counts {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

const none: Counts = { input: 0, output: 0, cached: 0 };

const minus = (a: Counts, b: Counts): Counts => ({
  input: a.input - b.input,
  output: a.output - b.output,
  cached: a.cached - b.cached,
});

export class TokenCount {
  /** Null: not known yet, for example of a resumed conversation. */
  #total: Counts | null;
  #before: Counts | null = null;
  #known = false;

  constructor(resumed: boolean) {
    this.#total = resumed ? null : none;
  }

  /** Turns were taken out of the conversation, so its sum starts elsewhere. */
  forget(): void {
    this.#total = null;
  }

  /** A turn of ours has begun. */
  begin(): void {
    this.#before = this.#total;
    this.#known = false;
  }

  /** `usage`: a `ThreadTokenUsage`. `ours`: it is about the turn that runs. */
  take(usage: Fields, ours: boolean): void {
    const total = countsOf(fieldsAt(usage, 'total'));
    this.#total = total;
    if (!ours) {
      // It is the sum before the turn.
      if (!this.#known) {
        this.#before = total;
      }
      return;
    }
    this.#before ??= minus(total, countsOf(fieldsAt(usage, 'last')));
    this.#known = true;
  }

  /** Of the turn that began last; undefined: Codex gave no count for it. */
  ofTurn(): Usage | undefined {
    if (!this.#known || this.#total === null) {
      return undefined;
    }
    const { input, output, cached } = minus(this.#total, this.#before ?? none);
    return { inputTokens: input, outputTokens: output, ...(cached === 0 ? {} : { cachedInputTokens: cached }) };
  }
}

const countsOf = (fields: Fields): Counts => ({
  input: numberAt(fields, 'inputTokens') ?? 0,
  output: numberAt(fields, 'outputTokens') ?? 0,
  cached: numberAt(fields, 'cachedInputTokens') ?? 0,
});
