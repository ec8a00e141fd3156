/**
 * What one turn has used. Claude Code counts the cost and the tokens of all models for the whole conversation. Newer versions
 * add what has come since the last result; older ones give only the tokens of the main loop.
 *
 * Owned by one process. Measured: 2.1.329 continues the sums of a resumed conversation, 2.1.197 starts at zero again.
 */
import { fieldsAt, isFields, numberAt, type Fields } from '../child/fields.ts';
import type { Cost, Usage } from '../../core/model/output.ts';

/** What a turn used, as far as Claude Code says so. */
export interface Spent {
  readonly usage?: Usage;
  readonly cost?: Cost;
}

export class UsageCount {
  /** Null: the first result of a resumed conversation may contain earlier turns. */
  #costBefore: number | null;

  constructor(resumed: boolean) {
    this.#costBefore = resumed ? null : 0;
  }

  /** Of the turn that this result ends; empty: it says nothing, or nothing was used. */
  take(result: Fields): Spent {
    const since = result['model_usage_since_last_result'];
    const before = this.#costBefore;
    const total = numberAt(result, 'total_cost_usd');
    this.#costBefore = total ?? before;
    if (isFields(since)) {
      return some(sumOf(since));
    }
    const turn = fieldsAt(result, 'usage');
    const cost = total === null ? null : before === null ? firstCost(result, turn, total) : total - before;
    return some({
      input: at(turn, 'input_tokens') + at(turn, 'cache_creation_input_tokens'),
      cached: at(turn, 'cache_read_input_tokens'),
      output: at(turn, 'output_tokens'),
      cost,
    });
  }
}

/** Tokens of the model's messages of one turn, while it runs. A message is reported several times; the last report of each counts. */
export class RunningTokens {
  readonly #tokens = new Map<string, number>();
  sum = 0;

  /** `usage`: of the message `id`, or of its stream so far; it may leave out what has not changed. */
  take(id: string, usage: Fields): void {
    const input =
      at(usage, 'input_tokens') + at(usage, 'cache_creation_input_tokens') + at(usage, 'cache_read_input_tokens');
    if (input > 0) {
      this.#set(`${id} input`, input);
    }
    const output = numberAt(usage, 'output_tokens');
    if (output !== null) {
      this.#set(`${id} output`, output);
    }
  }

  #set(name: string, tokens: number): void {
    this.sum += tokens - (this.#tokens.get(name) ?? 0);
    this.#tokens.set(name, tokens);
  }
}

interface Counts {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly cost: number | null;
}

const at = (fields: Fields, name: string): number => numberAt(fields, name) ?? 0;

function sumOf(models: Fields): Counts {
  let [input, cached, output, cost] = [0, 0, 0, 0];
  for (const model of Object.values(models)) {
    if (!isFields(model)) {
      continue;
    }
    input += at(model, 'inputTokens') + at(model, 'cacheCreationInputTokens');
    cached += at(model, 'cacheReadInputTokens');
    output += at(model, 'outputTokens');
    cost += at(model, 'costUSD');
  }
  return { input, cached, output, cost };
}

/** The sums are those of this turn alone where they show the same tokens as the turn does. */
function firstCost(result: Fields, turn: Fields, total: number): number | null {
  const sums = sumOf(fieldsAt(result, 'modelUsage'));
  return sums.output === at(turn, 'output_tokens') ? total : null;
}

function some({ input, cached, output, cost }: Counts): Spent {
  if (input + cached + output === 0) {
    return {};
  }
  const usage = {
    inputTokens: input + cached,
    outputTokens: output,
    ...(cached === 0 ? {} : { cachedInputTokens: cached }),
  };
  // Sums of binary fractions: a millionth of a dollar is as fine as it gets.
  return { usage, ...(cost === null ? {} : { cost: { amount: Math.round(cost * 1e6) / 1e6, currency: 'USD' } }) };
}
