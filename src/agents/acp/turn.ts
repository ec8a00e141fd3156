/**
 * The turn that runs: what is heard of it, what it asks, how it ends.
 *
 * Owned by the agent's handle, from the prompt to its response. Emits nothing by itself: it answers what is to be told.
 */
import type { TurnId } from '../../core/ids.ts';
import { fieldsAt, head, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { RpcError, RpcOutcome } from '../child/json-rpc.ts';
import type { ProviderFailure } from '../failures.ts';
import type { OutputPart } from '../../core/events.ts';
import type { AgentEvent, AgentReport, AgentResult } from '../port.ts';
import { notice } from '../shared/parts.ts';
import { Asks } from './asks.ts';
import { failure, failureOfError } from './failure.ts';
import type { Profile } from './profiles/profile.ts';
import type { Reading, Said } from './reading.ts';
import type { Action } from './tools.ts';
import { ToolCalls } from './tools.ts';
import { besidesOf } from './updates.ts';
import type { Spent, Spending } from './usage.ts';
import { textOf } from './wire.ts';

/** Of the whole answer, in UTF-16 units; what is said beyond stands on the tape alone. */
const textMax = 4 * 1024 * 1024;
const errorMax = 4_000;

export class AcpTurn {
  readonly id: TurnId;
  readonly asks = new Asks();
  readonly tools: ToolCalls;
  /** What the agent was allowed in this turn. */
  readonly granted: Action[] = [];
  /** A cancel is on the wire: whatever is asked from now on is cancelled at once. */
  cancelled = false;
  /** `started` was told. */
  confirmed = false;
  readonly #reading: Reading;
  #text = '';

  constructor(id: TurnId, profile: Profile) {
    this.id = id;
    this.tools = new ToolCalls(profile.toolName);
    this.#reading = profile.reading();
  }

  /** A `session/update` of this turn; null: it is of no known kind. */
  hear(kind: string, update: Fields): readonly AgentEvent[] | null {
    if (kind === 'agent_message_chunk') {
      const text = textOf(fieldsAt(update, 'content'));
      if (text !== null) {
        return this.#say(this.#reading.chunk(text, update));
      }
      const part = besidesOf(kind, update);
      return part === null || part === 'nothing' ? [] : [this.#output(part)];
    }
    const said = this.#say(this.#reading.other(update));
    if (kind === 'tool_call' || kind === 'tool_call_update') {
      const part = this.tools.take(update);
      return part === null ? said : [...said, this.#output(part)];
    }
    const part = besidesOf(kind, update);
    if (part === null) {
      return null;
    }
    return part === 'nothing' ? said : [...said, this.#output(part)];
  }

  note(text: string): AgentEvent {
    return this.#output(notice('permission', text));
  }

  /** The call of a tool that was allowed. */
  begun(toolCall: Fields): readonly AgentEvent[] {
    const part = this.tools.begun(toolCall);
    return part === null ? [] : [this.#output(part)];
  }

  /** The response to its prompt. The last event is the result. */
  end(outcome: Exclude<RpcOutcome, { kind: 'broken' }>, spending: Spending): readonly AgentEvent[] {
    if (outcome.kind === 'error') {
      spending.end({});
      const error = shortened(outcome.error);
      // Some answer a cancel by an error, of which nothing says that it is one.
      if (this.cancelled) {
        return [this.#result('interrupted', null, {}, error)];
      }
      return [this.#result('failed', failureOfError(outcome.error), {}, error)];
    }
    const response = isFields(outcome.result) ? outcome.result : {};
    const spent = spending.end(response);
    const stop = textAt(response, 'stopReason') ?? 'none';
    if (stop === 'end_turn') {
      return this.#answered(spent);
    }
    if (stop === 'cancelled') {
      return [this.#result('interrupted', null, spent)];
    }
    return [this.#result('failed', stopFailure(stop), spent, { stopReason: head(stop, 200) })];
  }

  #answered(spent: Spent): readonly AgentEvent[] {
    const end = this.#reading.end({ answered: this.#text !== '' });
    const said = this.#say(end.said);
    if (end.failure === null) {
      return [...said, this.#result('completed', null, spent)];
    }
    const { message } = end.failure;
    if (this.cancelled) {
      return [...said, this.#result('interrupted', null, spent, { message })];
    }
    return [...said, this.#result('failed', end.failure, spent, { message })];
  }

  #say(said: readonly Said[]): readonly AgentEvent[] {
    return said.map((one): AgentEvent => {
      if (one.kind === 'retrying') {
        return { type: 'retrying', turn: this.id, failure: one.failure };
      }
      if (one.kind === 'notice') {
        return this.#output(notice('program', head(one.text, 4_000)));
      }
      if (this.#text.length < textMax) {
        this.#text = (this.#text + one.text).slice(0, textMax);
      }
      return this.#output({ kind: 'text', text: one.text });
    });
  }

  #output(part: OutputPart): AgentEvent {
    return { type: 'output', turn: this.id, part };
  }

  #result(outcome: AgentResult['outcome'], why: ProviderFailure | null, spent: Spent, error?: unknown): AgentEvent {
    const text = this.#text;
    const report: AgentReport = { text, ...spent, ...(error === undefined ? {} : { error }) };
    return { type: 'result', turn: this.id, result: { outcome, empty: text === '', failure: why, report } };
  }
}

/** As it was told, as far as that is of use to anybody. */
function shortened({ code, message, data }: RpcError): RpcError {
  const text = data === undefined ? '' : JSON.stringify(data);
  const kept = text.length > errorMax ? head(text, errorMax) : data;
  return { code, message: head(message, errorMax), ...(data === undefined ? {} : { data: kept }) };
}

/** Ends of the protocol that are no answer. What there is of one is kept in the result's text. */
function stopFailure(stop: string): ProviderFailure {
  switch (stop) {
    case 'refusal':
      return failure('refused', null, 'the model refused to go on');
    case 'max_tokens':
      return failure('context', null, 'the answer was cut off at the most tokens that the model may use');
    case 'max_turn_requests':
      return failure('unknown', null, 'the agent has asked its model as often as it may in one turn');
    default:
      return failure('unknown', null, `the turn ended with the unknown stop reason ${head(stop, 100)}`);
  }
}
