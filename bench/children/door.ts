/**
 * A real runtime on SQLite behind the real HTTP server, with an agent that streams as it is told.
 * `stream`: streams `count` events into the task of `session` and answers with its id when that many are committed.
 */
import { functionDriver } from '../../src/agents/index.ts';
import { createSignalbox } from '../../src/runtime/index.ts';
import { createServer } from '../../src/server/server.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import { options, serve } from './serve.ts';

const { path, text } = options<{ readonly path: string; readonly text: string }>();

/** What each session's agent waits for before it goes on streaming. */
let go = Promise.withResolvers<number>();

const agent = functionDriver(async function* (prompt) {
  if (prompt === 'at once') {
    const count = await go.promise;
    for (let at = 0; at < count; at += 1) {
      yield text;
    }
    return;
  }
  // Waits for its reader, then streams, one event a pass of the event loop.
  const count = await go.promise;
  for (let at = 0; at < count; at += 1) {
    yield text;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
});
const signalbox = createSignalbox({ store: openSqliteStore({ path }), agent, limits: { maxAgents: 100 } });
await signalbox.ready;
const server = createServer({
  signalbox,
  tokens: [],
  listen: { host: '127.0.0.1', port: 0 },
  limits: { maxStreams: 4_000, maxConnections: 4_000 },
});
const { url } = await server.listen();

serve(
  { url },
  async ({ do: what, session, prompt, task, count }) => {
    if (what === 'submit') {
      go = Promise.withResolvers();
      const answer = await signalbox.submit({ session: String(session), prompt: String(prompt) });
      return answer;
    }
    go.resolve(Number(count));
    const { status, seq } = await signalbox.result(String(task));
    return { status, seq };
  },
  async () => {
    await server.close({ graceMs: 0 });
    await signalbox.close({ graceMs: 0 });
  },
);
