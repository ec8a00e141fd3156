/**
 * The way out of a sandbox whose network is a list of hosts: a proxy for HTTP and for everything that speaks through CONNECT. It listens
 * on the loopback of the sandbox, by a server that was made there, and connects from here.
 *
 * Owned by one child, and ended with it. Invariants:
 *  host-proxy/1 No connection is made to a host or a port that the list does not have. A name is compared as the program wrote it: an
 *               address is not on a list of names.
 *  host-proxy/2 A program has at most `connectionsMax` connections. When it ends they end, in both directions.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** In the sandbox, whose loopback is its own. */
export const proxyPort = 3128;

/** Run in the sandbox by Node before the program: makes the server, hands it over, and ends. */
export const makeServer: string = [
  "const server = require('node:net').createServer();",
  "process.once('message', () => process.exit(0));",
  `server.listen(${proxyPort}, '127.0.0.1', () => process.send('listens', server));`,
].join('');

const connectionsMax = 256;
/** Of an entry without a port. */
const webPorts: readonly number[] = [80, 443];

interface Target {
  readonly host: string;
  readonly port: number;
}

/** `example.org`, `*.example.org` for every name below it, `localhost:8080`. */
export function isListed({ host, port }: Target, hosts: readonly string[]): boolean {
  return hosts.some((entry) => {
    const [, name = '', digits] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    const hasPort = digits === undefined ? webPorts.includes(port) : port === Number(digits);
    const hasName = name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name;
    return hasPort && hasName;
  });
}

function targetOf(authority: string, byDefault: number): Target | null {
  const [, host = '', digits] = /^([^:/[\]\s]+)(?::(\d{1,5}))?$/.exec(authority.toLowerCase()) ?? [];
  return host === ''
    ? null
    : { host: host.replace(/\.$/, ''), port: digits === undefined ? byDefault : Number(digits) };
}

export class HostProxy {
  readonly #hosts: readonly string[];
  readonly #http = createServer((from, to) => this.#forward(from, to));
  readonly #open = new Set<Duplex>();
  #server: Server | null = null;
  #ended = false;

  constructor(hosts: readonly string[]) {
    this.#hosts = hosts;
    this.#http.on('connect', (from: IncomingMessage, socket: Duplex, head: Buffer) => this.#tunnel(from, socket, head));
    // A malformed request.
    this.#http.on('clientError', (_error, socket) => socket.destroy());
  }

  serve(server: Server): void {
    this.#server = server;
    server.on('error', () => {});
    server.on('connection', (socket: Socket) => {
      if (this.#open.size < 2 * connectionsMax && this.#keep(socket)) {
        this.#http.emit('connection', socket);
      } else {
        socket.destroy();
      }
    });
    if (this.#ended) {
      server.close();
    }
  }

  end(): void {
    this.#ended = true;
    this.#server?.close();
    for (const stream of this.#open) {
      stream.destroy();
    }
  }

  #keep(stream: Duplex): boolean {
    this.#open.add(stream);
    stream.on('error', () => stream.destroy());
    stream.once('close', () => this.#open.delete(stream));
    return !this.#ended;
  }

  #tunnel(from: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = targetOf(from.url ?? '', 443);
    if (target === null || !isListed(target, this.#hosts)) {
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${refusal(from.url ?? '')}`,
      );
      return;
    }
    const outside = connect(target.port, target.host);
    this.#keep(outside);
    socket.once('close', () => outside.destroy());
    outside.once('close', () => socket.destroy());
    outside.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      outside.write(head);
      outside.pipe(socket).pipe(outside);
    });
  }

  #forward(from: IncomingMessage, to: ServerResponse): void {
    const url = URL.canParse(from.url ?? '') ? new URL(from.url ?? '') : null;
    const target = url?.protocol === 'http:' ? targetOf(url.host, 80) : null;
    if (url === null || target === null || !isListed(target, this.#hosts)) {
      to.writeHead(403, { 'content-type': 'text/plain', connection: 'close' }).end(refusal(from.url ?? ''));
      return;
    }
    const { method } = from;
    // The host that was judged, whatever the program says of it.
    const headers = { ...from.headers, host: url.host };
    const path = `${url.pathname}${url.search}`;
    const sent = request({ host: target.host, port: target.port, method, path, headers, agent: false }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    sent.on('socket', (outside) => this.#keep(outside));
    sent.on('error', () => to.destroy());
    to.once('close', () => sent.destroy());
    from.pipe(sent);
  }
}

const refusal = (to: string): string => `agent.network of Signalbox does not list this host: ${to.slice(0, 300)}\n`;
