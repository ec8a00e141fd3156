/**
 * The turn that runs: what is heard of it, what it asks for, how it ends.
 *
 * Owned by the agent's handle, from the prompt to its response. Emits nothing: it returns the events that the handle emits.
 */
import type { OutputPart } from '../../core/model/output.ts';
import type { TurnId } from '../../core/model/ids.ts';
import { fieldsAt, head, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { RpcError, RpcOutcome } from '../child/json-rpc.ts';
import type { ProviderFailure } from '../failures.ts';
import type { AgentEvent, AgentReport, AgentResult } from '../port.ts';
import { notice } from '../shared/parts.ts';
import type { AnswerFilter, Passage } from './answer-filter.ts';
import { failure, failureOfError } from './failures.ts';
import { partOf, textOf } from './parse.ts';
import { PermissionRequests } from './permissions.ts';
import type { Profile } from './profiles/profile.ts';
import { type Action, ToolCalls } from './tools.ts';
import type { Spending, Spent } from './usage.ts';

/** Of the whole answer, in UTF-16 units; what is said beyond is in the pieces alone. */
const textMax = 4 * 1024 * 1024;
const errorMax = 4_000;
const noticeMax = 4_000;

export class AcpTurn {
  readonly id: TurnId;
  readonly permissionRequests = new PermissionRequests();
  readonly #tools: ToolCalls;
  readonly #filter: AnswerFilter;
  readonly #allowed: Action[] = [];
  /** A cancel is on the wire: whatever the agent asks for from now on is cancelled at once. */
  cancelled = false;
  /** `started` was emitted. */
  confirmed = false;
  #text = '';

  /** `wall`: wall-clock ms. `folder`: the session's; null: it has none. */
  constructor(id: TurnId, profile: Profile, wall: () => number, folder: string | null) {
    this.id = id;
    this.#tools = new ToolCalls(profile, wall, folder);
    this.#filter = profile.answerFilter();
  }

  /** What the agent was allowed in this turn. */
  get allowed(): readonly Action[] {
    return this.#allowed;
  }

  /** A `session/update` of this turn; null: its kind is not known. */
  hear(kind: string, update: Fields): readonly AgentEvent[] | null {
    const text = kind === 'agent_message_chunk' ? textOf(fieldsAt(update, 'content')) : null;
    if (text !== null) {
      return this.#eventsOf(this.#filter.onChunk(text, update));
    }
    const before = this.#eventsOf(this.#filter.onUpdate(update));
    if (kind === 'tool_call' || kind === 'tool_call_update') {
      const tool = this.#tools.take(update);
      return tool === null ? before : [...before, this.#output(tool)];
    }
    const part = partOf(kind, update);
    if (part === null) {
      return null;
    }
    return part === 'nothing' ? before : [...before, this.#output(part)];
  }

  /** The call that the agent wants to be permitted. */
  requested(toolCall: Fields): Action {
    return this.#tools.requested(toolCall);
  }

  /** That call was allowed. */
  allow(toolCall: Fields, action: Action): readonly AgentEvent[] {
    this.#allowed.push(action);
    const tool = this.#tools.allowed(toolCall);
    return tool === null ? [] : [this.#output(tool)];
  }

  notice(code: string, message: string): AgentEvent {
    return this.#output(notice(code, message));
  }

  /** The response to its prompt. The last event is the result. */
  end(outcome: Exclude<RpcOutcome, { kind: 'broken' }>, spending: Spending): readonly AgentEvent[] {
    if (outcome.kind === 'error') {
      spending.end({});
      const error = shortened(outcome.error);
      // Some programs answer a cancel by an error, and nothing in it says so.
      const why = this.cancelled ? null : failureOfError(outcome.error);
      return this.#result(why === null ? 'interrupted' : 'failed', why, {}, error);
    }
    const response = isFields(outcome.result) ? outcome.result : {};
    const spent = spending.end(response);
    const stop = textAt(response, 'stopReason') ?? 'none';
    switch (stop) {
      case 'end_turn':
        return this.#answered(spent);
      case 'cancelled':
        return this.#result('interrupted', null, spent);
      default:
        return this.#result('failed', stopFailure(stop), spent, { stopReason: head(stop, 200) });
    }
  }

  #answered(spent: Spent): readonly AgentEvent[] {
    const { passages, failure: why } = this.#filter.onEnd({ answered: this.#text !== '' });
    const before = this.#eventsOf(passages);
    if (why === null) {
      return [...before, ...this.#result('completed', null, spent)];
    }
    const error = { message: why.message };
    return this.cancelled
      ? [...before, ...this.#result('interrupted', null, spent, error)]
      : [...before, ...this.#result('failed', why, spent, error)];
  }

  #eventsOf(passages: readonly Passage[]): readonly AgentEvent[] {
    return passages.map((passage): AgentEvent => {
      switch (passage.kind) {
        case 'retrying':
          return { type: 'retrying', turn: this.id, failure: passage.failure };
        case 'notice':
          return this.notice('program', head(passage.text, noticeMax));
        case 'text':
          if (this.#text.length < textMax) {
            this.#text = (this.#text + passage.text).slice(0, textMax);
          }
          return this.#output({ kind: 'text', text: passage.text });
      }
    });
  }

  #output(part: OutputPart): AgentEvent {
    return { type: 'output', turn: this.id, part };
  }

  #result(
    outcome: AgentResult['outcome'],
    why: ProviderFailure | null,
    spent: Spent,
    error?: unknown,
  ): readonly AgentEvent[] {
    const text = this.#text;
    const { usage, cost } = spent;
    const report: AgentReport = { text, ...spent, ...(error === undefined ? {} : { error }) };
    return [
      ...(usage === undefined ? [] : [this.#output({ kind: 'usage', ...usage })]),
      ...(cost === undefined ? [] : [this.#output({ kind: 'cost', ...cost })]),
      { type: 'result', turn: this.id, result: { outcome, empty: text === '', failure: why, report } },
    ];
  }
}

/** As the agent gave it, cut to its bound. */
function shortened({ code, message, data }: RpcError): RpcError {
  const text = data === undefined ? '' : JSON.stringify(data);
  const kept = text.length > errorMax ? head(text, errorMax) : data;
  return { code, message: head(message, errorMax), ...(data === undefined ? {} : { data: kept }) };
}

/** Ends of the protocol that are not an answer. The result keeps the text that was said before. */
function stopFailure(stop: string): ProviderFailure {
  switch (stop) {
    case 'refusal':
      return failure('refused', null, 'the model refused to continue');
    case 'max_tokens':
      return failure('output_limit', null, 'the answer was cut off at the token limit of the model');
    case 'max_turn_requests':
      return failure('unknown', null, 'the agent reached its limit of model requests in one turn');
    default:
      return failure('unknown', null, `the turn ended with the unknown stop reason ${head(stop, 100)}`);
  }
}
