/**
 * The rules of what a driver says in a turn, checked for every turn that a probe watches:
 *  - the text pieces, without what `retraction` parts take back, are the text of the report;
 *  - usage and cost are parts once, before the result, and are those of the report;
 *  - a tool is named and titled; the events of one use agree on what it is, and on the time when it began;
 *  - a diff is a unified diff; texts are bounded, and what is cut says so.
 */
import { isDeepStrictEqual } from 'node:util';
import type { BoundedText, Cost, OutputPart, ToolPart, Usage } from '../../core/model/output.ts';
import type { TurnId } from '../../core/model/ids.ts';
import type { AgentEvent } from '../../agents/port.ts';
import { toolTextMaxBytes } from '../../agents/shared/parts.ts';
import { turnTextMax } from '../../agents/shared/turn-output.ts';

interface Said {
  text: string;
  readonly usages: Usage[];
  readonly costs: Cost[];
  readonly tools: Map<string, ToolPart>;
}

const nothingSaid = (): Said => ({ text: '', usages: [], costs: [], tools: new Map() });

/** The line that says what is missing comes on top. */
const boundMax = toolTextMaxBytes + 100;

export class OutputRules {
  readonly #turns = new Map<TurnId, Said>();
  /** A result may come twice: the core drops the second one. */
  readonly #ended = new Set<TurnId>();
  readonly #breach: (what: string) => void;

  constructor(breach: (what: string) => void) {
    this.#breach = breach;
  }

  take(event: AgentEvent): void {
    if (event.type === 'output') {
      this.#part(event.part, event.turn);
    } else if (event.type === 'result') {
      this.#result(event);
    }
  }

  #part(part: OutputPart, turn: TurnId | null): void {
    if (part.kind === 'tool') {
      this.#bounds(part);
    }
    if (turn === null) {
      return;
    }
    const said = this.#turns.get(turn) ?? nothingSaid();
    this.#turns.set(turn, said);
    switch (part.kind) {
      case 'text':
        said.text += part.text;
        return;
      case 'retraction':
        said.text = said.text.slice(0, said.text.length - part.length);
        return;
      case 'usage': {
        const { kind: _, ...usage } = part;
        said.usages.push(usage);
        return;
      }
      case 'cost': {
        const { kind: _, ...cost } = part;
        said.costs.push(cost);
        return;
      }
      case 'tool':
        this.#tool(part, said);
        return;
      case 'thinking':
      case 'plan':
      case 'notice':
      case 'raw':
    }
  }

  #tool(part: ToolPart, { tools }: Said): void {
    const what = `tool ${part.id ?? 'without an id'}`;
    const { startedAt = 0, endedAt = Infinity } = part;
    this.#hold(part.name !== '' && part.title !== '', `${what} has no name or no title`);
    this.#hold(startedAt <= endedAt, `${what} ended before it started`);
    this.#hold(part.status !== 'started' || part.endedAt === undefined, `${what} runs, and has an end`);
    const before = part.id === null ? undefined : tools.get(part.id);
    if (before !== undefined) {
      this.#hold(before.status === 'started', `${what} continues after its end`);
      this.#hold(before.action === part.action, `${what} has become another tool`);
      this.#hold(before.startedAt === part.startedAt, `${what} has started twice`);
    }
    if (part.id !== null) {
      tools.set(part.id, part);
    }
  }

  #bounds({ id, input, output, diffs = [] }: ToolPart): void {
    const what = `tool ${id ?? 'without an id'}`;
    for (const text of [input, output, ...diffs.map(({ unified }) => unified)]) {
      if (text !== undefined) {
        this.#hold(isBounded(text), `${what} has an unbounded text`);
      }
    }
    for (const { path, unified } of diffs) {
      this.#hold(
        path !== '' && /^--- .*\n\+\+\+ .*\n(?:@@ |$)/.test(unified.text),
        `${what} has no unified diff of ${path}`,
      );
    }
  }

  #result({ turn, result: { report, empty } }: Extract<AgentEvent, { type: 'result' }>): void {
    if (this.#ended.has(turn)) {
      return;
    }
    const said = this.#turns.get(turn) ?? nothingSaid();
    this.#turns.delete(turn);
    this.#ended.add(turn);
    const text = said.text.slice(0, turnTextMax);
    this.#hold(
      report.text === text,
      `turn ${turn}: the report has ${shown(report.text)}, the pieces are ${shown(text)}`,
    );
    this.#hold(empty === (report.text === ''), `turn ${turn}: \`empty\` is ${empty}`);
    const [usages, costs] = [report.usage, report.cost].map((one) => (one === undefined ? [] : [one]));
    this.#hold(isDeepStrictEqual(said.usages, usages), `turn ${turn}: its usage is not one part before its result`);
    this.#hold(isDeepStrictEqual(said.costs, costs), `turn ${turn}: its cost is not one part before its result`);
  }

  #hold(holds: boolean, breach: string): void {
    if (!holds) {
      this.#breach(breach);
    }
  }
}

const shown = (text: string): string => JSON.stringify(text.length > 100 ? `…${text.slice(-100)}` : text);

const isBounded = ({ text, omittedBytes }: BoundedText): boolean =>
  Buffer.byteLength(text) <= boundMax &&
  (omittedBytes === undefined || text.includes(`… ${omittedBytes} bytes omitted …`));
