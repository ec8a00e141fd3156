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
import type { AgentEvent, AgentResult, ResultData, Usage } from '../port.ts';
import { Asks } from './asks.ts';
import { failure, failureOfError } from './failure.ts';
import type { Profile } from './profiles/profile.ts';
import type { Reading, Said } from './reading.ts';
import type { Action } from './tools.ts';
import { ToolCalls } from './tools.ts';
import { noticeOf } from './updates.ts';
import type { Spending } from './usage.ts';
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
      return text === null
        ? [this.#output('notice', noticeOf(kind, update))]
        : this.#say(this.#reading.chunk(text, update));
    }
    const said = this.#say(this.#reading.other(update));
    if (kind === 'tool_call' || kind === 'tool_call_update') {
      const data = this.tools.take(update);
      return data === null ? said : [...said, this.#output('tool', data)];
    }
    const notice = noticeOf(kind, update);
    if (notice === null) {
      return null;
    }
    return notice === 'nothing' ? said : [...said, this.#output('notice', notice)];
  }

  note(text: string): AgentEvent {
    return this.#output('notice', { kind: 'permission', text });
  }

  /** The call of a tool that was allowed. */
  begun(toolCall: Fields): readonly AgentEvent[] {
    const data = this.tools.begun(toolCall);
    return data === null ? [] : [this.#output('tool', data)];
  }

  /** The response to its prompt. The last event is the result. */
  end(outcome: Exclude<RpcOutcome, { kind: 'broken' }>, spending: Spending): readonly AgentEvent[] {
    if (outcome.kind === 'error') {
      spending.end({});
      const error = shortened(outcome.error);
      // Some answer a cancel by an error, of which nothing says that it is one.
      if (this.cancelled) {
        return [this.#result('interrupted', null, null, error)];
      }
      return [this.#result('failed', failureOfError(outcome.error), null, error)];
    }
    const response = isFields(outcome.result) ? outcome.result : {};
    const usage = spending.end(response);
    const stop = textAt(response, 'stopReason') ?? 'none';
    if (stop === 'end_turn') {
      return this.#answered(usage);
    }
    if (stop === 'cancelled') {
      return [this.#result('interrupted', null, usage)];
    }
    return [this.#result('failed', stopFailure(stop), usage, { stopReason: head(stop, 200) })];
  }

  #answered(usage: Usage | null): readonly AgentEvent[] {
    const end = this.#reading.end({ answered: this.#text !== '' });
    const said = this.#say(end.said);
    if (end.failure === null) {
      return [...said, this.#result('completed', null, usage)];
    }
    const { message } = end.failure;
    if (this.cancelled) {
      return [...said, this.#result('interrupted', null, usage, { message })];
    }
    return [...said, this.#result('failed', end.failure, usage, { message })];
  }

  #say(said: readonly Said[]): readonly AgentEvent[] {
    return said.map((one): AgentEvent => {
      if (one.kind === 'retrying') {
        return { type: 'retrying', turn: this.id, failure: one.failure };
      }
      if (one.kind === 'notice') {
        return this.#output('notice', { kind: 'program', text: head(one.text, 4_000) });
      }
      if (this.#text.length < textMax) {
        this.#text = (this.#text + one.text).slice(0, textMax);
      }
      return this.#output('text', one.text);
    });
  }

  #output(kind: 'text' | 'tool' | 'notice', data: unknown): AgentEvent {
    return { type: 'output', turn: this.id, kind, data };
  }

  #result(
    outcome: AgentResult['outcome'],
    why: ProviderFailure | null,
    usage: Usage | null,
    error?: unknown,
  ): AgentEvent {
    const text = this.#text;
    const data: ResultData = {
      text,
      ...(usage === null ? {} : { usage }),
      ...(error === undefined ? {} : { error }),
    };
    return { type: 'result', turn: this.id, result: { outcome, empty: text === '', failure: why, data } };
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
