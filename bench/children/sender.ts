/** Sends deliveries over kept-alive connections, the next on each as soon as the last is answered. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { nowNs } from '../harness.ts';
import { commentBody, requestFor } from '../support/delivery.ts';
import { options, serve } from './serve.ts';

const { bytes, repos } = options<{ readonly bytes: number; readonly repos: number }>();
let ids = 0;

async function send(port: number, connections: number, count: number): Promise<object> {
  const host = `127.0.0.1:${port}`;
  // Cut at the delivery id, so that a request costs the sender next to nothing.
  const requests = Array.from({ length: repos }, (_, repo) => {
    const [before = '', after = ''] = requestFor(commentBody(repo, bytes), host).split('%ID%');
    return { before: Buffer.from(before), after: Buffer.from(after) };
  });
  let left = count;
  let first = '';
  const one = async (): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const next = (): void => {
      if (left === 0) {
        resolve();
        return;
      }
      left -= 1;
      ids += 1;
      const request = requests[ids % requests.length];
      if (request === undefined) {
        return;
      }
      const id = Buffer.from(
        `00000000-0000-4000-8000-${String(process.pid % 1e6).padStart(6, '0')}${String(ids % 1e6).padStart(6, '0')}`,
      );
      socket.write(Buffer.concat([request.before, id, request.after]));
    };
    socket.on('data', (chunk: Buffer) => {
      // Answers are short and come whole; anything but 202 is an error.
      const text = chunk.toString('latin1');
      if (first === '') {
        first = text;
      }
      if (text.startsWith('HTTP/1.1 202')) {
        next();
      } else {
        reject(new Error(text));
      }
    });
    socket.on('error', reject);
    next();
    await promise;
    socket.destroy();
  };
  const began = nowNs();
  await Promise.all(Array.from({ length: connections }, one));
  return { perSecond: (count * 1e9) / Number(nowNs() - began), first };
}

serve(
  {},
  ({ port, connections, count }) => send(Number(port), Number(connections), Number(count)),
  () => {},
);
