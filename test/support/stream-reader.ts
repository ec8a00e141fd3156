/** A reader of server-sent events on a bare socket, which can stop reading and go away. */
import type { Socket } from 'node:net';
import { createParser } from 'eventsource-parser';
import type { TapeEvent } from '../../src/protocol/index.ts';
import type { Door } from './door.ts';
import { openSocket, token } from './door.ts';

interface Message {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: TapeEvent & { readonly reason?: string; readonly position?: string };
}

/** A reader on a bare socket: what came, in which reads, and when it ended. */
export class Reader {
  readonly messages: Message[] = [];
  /** How many messages were complete after each read of the socket. */
  readonly reads: number[] = [];
  head = '';
  bytes = 0;
  comments = 0;
  readonly ended: Promise<void>;
  #over = false;
  #woken = Promise.withResolvers<void>();
  readonly #socket: Socket;
  readonly #parser = createParser({
    onEvent: ({ id, event, data }) => void this.messages.push({ id, event, data: JSON.parse(data) as Message['data'] }),
    onComment: () => void this.comments++,
  });

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#over = true;
        resolve(this.#woken.resolve());
      });
    });
  }

  #read(chunk: Buffer): void {
    this.bytes += chunk.length;
    let text = chunk.toString();
    if (!this.head.includes('\r\n\r\n')) {
      this.head += text;
      const end = this.head.indexOf('\r\n\r\n');
      text = end < 0 ? '' : this.head.slice(end + 4);
      if (end >= 0) {
        this.head = this.head.slice(0, end + 4);
      }
    }
    this.#parser.feed(text);
    this.reads.push(this.messages.length);
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }

  /** Fails when the connection ends before that. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#over) {
        throw new Error(`the stream ended after ${this.messages.length} messages, ${this.head.split('\r\n')[0]}`);
      }
      await this.#woken.promise;
    }
  }

  get seqs(): number[] {
    return this.messages.filter(({ event }) => event === undefined).map(({ data }) => data.seq);
  }

  get notices(): { event: string | undefined; reason: string | undefined; id: string | undefined }[] {
    return this.messages
      .filter(({ event }) => event !== undefined)
      .map(({ event, data, id }) => ({ event, reason: data.reason, id }));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  drop(): void {
    this.#socket.destroy();
  }
}

export async function read(door: Door, path: string, lastEventId?: string): Promise<Reader> {
  const socket = await openSocket(door.port);
  const reader = new Reader(socket);
  const resume = lastEventId === undefined ? '' : `last-event-id: ${lastEventId}\r\n`;
  socket.write(
    `GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\naccept: text/event-stream\r\n${resume}\r\n`,
  );
  await reader.until(() => reader.head.includes('\r\n\r\n'));
  return reader;
}
