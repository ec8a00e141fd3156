/** A TCP proxy that cuts its connections after a random number of bytes from the server, anywhere in a message. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections cut so far. */
  readonly cuts: number;
  /** From now on nothing is cut. */
  spare(): void;
  /** The opposite of `spare`. */
  cut(): void;
}

/** Each connection lives for up to `bytesMax` bytes of the server's. */
export async function openCuttingProxy(
  target: number,
  bytesMax: number,
  random: () => number,
  onCut: () => void = () => {},
): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let cuts = 0;
  let cutting = true;
  const server = createServer((reader) => {
    const upstream = connect({ port: target, host: '127.0.0.1' });
    let left = Math.floor(random() * bytesMax);
    for (const socket of [reader, upstream]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        reader.destroy();
        upstream.destroy();
      });
    }
    reader.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      reader.write(cutting ? chunk.subarray(0, left) : chunk);
      left -= chunk.length;
      if (!cutting || left > 0) {
        return;
      }
      cuts++;
      // What was written before still goes out; the rest is lost with the connection.
      reader.destroySoon();
      upstream.destroy();
      onCut();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    spare: () => (cutting = false),
    cut: () => (cutting = true),
    async [Symbol.asyncDispose]() {
      for (const socket of open) {
        socket.destroy();
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
