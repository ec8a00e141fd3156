/**
 * One turn of ours, from its prompt to its end: what the agent says in it, and which of its ends have come.
 *
 * Owned by the agent, one at a time. It makes parts and the result; it writes nothing and keeps no time.
 */
import type { OutputPart } from '../../core/model/output.ts';
import type { TurnId } from '../../core/model/ids.ts';
import type { ProviderFailure } from '../failures.ts';
import type { AgentResult } from '../port.ts';
import { type Fields, fieldsAt, listAt, textAt } from '../child/fields.ts';
import { type ApiError, apiErrorOf, failureOf } from './failures.ts';
import { type TurnEnd, TurnOutput } from '../shared/turn-output.ts';
import type { Plan } from './plan.ts';
import type { ToolUses } from './tools.ts';
import { RunningTokens, type Spent } from './usage.ts';

/** What outlives a turn: the process has one of each. */
export interface Process {
  readonly tools: ToolUses;
  readonly plan: Plan;
}

/** Makes parts of content, of any turn. */
export class Content {
  readonly #process: Process;
  readonly output = new TurnOutput();
  readonly tokens = new RunningTokens();
  /** A failure in place of an answer. */
  #apiError: ApiError | null = null;
  /** The message that is streamed, where its text begins, and whether it has come as a whole message, too. */
  #stream: { readonly id: string | null; readonly from: number; empty: boolean; whole: boolean } | null = null;
  readonly #streamed = new Set<string>();

  constructor(process: Process) {
    this.#process = process;
  }

  get apiError(): ApiError | null {
    return this.#apiError;
  }

  /** An event of the model's stream. */
  onStream(event: Fields): readonly OutputPart[] {
    switch (textAt(event, 'type') ?? '') {
      case 'message_start': {
        const message = fieldsAt(event, 'message');
        const id = textAt(message, 'id');
        this.tokens.take(id ?? '', fieldsAt(message, 'usage'));
        const retracted = this.#retractUnfinished();
        this.#stream = { id, from: this.output.length, empty: true, whole: false };
        if (id !== null) {
          this.#streamed.add(id);
        }
        return retracted;
      }
      case 'content_block_delta': {
        const delta = fieldsAt(event, 'delta');
        return delta['type'] === 'text_delta' ? this.#piece(textAt(delta, 'text') ?? '') : [];
      }
      case 'message_delta':
        this.tokens.take(this.#stream?.id ?? '', fieldsAt(event, 'usage'));
        return [];
      default:
        return [];
    }
  }

  /** A message of the assistant, or a block of one; text that was streamed is known already. */
  onAssistant(frame: Fields, subagent: boolean): readonly OutputPart[] {
    const message = fieldsAt(frame, 'message');
    const id = textAt(message, 'id');
    this.tokens.take(id ?? '', fieldsAt(message, 'usage'));
    const blocks = listAt(message, 'content');
    const ofType = (type: string): readonly Fields[] => blocks.filter((block) => block['type'] === type);
    const uses = ofType('tool_use').map((block) => this.#process.tools.begin(block));
    if (subagent) {
      return uses;
    }
    const error = apiErrorOf(frame);
    if (error !== null) {
      // Its text is not an answer.
      this.#apiError = error;
      return uses;
    }
    const thinking = ofType('thinking').flatMap(thinkingOf);
    if (id !== null && this.#streamed.has(id)) {
      if (this.#stream?.id === id) {
        this.#stream.whole = true;
      }
      return [...thinking, ...uses];
    }
    const retracted = this.#retractUnfinished();
    const text = ofType('text')
      .map((block) => textAt(block, 'text') ?? '')
      .join('');
    return [...retracted, ...thinking, ...(text === '' ? [] : [this.output.message(text)]), ...uses];
  }

  onToolResults(results: readonly Fields[], report: unknown): readonly OutputPart[] {
    return results.flatMap((block) => {
      const part = this.#process.tools.end(block, report);
      const plan = part.status === 'completed' ? this.#process.plan.take(part.name, report) : null;
      return plan === null ? [part] : [part, plan];
    });
  }

  #piece(text: string): readonly OutputPart[] {
    if (text === '') {
      return [];
    }
    const first = this.#stream?.empty === true;
    if (this.#stream !== null) {
      this.#stream.empty = false;
    }
    return [first ? this.output.message(text) : this.output.piece(text)];
  }

  /** A stream was cut off, and Claude Code requests its message again: what it has said is not part of the answer. */
  #retractUnfinished(): readonly OutputPart[] {
    const stream = this.#stream;
    this.#stream = null;
    return stream === null || stream.whole || stream.empty ? [] : [this.output.retract(stream.from)];
  }
}

