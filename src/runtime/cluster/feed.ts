/**
 * Brings the events that other nodes commit to the listeners of this one, out of the feed of all sessions.
 *
 * Owned by one cluster.
 *  cluster-feed/1 Listeners of a session or of all get events from here alone, in the order of the store's feed, each once.
 *  cluster-feed/2 Nothing that is committed after a listener has joined is left out: the position moves ahead unread only while
 *                 nobody listens, and then with the polls alone: commits that nobody follows cost no read.
 */
import type { FeedPosition, Store } from '../../store/port.ts';
import type { Context } from '../options.ts';
import type { Hub } from '../queries/hub.ts';

const pageSize = 500;

export class ClusterFeed {
  readonly #context: Context;
  readonly #store: Store;
  readonly #hub: Hub;
  #position: FeedPosition | null = null;
  #reading = false;
  #again = false;
  #closed = false;

  constructor(context: Context, hub: Hub) {
    this.#context = context;
    this.#store = context.store;
    this.#hub = hub;
  }

  /** From here on. Before the first listener. */
  async begin(): Promise<void> {
    this.#position = await this.#store.feedEnd(null);
  }

  /** There may be more. */
  wake(): void {
    if (!this.#hub.isIdle) {
      this.poll();
    }
  }

  poll(): void {
    if (this.#reading) {
      this.#again = true;
    } else if (!this.#closed) {
      void this.#read();
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      do {
        this.#again = false;
        if (this.#hub.isIdle) {
          await this.#skip();
        } else {
          await this.#page();
        }
      } while (this.#again && !this.#closed);
    } catch (error) {
      // The next call reads on.
      this.#context.onError(error, 'feed');
    } finally {
      this.#reading = false;
    }
  }

  async #skip(): Promise<void> {
    const end = await this.#store.feedEnd(null);
    if (this.#hub.isIdle) {
      this.#position = end;
    } else {
      this.#again = true;
    }
  }

  async #page(): Promise<void> {
    const events = await this.#store.feed(null, this.#position, pageSize);
    const last = events.at(-1);
    if (last === undefined || this.#closed) {
      return;
    }
    this.#position = last.position;
    this.#again ||= events.length === pageSize;
    this.#hub.publishFeed(events);
  }
}
