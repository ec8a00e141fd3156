/**
 * What an agent says in one turn, and the report at its end.
 *
 * Owned by the turn. Invariants, which the contract suite checks for every driver:
 *  turn-output/1 The text pieces it has returned, one after the other and without what `retraction` parts have
 *                retracted, are the text of the report; of a text longer than `turnTextMax` the report has the beginning.
 *  turn-output/2 Usage and cost are returned as parts once, at the end, and are those of the report.
 */
import type { Cost, OutputPart, Usage } from '../../core/model/output.ts';
import type { AgentReport } from '../port.ts';

/** UTF-16 units of a turn's text that its report keeps; what comes later is in the pieces alone. */
export const turnTextMax = 4_000_000;

const betweenMessages = '\n\n';

type TextPart = Extract<OutputPart, { kind: 'text' }>;

/** What the dialect says at the end of a turn; what it leaves out is not known. */
export interface TurnEnd {
  /** The whole text, or the last message of it. */
  readonly text?: string;
  readonly usage?: Usage | null;
  readonly cost?: Cost | null;
  readonly error?: unknown;
}

export class TurnOutput {
  #text = '';
  #length = 0;
  #usage: Usage | null = null;
  #cost: Cost | null = null;

  get text(): string {
    return this.#text;
  }

  /** UTF-16 units of all pieces. */
  get length(): number {
    return this.#length;
  }

  /** A piece of the message that is being said. */
  piece(text: string): TextPart {
    if (this.#text.length < turnTextMax) {
      this.#text = (this.#text + text).slice(0, turnTextMax);
    }
    this.#length += text.length;
    return { kind: 'text', text };
  }

  /** The first piece of a message; an empty line parts it from the one before. */
  message(text: string): TextPart {
    return this.piece(this.#length === 0 ? text : betweenMessages + text);
  }

  /** The agent begins its message again: the pieces behind `length` are not part of the text any more. The part says so. */
  retract(length: number): OutputPart {
    const retracted = this.#length - length;
    this.#length = length;
    this.#text = this.#text.slice(0, length);
    return { kind: 'retraction', length: retracted };
  }

  /** A part as a program gives it. Null: it waits for the end of the turn. */
  take(part: OutputPart): OutputPart | null {
    switch (part.kind) {
      case 'text':
        return this.piece(part.text);
      case 'retraction':
        return this.retract(Math.max(0, this.#length - part.length));
      case 'usage': {
        const { kind: _, ...usage } = part;
        this.#usage = usage;
        return null;
      }
      case 'cost': {
        const { kind: _, ...cost } = part;
        this.#cost = cost;
        return null;
      }
      case 'thinking':
      case 'tool':
      case 'plan':
      case 'notice':
      case 'raw':
        return part;
    }
  }

  /** `parts`: what is left to emit before the report. */
  end(end: TurnEnd): { readonly parts: readonly OutputPart[]; readonly report: AgentReport } {
    const [usage, cost] = [end.usage ?? this.#usage, end.cost ?? this.#cost];
    const rest = end.text === undefined ? null : this.#rest(end.text);
    const parts: readonly (OutputPart | null)[] = [
      rest,
      usage === null ? null : { kind: 'usage', ...usage },
      cost === null ? null : { kind: 'cost', ...cost },
    ];
    return {
      parts: parts.filter((part) => part !== null),
      report: {
        text: this.#text,
        ...(usage === null ? {} : { usage }),
        ...(cost === null ? {} : { cost }),
        ...(end.error === undefined ? {} : { error: end.error }),
      },
    };
  }

  /** What of the final text was not said in pieces. */
  #rest(final: string): TextPart | null {
    if (this.#text.endsWith(final)) {
      return null;
    }
    return final.startsWith(this.#text) ? this.piece(final.slice(this.#text.length)) : this.message(final);
  }
}