const thinkingOf = (block: Fields): readonly OutputPart[] => {
  const text = textAt(block, 'thinking') ?? '';
  return text === '' ? [] : [{ kind: 'thinking', text }];
};

export class Turn {
  readonly id: TurnId;
  /** The name of our message, which its ends are known by. */
  readonly uuid: string;
  readonly content: Content;
  started = false;
  /** Request id of the last interrupt that was written for it (agent-port/6). */
  interrupt: string | null = null;
  /** An interrupt was answered before the turn began: it may have missed it, and is written again when the turn begins. */
  interruptMissed = false;
  /** Its message was taken out of the queue: there will be no result. */
  cancelled = false;
  /** Its end has come and waits for steered messages that may still be queued. */
  held: AgentResult | null = null;
  /** Permission requests that wait, with the input that the answer repeats. */
  readonly requests = new Map<string, Fields>();

  constructor(id: TurnId, uuid: string, process: Process) {
    this.id = id;
    this.uuid = uuid;
    this.content = new Content(process);
  }

  /** Its result frame has come. `resetMs`: until the provider lifts its limit, where it has said so. */
  endedBy(frame: Fields, spent: Spent, resetMs: number | null): Ended {
    const aborted = (textAt(frame, 'terminal_reason') ?? '').startsWith('aborted');
    if (aborted && this.interrupt !== null) {
      return this.#end('interrupted', null, spent);
    }
    if (hasFailed(frame)) {
      return this.#end('failed', failureOf(frame, this.content.apiError, aborted ? null : resetMs), spent);
    }
    // A command of Claude Code answers in its result alone.
    const answer = this.content.output.text === '' ? { text: textAt(frame, 'result') ?? '' } : {};
    return this.#end('completed', null, { ...spent, ...answer });
  }

  /** Its end has come without a result frame. */
  endedAs(state: 'completed' | 'cancelled'): Ended {
    if (state === 'completed') {
      return this.#end('completed', null, {});
    }
    if (this.interrupt !== null) {
      return this.#end('interrupted', null, {});
    }
    const message = 'Claude Code took the message out of its queue by itself.';
    return this.#end('failed', { class: 'unknown', retryAfterMs: null, status: null, message }, {});
  }

  #end(outcome: AgentResult['outcome'], failure: ProviderFailure | null, end: TurnEnd): Ended {
    const error = failure === null ? {} : { error: failure.message };
    const { parts, report } = this.content.output.end({ ...end, ...error });
    return { parts, result: { outcome, empty: report.text === '', failure, report } };
  }
}

/** The end of a turn: what is left to emit, and its result. */
export interface Ended {
  readonly parts: readonly OutputPart[];
  readonly result: AgentResult;
}

function hasFailed(frame: Fields): boolean {
  const reason = textAt(frame, 'terminal_reason') ?? '';
  return frame['is_error'] === true || textAt(frame, 'stop_reason') === 'refusal' || !completing.has(reason);
}

/** Values of `terminal_reason` of a turn that has completed; '' where a command of Claude Code has answered. */
const completing: ReadonlySet<string> = new Set([
  '',
  'completed',
  'stop_hook_prevented',
  'hook_stopped',
  'tool_deferred',
  'background_requested',
]);
