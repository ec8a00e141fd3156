/** The proxy of the campaign: what it does to a connection, so that a fault of its own is not taken for one of a node. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LinkProxy, openLinkProxy } from '../../support/link-proxy.ts';

const commit = 'INSERT INTO "s".runs (session, tape, first_seq, and more';

let server: ReturnType<typeof createServer>;
let proxy: LinkProxy;
let node: Socket;
let far: Socket;
let sockets: Socket[] = [];

/** All that a socket has got so far. */
const got = new Map<Socket, string>();
const keep = (socket: Socket): Socket => {
  got.set(socket, '');
  socket.on('data', (chunk) => got.set(socket, `${got.get(socket) ?? ''}${String(chunk)}`));
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
};
const until = async (socket: Socket, text: string): Promise<void> => {
  while (!(got.get(socket) ?? '').includes(text)) {
    await once(socket, 'data');
  }
};
const gone = async (socket: Socket): Promise<void> => {
  if (!socket.closed) {
    await once(socket, 'close');
  }
};

async function open(): Promise<{ readonly node: Socket; readonly far: Socket }> {
  const accepted = once(server, 'connection');
  const here = keep(connect(proxy.port, '127.0.0.1'));
  const [there] = (await accepted) as [Socket];
  return { node: here, far: keep(there) };
}

beforeEach(async () => {
  server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  proxy = await openLinkProxy((server.address() as AddressInfo).port);
  ({ node, far } = await open());
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  sockets.forEach((socket) => socket.destroy());
  sockets = [];
  await new Promise((resolve) => server.close(resolve));
});

test('an open way carries both directions', async () => {
  node.write('question');
  await until(far, 'question');
  far.write('answer');
  await until(node, 'answer');
});

test('a silent way loses what is sent, and ends the connection once it is open again', async () => {
  proxy.set('silent');
  node.write('lost');
  // Its end is in order behind what was written: the server hears neither.
  node.end();
  await gone(node);
  expect(far.closed).toBe(false);
  proxy.set('open');
  await gone(far);
  expect(got.get(far)).toBe('');
});

test('a mute way carries answers alone', async () => {
  proxy.set('mute');
  node.write('lost');
  far.write('answer');
  await until(node, 'answer');
  node.end();
  await gone(node);
  proxy.set('open');
  await gone(far);
  expect(got.get(far)).toBe('');
});

test('a deaf way carries statements alone', async () => {
  proxy.set('deaf');
  node.write('statement');
  await until(far, 'statement');
  far.end('lost');
  await gone(far);
  proxy.set('open');
  await gone(node);
  expect(got.get(node)).toBe('');
});

test('a late way carries everything once it is open again, also of a side that has ended', async () => {
  const other = await open();
  proxy.set('late');
  node.end('statement');
  other.far.end('answer');
  await Promise.all([gone(node), gone(other.far)]);
  expect([got.get(far), got.get(other.node)]).toEqual(['', '']);
  proxy.set('open');
  await Promise.all([gone(far), gone(other.node)]);
  expect([got.get(far), got.get(other.node)]).toEqual(['statement', 'answer']);
});

test('a closed way ends connections, and those that are opened', async () => {
  proxy.set('closed');
  await Promise.all([gone(node), gone(far)]);
  await gone(keep(connect(proxy.port, '127.0.0.1')));
});

test('hints alone can be cut: the connection that listens ends, others carry on', async () => {
  const other = await open();
  node.write('LISTEN "a"');
  await until(far, 'LISTEN');
  proxy.set('closed', 'hints');
  await gone(node);
  other.node.write('statement');
  await until(other.far, 'statement');
  const again = await open();
  again.node.write('LISTEN "a"');
  await gone(again.node);
});

test('a commit is cut within its statement, or within its answer', async () => {
  proxy.cutCommits(() => ({ of: 'statement', bytes: 10 }));
  node.write(commit);
  await Promise.all([gone(node), gone(far)]);
  expect(got.get(far)).toBe(commit.slice(0, 10));
  const second = await open();
  proxy.cutCommits(() => ({ of: 'answer', bytes: 3 }));
  second.node.write(commit);
  await until(second.far, commit);
  second.far.write('committed');
  await Promise.all([gone(second.node), gone(second.far)]);
  expect(got.get(second.node)).toBe('com');
  expect(proxy.commitsCut).toBe(2);
});

test('connections lead to another server from then on', async () => {
  const next = createServer();
  await once(next.listen(0, '127.0.0.1'), 'listening');
  const accepted = once(next, 'connection');
  proxy.lead((next.address() as AddressInfo).port);
  await gone(node);
  keep(connect(proxy.port, '127.0.0.1'));
  keep(((await accepted) as [Socket])[0]);
  await new Promise((resolve) => {
    sockets.forEach((socket) => socket.destroy());
    next.close(resolve);
  });
});
