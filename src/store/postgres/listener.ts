/**
 * Listens for notifications, on a connection of its own that is opened again whenever it ends.
 *
 * Owns: the connection, and the timer until the next. Called by: the hints of a node.
 *  postgres-listener/1 It never fails: without a connection, or behind a pooler that keeps notifications back, nothing is heard.
 *  postgres-listener/2 When it is there again after it was away, it says that it may have missed something.
 */
import pg from 'pg';

interface ListenOptions {
  readonly connectionString: string;
  readonly channels: readonly string[];
  readonly hear: (payload: string, channel: string) => void;
  readonly missed: () => void;
}

/** Milliseconds before the next try: they double up to the second. */
const firstPauseMs = 200;
const lastPauseMs = 10_000;
const connectMs = 10_000;

/** Gives what stops it. */
export function listen(options: ListenOptions): () => Promise<void> {
  const listener = new Listener(options);
  return () => listener.stop();
}

class Listener {
  readonly #options: ListenOptions;
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  #failures = 0;
  #wasAway = false;
  #stopped = false;

  constructor(options: ListenOptions) {
    this.#options = options;
    void this.#open();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
    this.#drop(this.#client);
    await this.#ended;
  }

  async #open(): Promise<void> {
    const { connectionString, channels, hear } = this.#options;
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      application_name: 'signalbox',
    });
    this.#client = client;
    client.on('notification', ({ payload, channel }) => hear(payload ?? '', channel));
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    try {
      await client.connect();
      for (const channel of channels) {
        await client.query(`LISTEN "${channel}"`);
      }
    } catch {
      this.#drop(client);
      return;
    }
    if (this.#client === client) {
      this.#failures = 0;
      if (this.#wasAway) {
        this.#options.missed();
      }
    }
  }

  /** Once for each. */
  #drop(client: pg.Client | null): void {
    if (client === null || this.#client !== client) {
      return;
    }
    this.#client = null;
    this.#ended = client.end().catch(() => {});
    if (!this.#stopped) {
      this.#wasAway = true;
      const ms = Math.min(firstPauseMs * 2 ** this.#failures, lastPauseMs);
      this.#failures += 1;
      this.#timer = setTimeout(() => void this.#open(), ms);
      this.#timer.unref();
    }
  }
}
