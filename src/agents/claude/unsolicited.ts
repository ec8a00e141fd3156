/**
 * An unsolicited turn: a command in the background has ended, and Claude Code reacts by itself. Its result has an
 * `origin`, and names no message of ours.
 *
 * Owned by the agent. What is said in it goes on the session's tape, message by message.
 */
import type { AgentEvent } from '../port.ts';
import { type Fields, textAt } from '../child/fields.ts';
import type { IncomingContent } from './parse.ts';
import { Content, type Process } from './turn.ts';

export class Unsolicited {
  readonly #emit: (event: AgentEvent) => void;
  readonly #process: Process;
  running = false;

  constructor(emit: (event: AgentEvent) => void, process: Process) {
    this.#emit = emit;
    this.#process = process;
  }

  begin(): void {
    if (!this.running) {
      this.running = true;
      this.#emit({ type: 'unsolicited', phase: 'began', data: null });
    }
  }

  end(result: Fields): void {
    this.begin();
    this.running = false;
    const data = { origin: result['origin'] ?? null, text: textAt(result, 'result') };
    this.#emit({ type: 'unsolicited', phase: 'ended', data });
  }

  onContent(incoming: IncomingContent): void {
    if (incoming.kind !== 'stream') {
      this.begin();
      this.onLate(incoming);
    }
  }

  /** Content of a turn that is over. It begins nothing, since no result would end that. */
  onLate(incoming: IncomingContent): void {
    if (incoming.kind === 'stream') {
      return;
    }
    const content = new Content(this.#process);
    const parts =
      incoming.kind === 'assistant'
        ? content.onAssistant(incoming.frame, incoming.subagent)
        : content.onToolResults(incoming.results, incoming.report);
    for (const part of parts) {
      this.#emit({ type: 'output', turn: null, part });
    }
  }
}
