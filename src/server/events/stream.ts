/**
 * One reader of server-sent events.
 *
 * Owned by the `Streams` that made it. Calls in: the channel (`onBatch`), the socket (`drain`, `close`), the owner's
 * heartbeat and shutdown. Calls out: reads of the store, writes to the socket.
 *  event-stream/1 `cursor` is the last event written; the next one written is its direct successor, from a page or from a
 *                 batch.
 *  event-stream/2 It joins the channel before its first read, and goes live only after a page that was not full and during
 *                 whose reading no batch went out: so nothing falls between store and channel.
 *  event-stream/3 What it holds in memory is what one page or batch (bounded, but for a single large event) adds past
 *                 `bufferBytes`; a reader behind that is blocked, gets nothing live, and is read for again from the store
 *                 when its socket has drained.
 *  event-stream/4 A reader whose connection has something for it and takes nothing for `slowReaderMs` is cut, and told why: also
 *                 one that is not blocked, since what waits for it would stay for ever. It ends once, for one reason.
 *
 *        ┌────────── drained ──────────┐
 *     reading ── buffer full ──► blocked        any ──► ended
 *      │   ▲                        ▲
 *   caught up  gap                  │
 *      ▼   │                        │
 *      live ─────── buffer full ────┘
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { StreamNotice } from '../../protocol/index.ts';
import type { StoredEvent } from '../../store/port.ts';
import type { Channel, EncodedBatch, Follower } from './hub.ts';
import { free } from '../free.ts';
import { encode } from './hub.ts';
import type { Cursor, Source } from './source.ts';
import { gapSeq } from './source.ts';

export interface StreamCounts {
  events: number;
  bytes: number;
  /** By the reason of the end. */
  readonly ended: Map<EndReason, number>;
}

export type EndReason = 'final' | 'gone' | StreamNotice['reason'];

interface StreamOptions {
  readonly source: Source;
  readonly channel: Channel;
  readonly response: ServerResponse;
  readonly after: Cursor;
  readonly bufferBytes: number;
  readonly slowReaderMs: number;
  readonly now: () => number;
  readonly soon: (run: () => void) => void;
  readonly counts: StreamCounts;
  readonly onEnd: (reason: EndReason, error: unknown) => void;
}

const pageMax = 500;
const pageMin = 2;
/** A page is aimed at this size; events differ by four orders of magnitude. */
const pageBytes = 32_768;

const heartbeat = Buffer.from(': \n\n');

const hints = {
  slow_reader: 'Read faster, and come back with Last-Event-ID: nothing is lost.',
  stream_failed: 'The events could not be read; come back with Last-Event-ID.',
  closing: 'The daemon closes; come back with Last-Event-ID when it is up again.',
} as const satisfies { readonly [reason in StreamNotice['reason']]: string };

export class EventStream implements Follower {
  readonly #options: StreamOptions;
  readonly #socket: Socket;
  #state: 'reading' | 'live' | 'blocked' | 'ended' = 'reading';
  #cursor: Cursor;
  #pageLimit = 64;
  /** Bytes that the connection had taken when it was last seen to take some, and when that was. */
  #taken = 0;
  #takenAt = 0;
  #quiet = false;
  #pumping = false;
  #error: unknown = null;

  /** The response must be the first one still open on its socket. */
  constructor(options: StreamOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    this.#cursor = options.after;
    options.response.on('close', () => this.#finish('gone'));
    socket.on('drain', this.#onDrain);
    options.channel.add(this);
  }

  start(): void {
    const { response } = this.#options;
    // Ended by the close of the connection: every write is one write of the socket, without a chunk's head and tail.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      connection: 'close',
    });
    response.flushHeaders();
    this.#write(Buffer.from('retry: 1000\n\n'));
    void this.#catchUp();
  }

  onBatch(batch: EncodedBatch): void {
    if (this.#state !== 'live') {
      return;
    }
    const at = this.#options.source.indexAfter(batch, this.#cursor);
    if (at !== gapSeq && at >= batch.events.length) {
      return;
    }
    const bytes = at === gapSeq ? null : batch.from(at);
    if (bytes === null) {
      this.#state = 'reading';
      void this.#catchUp();
    } else {
      this.#deliver(bytes, batch.events.length - at, batch.events.at(-1));
    }
  }

