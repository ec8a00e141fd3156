/**
 * All open streams and waiting long polls of one server: their number is bounded, they share one heartbeat timer, and
 * they end with the server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../runtime/clock.ts';
import type { Signalbox } from '../../runtime/api.ts';
import type { Logger, ServerLimits } from '../options.ts';
import { ProblemError } from '../respond.ts';
import type { FeedEvent } from '../../store/port.ts';
import type { EncodedBatch, Follower } from './hub.ts';
import { Hub } from './hub.ts';
import type { Cursor, Source } from './source.ts';
import type { EndReason, StreamCounts } from './stream.ts';
import { EventStream } from './stream.ts';

/** What a cut reader's socket gets to take the last bytes, before it is closed over them. */
const lingerMs = 5000;

interface StreamsOptions {
  readonly signalbox: Signalbox;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly logger: Logger;
}

export class Streams {
  readonly counts: StreamCounts = { events: 0, bytes: 0, ended: new Map() };
  readonly #options: StreamsOptions;
  readonly #hub: Hub;
  readonly #open = new Set<EventStream>();
  readonly #waits = new Set<() => void>();
  #stopTimer: (() => void) | null = null;
  #closing = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#hub = new Hub(options.signalbox, (run) => options.clock.soon(run));
  }

  get size(): number {
    return this.#open.size;
  }

  get waiting(): number {
    return this.#waits.size;
  }

  /** Throws `too_many_streams` or `closing`, and `bad_request` on a connection whose earlier answer is not through. */
  open(request: IncomingMessage, response: ServerResponse, source: Source, after: Cursor): void {
    this.#admit();
    const { socket } = response;
    if (socket === null || socket !== request.socket) {
      throw new ProblemError('bad_request', {
        detail: 'A stream cannot be pipelined: open it on its own connection.',
      });
    }
    const { limits, clock } = this.#options;
    const stream = new EventStream(
      {
        source,
        channel: this.#hub.channel(source),
        response,
        after,
        bufferBytes: limits.streamBufferBytes,
        slowReaderMs: limits.slowReaderMs,
        now: () => clock.now(),
        soon: (run) => clock.soon(run),
        counts: this.counts,
        onEnd: (reason, error) => this.#onEnd(stream, reason, error, socket),
      },
      socket,
    );
    this.#open.add(stream);
    this.#startHeartbeat();
    stream.start();
  }

  /**
   * Long poll: what `read` gives, or, while that is not `done`, what it gives after the next event, at most `seconds` later. `wakes`: events after
   * which it may be another answer; default: all.
   */
  async wait<T>(
    response: ServerResponse,
    source: Source,
    seconds: number,
    read: () => Promise<T>,
    done: (page: T) => boolean,
    wakes: (event: FeedEvent) => boolean = () => true,
  ): Promise<T> {
    if (seconds === 0) {
      return read();
    }
    this.#admit();
    const channel = this.#hub.channel(source);
    const wake = new Wake(wakes);
    channel.add(wake);
    const end = (): void => wake.end();
    const stopTimer = this.#options.clock.timer(seconds * 1000, end);
    response.on('close', end);
    if (response.destroyed) {
      // Its client left before this: it hears of no close any more.
      end();
    }
    this.#waits.add(end);
    try {
      for (;;) {
        const next = wake.next();
        const page = await read();
        if (done(page) || wake.ended) {
          return page;
        }
        await next;
      }
    } finally {
      stopTimer();
      response.off('close', end);
      this.#waits.delete(end);
      channel.remove(wake);
    }
  }

  /** Streams get `bye`; long polls are answered with the events so far. */
  close(): void {
    this.#closing = true;
    this.#stopHeartbeat();
    for (const stream of this.#open) {
      stream.cut('closing');
    }
    for (const end of this.#waits) {
      end();
    }
  }

  #admit(): void {
    const { maxStreams } = this.#options.limits;
    if (this.#closing) {
      throw new ProblemError('closing');
    }
    if (this.#open.size + this.#waits.size >= maxStreams) {
      throw new ProblemError('too_many_streams', {
        detail: `At most ${maxStreams} streams and long polls may be open.`,
      });
    }
  }

  #onEnd(stream: EventStream, reason: EndReason, error: unknown, socket: Socket): void {
    const { clock, limits, logger } = this.#options;
    this.#open.delete(stream);
    if (this.#open.size === 0) {
      this.#stopHeartbeat();
    }
    if (error !== null) {
      logger.error({ err: error }, 'a stream could not be read');
    }
    if (socket.destroyed) {
      return;
    }
    // A reader that does not read would keep its socket and buffer forever.
    const stop = clock.timer(reason === 'final' ? limits.slowReaderMs : lingerMs, () => socket.destroy());
    socket.once('close', stop);
  }

  #startHeartbeat(): void {
    if (this.#stopTimer !== null || this.#open.size === 0) {
      return;
    }
    this.#stopTimer = this.#options.clock.timer(this.#options.limits.heartbeatMs, () => {
      this.#stopTimer = null;
      for (const stream of this.#open) {
        stream.tick();
      }
      this.#startHeartbeat();
    });
  }

  #stopHeartbeat(): void {
    this.#stopTimer?.();
    this.#stopTimer = null;
  }
}

/** A follower that only wants to know that something happened. */
class Wake implements Follower {
  ended = false;
  readonly #wakes: (event: FeedEvent) => boolean;
  #resolve: () => void = () => {};

  constructor(wakes: (event: FeedEvent) => boolean) {
    this.#wakes = wakes;
  }

  /** Resolves at the next batch, or at once when it has ended. */
  next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    if (this.ended) {
      resolve();
    }
    return promise;
  }

  onBatch({ events }: EncodedBatch): void {
    if (events.some(this.#wakes)) {
      this.#resolve();
    }
  }

  end(): void {
    this.ended = true;
    this.#resolve();
  }
}
