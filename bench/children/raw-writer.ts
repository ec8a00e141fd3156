/**
 * A plain TCP server. `send`: writes an event to each connection, one write for each of both, `count` times.
 * `replay`: reads the rows of a tape in pages and writes each page to the connection, as server-sent events.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { nowNs } from '../harness.ts';
import { RawStore } from '../support/raw-store.ts';
import { options, serve } from './serve.ts';

const { path, rows, data } = options<{ readonly path?: string; readonly rows?: number; readonly data?: string }>();

let sockets: Socket[] = [];
const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  sockets.push(socket);
  socket.write('hello\n');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

const store = path === undefined ? null : new RawStore(path, 'process');
if (store !== null) {
  store.begin();
  for (let seq = 1; seq <= (rows ?? 0); seq += 1) {
    store.event(1, seq, 1_700_000_000_000, 'output', data ?? '');
  }
  store.commit();
}

async function send(event: string, count: number): Promise<void> {
  const bytes = Buffer.from(event);
  for (let at = 0; at < count; at += 1) {
    for (const socket of sockets) {
      socket.write(bytes);
    }
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

async function replay(): Promise<void> {
  const [socket] = sockets;
  if (socket === undefined || store === null) {
    throw new Error('there is nobody to send to');
  }
  for (const page of store.pages(1, 500)) {
    let text = '';
    for (const { seq, at, type, data: json } of page) {
      text += `id: ${String(seq)}\ndata: {"seq":${String(seq)},"at":${String(at)},"type":"${String(type)}","data":${String(json)}}\n\n`;
    }
    if (!socket.write(text)) {
      await once(socket, 'drain');
    }
  }
}

serve(
  { port: (server.address() as AddressInfo).port },
  async (message) => {
    const began = String(nowNs());
    if (message['do'] === 'send') {
      await send(String(message['event']), Number(message['count']));
    } else if (message['do'] === 'replay') {
      await replay();
    } else {
      for (const socket of sockets) {
        socket.destroy();
      }
      sockets = [];
    }
    return { began };
  },
  () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
    store?.[Symbol.dispose]();
  },
);
