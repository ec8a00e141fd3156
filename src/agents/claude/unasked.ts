/**
 * A turn that nobody asked for: a command in the background has ended, and Claude Code goes to work by itself. Its result has
 * an `origin`, and names no message of ours.
 *
 * Owned by the agent. What is said in it goes on the session's tape, message by message.
 */
import type { TurnId } from '../../core/ids.ts';
import { textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import type { AgentEvent } from '../port.ts';
import type { ToolUses } from './tools.ts';
import { Turn } from './turn.ts';
import type { Content } from './wire.ts';

export class Unasked {
  readonly #emit: (event: AgentEvent) => void;
  readonly #tools: ToolUses;
  running = false;

  constructor(emit: (event: AgentEvent) => void, tools: ToolUses) {
    this.#emit = emit;
    this.#tools = tools;
  }

  begin(): void {
    if (this.running) {
      return;
    }
    this.running = true;
    this.#emit({ type: 'unsolicited', phase: 'began', data: null });
  }

  end(result: Fields): void {
    this.begin();
    this.running = false;
    const data = { origin: result['origin'] ?? null, text: textAt(result, 'result') };
    this.#emit({ type: 'unsolicited', phase: 'ended', data });
  }

  onContent(heard: Content): void {
    if (heard.kind === 'stream') {
      return;
    }
    this.begin();
    // A turn of no number: only its outputs are of use.
    const turn = new Turn(0 as TurnId, '', this.#tools);
    const events =
      heard.kind === 'assistant' ? turn.onAssistant(heard.frame, heard.sub) : turn.onToolResults(heard.results);
    for (const event of events) {
      if (event.type === 'output') this.#emit({ ...event, turn: null });
    }
  }
}