  /** Called every `heartbeatMs`: keeps the connection alive, or gives the reader up. */
  tick(): void {
    if (this.#state === 'ended') {
      return;
    }
    if (this.#isStuck()) {
      this.cut('slow_reader');
    } else if (this.#quiet && this.#socket.writableLength === 0) {
      this.#write(heartbeat);
    }
    this.#quiet = true;
  }

  #isStuck(): boolean {
    const unread = this.#socket.writableLength;
    if (unread === 0 || this.#socket.bytesWritten - unread !== this.#taken) {
      this.#noteTaken();
      return false;
    }
    return this.#options.now() - this.#takenAt >= this.#options.slowReaderMs;
  }

  #noteTaken(): void {
    this.#taken = this.#socket.bytesWritten - this.#socket.writableLength;
    this.#takenAt = this.#options.now();
  }

  /** Ends it with a last message that says why; `closing` as `bye`, all else as `cut`. */
  cut(reason: StreamNotice['reason']): void {
    if (this.#state === 'ended') {
      return;
    }
    const notice: StreamNotice = { reason, hint: hints[reason] };
    this.#socket.write(`event: ${reason === 'closing' ? 'bye' : 'cut'}\ndata: ${JSON.stringify(notice)}\n\n`);
    this.#finish(reason);
  }

  async #catchUp(): Promise<void> {
    // A heartbeat may block it during a read, and the drain that follows must not start a second one beside it.
    if (this.#pumping) {
      return;
    }
    this.#pumping = true;
    const { source, channel } = this.#options;
    try {
      while (this.#state === 'reading') {
        const limit = this.#pageLimit;
        const version = channel.version;
        const events = await source.read(this.#cursor, limit);
        if (this.#state !== 'reading') {
          return;
        }
        const sent = this.#deliverPage(events);
        // Delivering may have ended or blocked it.
        if (!this.#isReading()) {
          return;
        }
        if (sent === events.length && sent < limit && channel.version === version) {
          this.#state = 'live';
          channel.vouch(this.#cursor);
          return;
        }
        // The store may answer without a pause, and others want the loop too.
        await new Promise<void>((resolve) => this.#options.soon(resolve));
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#pumping = false;
    }
  }

  #isReading(): boolean {
    return this.#state === 'reading';
  }

  /** Sends what fits of a page, and says how many events that were. */
  #deliverPage(events: readonly StoredEvent[]): number {
    if (events.length === 0) {
      return 0;
    }
    const { bytes, count } = encode(this.#options.source, events, pageBytes);
    this.#pageLimit = Math.max(pageMin, Math.min(pageMax, Math.ceil((count * pageBytes) / bytes.length)));
    this.#deliver(bytes, count, events[count - 1]);
    // Taken whole: what many readers replay would lie about until it is collected.
    if (this.#socket.writableLength === 0) {
      free(bytes);
    }
    return count;
  }

  #deliver(bytes: Buffer, count: number, last: StoredEvent | undefined): void {
    const { source, counts } = this.#options;
    if (last === undefined) {
      return;
    }
    this.#cursor = source.cursorOf(last);
    counts.events += count;
    this.#write(bytes);
    if (source.isLast(last)) {
      this.#finish('final');
    }
  }

  #write(bytes: Buffer): void {
    this.#quiet = false;
    this.#options.counts.bytes += bytes.length;
    if (this.#socket.write(bytes) || this.#state === 'ended') {
      return;
    }
    if (this.#socket.writableLength > this.#options.bufferBytes) {
      this.#state = 'blocked';
      this.#noteTaken();
    }
  }

  readonly #onDrain = (): void => {
    if (this.#state !== 'blocked') {
      return;
    }
    this.#state = 'reading';
    void this.#catchUp();
  };

  #fail(error: unknown): void {
    this.#error = error;
    this.cut('stream_failed');
  }

  #finish(reason: EndReason): void {
    if (this.#state === 'ended') {
      return;
    }
    this.#state = 'ended';
    const { channel, counts, response, onEnd } = this.#options;
    channel.remove(this);
    this.#socket.off('drain', this.#onDrain);
    counts.ended.set(reason, (counts.ended.get(reason) ?? 0) + 1);
    if (reason !== 'gone') {
      response.end();
    }
    onEnd(reason, this.#error);
  }
}
