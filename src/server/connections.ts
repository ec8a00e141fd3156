/**
 * The open connections, and which of them makes room when there are too many.
 *
 * Owns: the set of open sockets. Called by the server for each new connection, each request and each answer.
 *  connections/1 At most `limit` connections are served at once.
 *  connections/2 A caller that has shown a token never loses its connection to one that has not: what is too much is taken
 *                from the connection without a token that has done nothing for the longest time.
 *  connections/3 A request that has arrived completely keeps its connection until it is answered.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

export class Connections {
  readonly #limit: number;
  readonly #open = new Set<Socket>();
  /** Those that have shown no token, the one with the oldest sign of life first; with the request that is being served. */
  readonly #strangers = new Map<Socket, IncomingMessage | null>();
  /** Connections that have not asked anything yet. Node counts them as busy, so that its `close` would wait for them. */
  readonly #unused = new Set<Socket>();
  readonly #overLimit = new WeakSet<Socket>();
  #refused = 0;
  #cut = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Connections past the limit since the start that were answered so, or dropped. */
  get refused(): number {
    return this.#refused;
  }

  /** Connections without a token that were closed since the start because others needed the room. */
  get cut(): number {
    return this.#cut;
  }

  /** Whether it came when no other could make room for it: its request is only told so. */
  isOverLimit(socket: Socket): boolean {
    return this.#overLimit.has(socket);
  }

  arrived(socket: Socket): void {
    if (this.#open.size >= this.#limit && !this.#makeRoom()) {
      this.#refused++;
      this.#overLimit.add(socket);
    }
    this.#open.add(socket);
    this.#strangers.set(socket, null);
    this.#unused.add(socket);
    socket.on('close', () => this.#forget(socket));
    // Without a listener an error of a hijacked stream would end the process.
    socket.on('error', () => socket.destroy());
  }

  /** Dropped by Node, because too many came at once. */
  dropped(): void {
    this.#refused++;
  }

  requested(socket: Socket, request: IncomingMessage): void {
    this.#unused.delete(socket);
    if (this.#strangers.has(socket)) {
      this.#strangers.set(socket, request);
    }
  }

  /** Its caller has shown a token. */
  known(socket: Socket): void {
    this.#strangers.delete(socket);
  }

  answered(socket: Socket): void {
    if (this.#strangers.delete(socket)) {
      this.#strangers.set(socket, null);
    }
  }

  closeUnused(): void {
    for (const socket of this.#unused) {
      socket.destroy();
    }
  }

  #makeRoom(): boolean {
    for (const [socket, request] of this.#strangers) {
      if (request?.complete !== true) {
        this.#cut++;
        this.#forget(socket);
        socket.destroy();
        return true;
      }
    }
    return false;
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    this.#strangers.delete(socket);
    this.#unused.delete(socket);
  }
}
