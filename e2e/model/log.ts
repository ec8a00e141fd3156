/**
 * What the fake model saw, in order: requests, answers, and who closed each connection. All events are kept, so that a test
 * can look at earlier ones and wait for later ones.
 */
import type { Asked } from './conversation.ts';
import { digest } from './conversation.ts';
import type { Wanted } from './event-log.ts';
import { EventLog } from './event-log.ts';

interface Stamp {
  /** Milliseconds on the clock of the server's options. */
  readonly at: number;
  /** Number of the HTTP request, from 1. */
  readonly no: number;
}

export interface RequestEvent extends Stamp {
  readonly type: 'request';
  readonly method: string;
  readonly path: string;
  readonly asked: Asked;
  /** What is played, as the directive was written; `schema`: the caller wants structure, and gets it. */
  readonly plays: string;
  /** Which step of several. */
  readonly step: number;
  /** The text that decided. */
  readonly cue: string;
}

export type ModelEvent =
  | RequestEvent
  /** Counts of tokens, lists of models, `HEAD /`, or an unknown request (404). */
  | (Stamp & { readonly type: 'other'; readonly method: string; readonly path: string; readonly status: number })
  /** The first byte of a streamed answer is written. */
  | (Stamp & { readonly type: 'began' })
  /** A `hang` or `hang0` is silent from now on. */
  | (Stamp & { readonly type: 'silent' })
  | (Stamp & {
      readonly type: 'ended';
      readonly how: 'answered' | 'refused' | 'failed' | 'dropped';
      readonly pieces: number;
    })
  /** The client closed its connection before the answer was over: an interrupt has reached the model. */
  | (Stamp & { readonly type: 'closed'; readonly pieces: number });

export type EventOf<T extends ModelEvent['type']> = Extract<ModelEvent, { type: T }>;

export class ModelLog {
  readonly #seen = new EventLog<ModelEvent>(line);
  readonly #onEvent: (event: ModelEvent) => void;

  constructor(onEvent: (event: ModelEvent) => void) {
    this.#onEvent = onEvent;
  }

  get events(): readonly ModelEvent[] {
    return this.#seen.all;
  }

  add(event: ModelEvent): void {
    this.#onEvent(event);
    this.#seen.add(event);
  }

  /** Position of the next event. */
  mark(): number {
    return this.#seen.mark();
  }

  of<T extends ModelEvent['type']>(type: T, from = 0): readonly EventOf<T>[] {
    return this.events.slice(from).filter((event): event is EventOf<T> => event.type === type);
  }

  /** The first event of that type that fits, now or later. Rejects at the deadline with the events that came instead. */
  async next<T extends ModelEvent['type']>(
    type: T,
    fits: (event: EventOf<T>) => boolean,
    wanted: Wanted = {},
  ): Promise<EventOf<T>> {
    const isOf = (event: ModelEvent): event is EventOf<T> => event.type === type;
    const found = await this.#seen.next(`at the model: ${type}`, (event) => isOf(event) && fits(event), wanted);
    // It fits, so it is one.
    return found as EventOf<T>;
  }

  transcript(from = 0): string {
    return this.#seen.tell(from);
  }
}

/** One line of NDJSON; of a conversation only its end. */
export function line(event: ModelEvent): string {
  if (event.type !== 'request') {
    return JSON.stringify(event);
  }
  const { asked, cue: _, ...rest } = event;
  const { items, tools, schema, ...about } = asked;
  const counts = { items: items.length, tools: tools.length, schema: schema !== null };
  return JSON.stringify({ ...rest, ...about, ...counts, tail: digest(items) });
}
