/**
 * One turn of ours, from its prompt to its end: what was said in it, and which of its ends have come.
 *
 * Owned by the agent, one at a time. It makes outputs and the result; it writes nothing and keeps no time.
 */
import type { TurnId } from '../../core/ids.ts';
import { fieldsAt, head, listAt, textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import type { ProviderFailure } from '../failures.ts';
import type { OutputPart } from '../../core/events.ts';
import type { AgentEvent, AgentReport, AgentResult } from '../port.ts';
import { notice } from '../shared/parts.ts';
import type { Spent } from './usage.ts';
import { type ApiError, apiErrorOf, failureOf } from './failures.ts';
import type { ToolUses } from './tools.ts';

/** All that a turn may say is kept for its result, up to this. */
const textMax = 4_000_000;

export class Turn {
  readonly id: TurnId;
  /** The name of our message, which its ends are known by. */
  readonly uuid: string;
  started = false;
  /** Request id of the last interrupt that was written for it. */
  interrupt: string | null = null;
  /** An interrupt was answered before the turn began: it may not have met it, and is written again when it begins. */
  early = false;
  /** Its message was taken out of the queue: there will be no result. */
  cancelled = false;
  /** Its end has come and waits for steered messages that may still be queued. */
  held: AgentResult | null = null;
  /** Permission requests that wait, with the input that is handed back. */
  readonly asks = new Map<string, Fields>();
  readonly #tools: ToolUses;
  #text = '';
  #apiError: ApiError | null = null;
  /** The message that is streamed, where its text begins, and whether it has come to a message of its own. */
  #stream: { readonly id: string | null; readonly from: number; whole: boolean } | null = null;
  readonly #streamed = new Set<string>();

  constructor(id: TurnId, uuid: string, tools: ToolUses) {
    this.id = id;
    this.uuid = uuid;
    this.#tools = tools;
  }

  /** An event of the model's stream. */
  onStream(event: Fields): AgentEvent[] {
    switch (textAt(event, 'type') ?? '') {
      case 'message_start': {
        const id = textAt(fieldsAt(event, 'message'), 'id');
        const dropped = this.#dropUnfinished();
        this.#stream = { id, from: this.#text.length, whole: false };
        if (id !== null) {
          this.#streamed.add(id);
        }
        return dropped;
      }
      case 'content_block_delta': {
        const delta = fieldsAt(event, 'delta');
        return delta['type'] === 'text_delta' ? this.#say(textAt(delta, 'text') ?? '') : [];
      }
      default:
        return [];
    }
  }

  /** A message of the assistant, or a block of one; what has been streamed is known already. */
  onAssistant(frame: Fields, sub: boolean): AgentEvent[] {
    const message = fieldsAt(frame, 'message');
    const id = textAt(message, 'id');
    const blocks = listAt(message, 'content');
    const uses = blocks
      .filter((block) => block['type'] === 'tool_use')
      .map((block) => this.#output(this.#tools.begin(block)));
    if (sub) {
      return uses;
    }
    const error = apiErrorOf(frame);
    if (error !== null) {
      // Its text is no answer.
      this.#apiError = error;
      return uses;
    }
    if (id !== null && this.#streamed.has(id)) {
      if (this.#stream?.id === id) {
        this.#stream.whole = true;
      }
      return uses;
    }
    const dropped = this.#dropUnfinished();
    const text = blocks.filter((block) => block['type'] === 'text').map((block) => textAt(block, 'text') ?? '');
    return [...dropped, ...this.#say(text.join('')), ...uses];
  }

  onToolResults(results: readonly Fields[]): AgentEvent[] {
    return results.map((block) => this.#output(this.#tools.end(block)));
  }

  /** Its result frame has come. `resetMs`: until the provider's limit is lifted, where it has told. */
  endedBy(frame: Fields, spent: Spent, resetMs: number | null): AgentResult {
    const reason = textAt(frame, 'terminal_reason') ?? '';
    const said = textAt(frame, 'result');
    if (reason.startsWith('aborted')) {
      if (this.interrupt !== null) {
        return this.#result('interrupted', this.#text, spent, null);
      }
      return this.#result('failed', this.#text, spent, failureOf(frame, this.#apiError, null));
    }
    if (frame['is_error'] === true || textAt(frame, 'stop_reason') === 'refusal' || !fine.has(reason)) {
      return this.#result('failed', this.#text, spent, failureOf(frame, this.#apiError, resetMs));
    }
    return this.#result('completed', said ?? this.#text, spent, null);
  }

  /** Its end was told without a result frame. */
  endedAs(state: 'completed' | 'cancelled'): AgentResult {
    if (state === 'completed') {
      return this.#result('completed', this.#text, {}, null);
    }
    if (this.interrupt !== null) {
      return this.#result('interrupted', this.#text, {}, null);
    }
    const failure: ProviderFailure = {
      class: 'unknown',
      retryAfterMs: null,
      status: null,
      message: 'Claude Code took the message out of its queue by itself.',
    };
    return this.#result('failed', this.#text, {}, failure);
  }

  #say(text: string): AgentEvent[] {
    if (text === '') {
      return [];
    }
    if (this.#text.length < textMax) {
      this.#text += head(text, textMax);
    }
    return [this.#output({ kind: 'text', text })];
  }

  #output(part: OutputPart): AgentEvent {
    return { type: 'output', turn: this.id, part };
  }

  /** A stream broke off, and its message is asked for again: what it said is not part of the answer. */
  #dropUnfinished(): AgentEvent[] {
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null || stream.whole || this.#text.length === stream.from) {
      return [];
    }
    const text = this.#text.slice(stream.from);
    this.#text = this.#text.slice(0, stream.from);
    const detail = { dropped: head(text, 200) };
    return [
      this.#output(notice('answer-restarted', 'the stream broke off; the agent asks for its answer again', detail)),
    ];
  }

  #result(outcome: AgentResult['outcome'], text: string, spent: Spent, failure: ProviderFailure | null): AgentResult {
    const report: AgentReport = { text, ...spent, ...(failure === null ? {} : { error: failure.message }) };
    return { outcome, empty: text === '', failure, report };
  }
}

/** `terminal_reason` of a turn that ended as it should; '' where a command of Claude Code's own has answered. */
const fine: ReadonlySet<string> = new Set([
  '',
  'completed',
  'stop_hook_prevented',
  'hook_stopped',
  'tool_deferred',
  'background_requested',
]);
