/**
 * Tokens of one turn, out of a count that Codex keeps for the whole conversation.
 *
 * Owned by one agent. `thread/tokenUsage/updated` comes after each request to the model, and once, with the old sum and the
 * old turn's id, when a resumed conversation takes its first turn.
 */
import type { Fields } from '../child/json-lines.ts';
import type { Usage } from '../../core/events.ts';
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
  /** Null: a resumed conversation has not told yet. */
  #total: Counts | null;
  #before: Counts | null = null;
  #told = false;

  constructor(resumed: boolean) {
    this.#total = resumed ? null : none;
  }

  /** Turns were taken out of the conversation: its sum starts somewhere else. */
  forget(): void {
    this.#total = null;
  }

  /** A turn of ours has begun. */
  begin(): void {
    this.#before = this.#total;
    this.#told = false;
  }

  /** Params of the notification; `ours`: it is about the turn that runs. */
  take(params: Fields, ours: boolean): void {
    const usage = fieldsAt(params, 'tokenUsage');
    const total = countsOf(fieldsAt(usage, 'total'));
    this.#total = total;
    if (!ours) {
      // It belongs to what was before.
      if (!this.#told) {
        this.#before = total;
      }
      return;
    }
    this.#before ??= minus(total, countsOf(fieldsAt(usage, 'last')));
    this.#told = true;
  }

  /** Of the turn that has begun last; undefined: nothing was told of it. */
  ofTurn(): Usage | undefined {
    if (!this.#told || this.#total === null) {
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
