/**
 * The way of one node to its database, as a TCP proxy: a test breaks it as networks break, for this node alone, and needs no rights for
 * that.
 *
 * Owns: every connection through it. Its server may move to another port, as behind the address of a failover.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * How the way is. `silent`: nothing arrives, and nothing says so. `mute`: what the node sends does not arrive. `deaf`: what the server
 * answers does not arrive. `late`: nothing arrives until the way is open again, and then all of it does. `closed`: connections end.
 */
export type Way = 'open' | 'closed' | 'silent' | 'mute' | 'deaf' | 'late';

/** Where a commit is cut: after so many bytes of its statement, or of its answer. */
export interface CommitCut {
  readonly of: 'statement' | 'answer';
  readonly bytes: number;
}

export interface LinkProxy extends AsyncDisposable {
  readonly port: number;
  /** Of all connections, or of those that listen for notifications alone. */
  set(way: Way, which?: 'all' | 'hints'): void;
  /** Asked for each commit that passes; null: it passes whole. */
  cutCommits(next: () => CommitCut | null): void;
  /** Connections that ended in a commit so far. */
  readonly commitsCut: number;
  /** From now on connections lead to this port; those that are open end. */
  lead(port: number): void;
}

/** What only these statements of the store have. */
const commitMark = '.runs (session, tape, first_seq';
const listenMark = 'LISTEN "';

interface Ways {
  way: Way;
  hints: Way;
  target: number;
  nextCut: () => CommitCut | null;
  commitsCut: number;
}

/**
 * One connection through the proxy.
 *  link-proxy/1 While the way is broken neither side learns that the other has ended: the server keeps what the connection holds.
 *  link-proxy/2 A connection that lost a byte carries nothing more once the way is open again.
 */
class Connection {
  readonly #ways: Ways;
  readonly #node: Socket;
  readonly #server: Socket | null;
  #broken: boolean;
  #listens = false;
  /** One side has ended. */
  #over = false;
  /** It ends when what was written has left. */
  #isCut = false;
  #held: (() => void)[] = [];
  /** Bytes of the answer that still pass; null: all. */
  #answerLeft: number | null = null;

  constructor(node: Socket, ways: Ways, onGone: (connection: Connection) => void) {
    this.#ways = ways;
    this.#node = node;
    this.#broken = ways.way === 'silent' || ways.way === 'mute';
    this.#server = this.#broken ? null : connect({ port: ways.target, host: '127.0.0.1' });
    const sockets = new Set(this.#server === null ? [node] : [node, this.#server]);
    for (const socket of sockets) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        this.#over = true;
        this.turn();
        if (sockets.size === 0) {
          onGone(this);
        }
      });
    }
    node.on('data', (chunk: Buffer) => this.#fromNode(chunk));
    this.#server?.on('data', (chunk: Buffer) => this.#fromServer(chunk));
  }

  get #way(): Way {
    const { way, hints } = this.#ways;
    return way === 'open' && this.#listens ? hints : way;
  }

  end(): void {
    if (!this.#isCut) {
      this.#node.destroy();
      this.#server?.destroy();
    }
  }

  /** The way has changed, or a side has ended. */
  turn(): void {
    const way = this.#way;
    if (way === 'open') {
      for (const pass of this.#held.splice(0)) {
        pass();
      }
    }
    if (way === 'closed' || (way === 'open' && this.#broken)) {
      this.end();
    } else if (way === 'open' && this.#over) {
      this.#node.destroySoon();
      this.#server?.destroySoon();
    }
  }

  #fromNode(chunk: Buffer): void {
    if (!this.#listens && chunk.includes(listenMark)) {
      this.#listens = true;
      this.turn();
    }
    this.#pass('mute', () => {
      const cut = chunk.includes(commitMark) ? this.#ways.nextCut() : null;
      if (cut === null) {
        this.#server?.write(chunk);
      } else if (cut.of === 'statement') {
        this.#cutAfter(this.#server, chunk.subarray(0, cut.bytes % chunk.length));
      } else {
        this.#answerLeft = cut.bytes;
        this.#server?.write(chunk);
      }
    });
  }

  #fromServer(chunk: Buffer): void {
    this.#pass('deaf', () => {
      const left = this.#answerLeft;
      if (left === null || chunk.length <= left) {
        this.#node.write(chunk);
        this.#answerLeft = left === null ? null : left - chunk.length;
      } else {
        this.#cutAfter(this.#node, chunk.subarray(0, left));
      }
    });
  }

  #pass(lostBy: Way, pass: () => void): void {
    const way = this.#way;
    if (way === 'late') {
      this.#held.push(pass);
    } else if (way === 'silent' || way === lostBy) {
      this.#broken = true;
    } else {
      pass();
    }
  }

  /** These bytes still arrive; the connection ends behind them, on both sides. */
  #cutAfter(socket: Socket | null, bytes: Buffer): void {
    if (this.#isCut) {
      return;
    }
    this.#ways.commitsCut += 1;
    this.#isCut = true;
    socket?.write(bytes);
    socket?.destroySoon();
    (socket === this.#node ? this.#server : this.#node)?.destroy();
  }
}

/** `host`: where it listens. */
export async function openLinkProxy(target: number, host = '127.0.0.1'): Promise<LinkProxy> {
  const ways: Ways = { way: 'open', hints: 'open', target, nextCut: () => null, commitsCut: 0 };
  const open = new Set<Connection>();
  const server = createServer((node) => {
    if (ways.way === 'closed') {
      node.destroy();
    } else {
      open.add(new Connection(node, ways, (connection) => open.delete(connection)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    set: (way, which = 'all') => {
      ways[which === 'all' ? 'way' : 'hints'] = way;
      open.forEach((connection) => connection.turn());
    },
    cutCommits: (next) => (ways.nextCut = next),
    get commitsCut() {
      return ways.commitsCut;
    },
    lead: (to) => {
      ways.target = to;
      open.forEach((connection) => connection.end());
    },
    async [Symbol.asyncDispose]() {
      open.forEach((connection) => connection.end());
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
