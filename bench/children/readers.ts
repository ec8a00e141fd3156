/**
 * Readers of streams that only count. `open`: so many connections, each of which sends `request` when there is one, and
 * answers when each has got its first byte. `until`: answers when each has read `marker` so often, with the time of the last.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { nowNs } from '../harness.ts';
import { serve } from './serve.ts';

interface Reader {
  readonly socket: Socket;
  seen: number;
  bytes: number;
  half: Buffer;
}

let readers: Reader[] = [];
let marker = Buffer.from('\n\n');
let wanted = Number.POSITIVE_INFINITY;
let unfinished = 0;
let finished: (() => void) | null = null;

async function open(port: number, count: number, request: string): Promise<void> {
  const made: Reader[] = [];
  // In bunches: the listen queue is short.
  for (let at = 0; at < count; at += 100) {
    const bunch = Array.from({ length: Math.min(100, count - at) }, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      await once(socket, 'connect');
      if (request !== '') {
        socket.write(request);
      }
      const reader: Reader = { socket, seen: 0, bytes: 0, half: Buffer.alloc(0) };
      made.push(reader);
      socket.on('data', (chunk: Buffer) => take(reader, chunk));
      await once(socket, 'data');
    });
    await Promise.all(bunch);
  }
  readers = made;
}

function take(reader: Reader, chunk: Buffer): void {
  reader.bytes += chunk.length;
  // A marker may be cut in two; the part before the cut is kept.
  const whole = reader.half.length === 0 ? chunk : Buffer.concat([reader.half, chunk]);
  let at = whole.indexOf(marker);
  let end = 0;
  while (at >= 0) {
    reader.seen += 1;
    end = at + marker.length;
    at = whole.indexOf(marker, end);
  }
  reader.half = Buffer.from(whole.subarray(Math.max(end, whole.length - marker.length + 1)));
  if (reader.seen >= wanted) {
    reader.seen = Number.NEGATIVE_INFINITY;
    unfinished -= 1;
    if (unfinished === 0) {
      finished?.();
    }
  }
}

async function until(count: number): Promise<object> {
  wanted = count;
  unfinished = readers.length;
  await new Promise<void>((resolve) => {
    finished = resolve;
    for (const reader of readers) {
      take(reader, Buffer.alloc(0));
    }
  });
  const at = String(nowNs());
  const bytes = readers.reduce((sum, reader) => sum + reader.bytes, 0);
  return { at, bytes };
}

const requestOf = ({ request }: { readonly [name: string]: unknown }): string =>
  typeof request === 'string' ? request : '';

function close(): void {
  for (const { socket } of readers) {
    socket.destroy();
  }
  readers = [];
}

serve(
  {},
  async (message) => {
    if (message['do'] === 'open') {
      marker = Buffer.from(String(message['marker']));
      wanted = Number.POSITIVE_INFINITY;
      await open(Number(message['port']), Number(message['count']), requestOf(message));
      return {};
    }
    if (message['do'] === 'until') {
      return until(Number(message['count']));
    }
    close();
    return {};
  },
  close,
);
