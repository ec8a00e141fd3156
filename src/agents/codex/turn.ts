/**
 * One turn of ours with Codex: its two names, what was said in it, and what waits for it.
 *
 * Owned by the agent's handle. Emits nothing: it returns the parts that the handle emits.
 */
import type { OutputPart } from '../../core/model/output.ts';
import type { TurnId } from '../../core/model/ids.ts';
import { textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import type { ProviderFailure } from '../failures.ts';
import { notice } from '../shared/parts.ts';
import type { Interrupt } from './interrupt.ts';
import type { TurnNotification } from './parse.ts';
import type { PermissionRequest } from './permissions.ts';
import { toolPartOf } from './tools.ts';

const itemsMax = 1_000;
/** Signs of life come at most this often. */
const signEveryMs = 10_000;

export class CodexTurn {
  readonly id: TurnId;
  readonly interrupt: Interrupt;
  readonly #wall: () => number;
  /** Codex's name of it; null until the response to `turn/start`. */
  name: string | null = null;
  /** Confirmed by `turn/started`. */
  started = false;
  /** Codex said how it ended. Its result may still wait for what an interrupt left running. */
  over = false;
  /** The last failure after which Codex tried again. */
  retried: ProviderFailure | null = null;
  readonly permissionRequests = new Map<string, PermissionRequest>();
  /** What may be about this turn, and is read once its name is known. */
  readonly untilNamed: (() => void)[] = [];
  /** What came before `started`, which comes first. */
  readonly untilStarted: OutputPart[] = [];
  readonly #items = new Map<string, Fields>();
  readonly #answer = new Paragraphs();
  readonly #thoughts = new Paragraphs();
  readonly #thoughtItems = new Set<string>();
  #text = '';
  #signAt = Number.NEGATIVE_INFINITY;

  /** `wall`: wall-clock ms. */
  constructor(id: TurnId, interrupt: Interrupt, wall: () => number) {
    this.id = id;
    this.interrupt = interrupt;
    this.#wall = wall;
  }

  /** All that was said so far. */
  get text(): string {
    return this.#text;
  }

  /** An item that a permission request names; null: it was not announced, or is not remembered. */
  item(id: string): Fields | null {
    return this.#items.get(id) ?? null;
  }

  remember(item: Fields): void {
    const id = textAt(item, 'id');
    if (id !== null && (this.#items.has(id) || this.#items.size < itemsMax)) {
      this.#items.set(id, item);
    }
  }

  /** What a notification about this turn puts on the tape. */
  partsOf(heard: TurnNotification): readonly OutputPart[] {
    switch (heard.kind) {
      case 'text':
        return this.say(heard.item, heard.piece);
      case 'thinking':
        return this.#think(heard.item, heard.paragraph, heard.piece);
      case 'item':
        return this.#itemParts(heard.item, heard.completed);
      case 'plan':
        return [{ kind: 'plan', entries: heard.entries }];
      case 'working':
        return this.#sign(heard.what);
      case 'turn-started':
      case 'turn-completed':
      case 'error':
      case 'tokens':
        return [];
    }
  }

  /** A piece of the message `item`. */
  say(item: string, piece: string): readonly OutputPart[] {
    if (piece === '') {
      return [];
    }
    const text = this.#answer.add(item, piece);
    this.#text += text;
    return [{ kind: 'text', text }];
  }

  #think(item: string, paragraph: string, piece: string): readonly OutputPart[] {
    if (piece === '') {
      return [];
    }
    this.#thoughtItems.add(item);
    return [{ kind: 'thinking', text: this.#thoughts.add(paragraph, piece) }];
  }

  #itemParts(item: Fields, completed: boolean): readonly OutputPart[] {
    this.remember(item);
    const id = textAt(item, 'id') ?? '';
    if (item['type'] === 'agentMessage') {
      // The whole message, where it did not come in pieces.
      return completed && !this.#answer.has(id) ? this.say(id, textAt(item, 'text') ?? '') : [];
    }
    if (item['type'] === 'reasoning') {
      const whole = completed && !this.#thoughtItems.has(id) ? reasoningIn(item) : '';
      return this.#think(id, id, whole);
    }
    const tool = toolPartOf(item, completed);
    return tool === null ? [] : [tool];
  }

  /** Without signs of life a turn whose command is silent on the tape would look like one that hangs. */
  #sign(what: string): readonly OutputPart[] {
    const now = this.#wall();
    if (now - this.#signAt < signEveryMs) {
      return [];
    }
    this.#signAt = now;
    return [notice('working', what)];
  }
}

/** Text that comes in pieces of several paragraphs; an empty line parts two of them. */
class Paragraphs {
  readonly #begun = new Set<string>();

  has(paragraph: string): boolean {
    return this.#begun.has(paragraph);
  }

  /** Returns the piece as it continues the text. */
  add(paragraph: string, piece: string): string {
    const opens = !this.#begun.has(paragraph) && this.#begun.size > 0;
    this.#begun.add(paragraph);
    return opens ? `\n\n${piece}` : piece;
  }
}

function reasoningIn(item: Fields): string {
  const said = (name: string): readonly unknown[] => {
    const list = item[name];
    return Array.isArray(list) ? list : [];
  };
  const summary = said('summary');
  return (summary.length > 0 ? summary : said('content')).filter((one) => typeof one === 'string').join('\n\n');
}
