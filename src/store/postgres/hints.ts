/**
 * Hints of a node: those that it hears, and those of its commits, which it sends at most every few milliseconds.
 *
 * Owns: the listening connection, which is there from the first listener on, and the timer of the next hint. Called by: `PostgresNodes`.
 *  postgres-hints/1 A hint names its sender, and a node does not hear its own.
 *  postgres-hints/2 Letters are told to all where no node has their session: then whoever looks for free sessions finds it.
 *  postgres-hints/3 No caller waits for a hint, and one that cannot be sent is lost.
 */
import { createHash } from 'node:crypto';
import type { Hint, NodeId } from '../nodes.ts';
import type { Database } from './database.ts';
import type { Statements } from './sql.ts';

/** Between two hints of commits. */
const everyMs = 20;

interface HintsParts {
  readonly database: Database;
  readonly sql: Pick<Statements, 'notify'>;
  readonly schema: string;
}

const all: readonly Hint[] = ['letters', 'events', 'nodes', 'throttles'];

export class Hints {
  readonly #parts: HintsParts;
  readonly #listeners = new Set<(hint: Hint) => void>();
  /** A name has at most 63 bytes, and a schema's may have as many. */
  readonly #prefix: string;
  #me: NodeId | null = null;
  #stopListening: (() => Promise<void>) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #again = false;

  constructor(parts: HintsParts) {
    this.#parts = parts;
    this.#prefix = `signalbox_${createHash('sha256').update(parts.schema).digest('hex').slice(0, 16)}_`;
  }

  /** Who it is from now on. */
  join(id: NodeId): void {
    this.#me = id;
    const before = this.#stopListening;
    this.#stopListening = null;
    void before?.();
    this.#listen();
  }

  /** Before the number of a node, or `all`. */
  get prefix(): string {
    return this.#prefix;
  }

  get toAll(): string {
    return `${this.#prefix}all`;
  }

  payload(hint: Hint): string {
    return `${hint} ${this.#me ?? ''}`;
  }

  onHint(listener: (hint: Hint) => void): () => void {
    // Each its own, so that a function that listens twice is stopped once.
    const heard = (hint: Hint): void => listener(hint);
    this.#listeners.add(heard);
    this.#listen();
    return () => void this.#listeners.delete(heard);
  }

  events(): void {
    if (this.#timer !== null) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#again) {
        this.events();
      }
    }, everyMs);
    this.send('events');
  }

  /** To all others. */
  send(hint: Hint): void {
    const { database, sql } = this.#parts;
    database.mail(sql.notify, [this.toAll, this.payload(hint)]).catch(() => {});
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    this.#again = false;
    await this.#stopListening?.();
  }

  #listen(): void {
    if (this.#stopListening !== null || this.#me === null || this.#listeners.size === 0) {
      return;
    }
    const channels = [this.toAll, `${this.#prefix}${this.#me}`];
    const hear = (payload: string, channel: string): void => {
      const [hint, from] = payload.split(' ');
      const known = all.find((one) => one === hint);
      if (known !== undefined && from !== String(this.#me)) {
        this.#tell(known);
        if (known === 'letters' && channel === this.toAll) {
          this.#tell('nodes');
        }
      }
    };
    this.#stopListening = this.#parts.database.listen(channels, hear, () => all.forEach((hint) => this.#tell(hint)));
  }

  #tell(hint: Hint): void {
    for (const listener of this.#listeners) {
      listener(hint);
    }
  }
}
