/** One kept-alive HTTP/1.1 connection by hand: the sender knows when it wrote the last byte, and nothing else takes time. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { nowNs } from '../harness.ts';

interface Answered {
  readonly status: number;
  readonly body: string;
  /** Monotonic nanoseconds just before the request was handed to the socket, in one write. */
  readonly sentAt: bigint;
}

export class Connection implements Disposable {
  readonly #socket: Socket;
  readonly #head: string;
  #received = '';
  #waiting: { readonly resolve: (text: string) => void; readonly reject: (error: Error) => void } | null = null;

  private constructor(socket: Socket, head: string) {
    this.#socket = socket;
    this.#head = head;
    socket.setNoDelay(true);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#look();
    });
    socket.on('error', () => {});
    socket.on('close', () => this.#waiting?.reject(new Error('the connection was closed')));
  }

  static async open(url: string, token: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(
      socket,
      `host: ${host}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`,
    );
  }

  /** One request at a time; the server closes a connection that is left alone for some seconds. Throws on a status of 400 and more. */
  async post(path: string, body: unknown): Promise<Answered> {
    const text = JSON.stringify(body);
    const request = `POST ${path} HTTP/1.1\r\n${this.#head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
    if (this.#socket.destroyed) {
      throw new Error('the connection was closed');
    }
    const answer = new Promise<string>((resolve, reject) => (this.#waiting = { resolve, reject }));
    const sentAt = nowNs();
    this.#socket.write(request);
    const whole = await answer;
    const status = Number(whole.slice(9, 12));
    if (!(status < 400)) {
      throw new Error(whole);
    }
    return { status, body: whole.slice(whole.indexOf('\r\n\r\n') + 4), sentAt };
  }

  #look(): void {
    const end = this.#received.indexOf('\r\n\r\n');
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1];
    if (end < 0 || length === undefined) {
      return;
    }
    const size = end + 4 + Number(length);
    // The answers are ASCII.
    if (this.#received.length < size) {
      return;
    }
    const answer = this.#received.slice(0, size);
    this.#received = this.#received.slice(size);
    this.#waiting?.resolve(answer);
    this.#waiting = null;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
