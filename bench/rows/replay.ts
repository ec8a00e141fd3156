/**
 * Replay of a long tape over server-sent events, from the first event to `final`. The limit reads the same rows of the same
 * table in pages and writes the same bytes to a socket: the JSON of a row goes out as it was stored.
 */
import { join } from 'node:path';
import type { Figure, Row, Run } from '../harness.ts';
import { compared, inTurns, nowNs, temporaryFolder } from '../harness.ts';
import { startProgram } from '../support/child.ts';

const text =
  'The quick brown fox jumps over the lazy dog, and what it meant by that nobody knows; so it went on to say more.';
const marker = '"kind":"text"';

export const row: Row = {
  name: 'replay',
  title: 'replay of a long tape over SSE, events per second',
  limit: 'the same rows read in pages and written to a socket',
  async measure(run: Run): Promise<readonly Figure[]> {
    const count = run.quick ? 2_000 : 200_000;
    using folder = temporaryFolder();
    const data = JSON.stringify({ turn: 1, part: { kind: 'text', text } });
    await using raw = await startProgram('raw-writer', { path: join(folder.path, 'raw.db'), rows: count, data });
    await using door = await startProgram('door', { path: join(folder.path, 'bench.db'), text });
    await using reading = await startProgram('readers', {});
    run.say('writing the tape');
    const submitted = await door.ask({ do: 'submit', session: 'bench:replay', prompt: 'at once' });
    const task = String(submitted['task']);
    await door.ask({ do: 'stream', task, count });
    const perSecond = (from: string, to: unknown): number => (count * 1e9) / Number(BigInt(String(to)) - BigInt(from));
    const { port } = new URL(String(door.hello['url']));
    const request = `GET /v1/tasks/${task}/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n\r\n`;
    const pairs = await inTurns(run, {
      async limit() {
        await reading.ask({ do: 'open', port: raw.hello['port'], count: 1, marker });
        const began = String(nowNs());
        const done = reading.ask({ do: 'until', count });
        await raw.ask({ do: 'replay' });
        const { at } = await done;
        await raw.ask({ do: 'close' });
        await reading.ask({ do: 'close' });
        return perSecond(began, at);
      },
      async ours() {
        const began = String(nowNs());
        await reading.ask({ do: 'open', port, count: 1, request, marker });
        const { at } = await reading.ask({ do: 'until', count });
        await reading.ask({ do: 'close' });
        return perSecond(began, at);
      },
    });
    return [compared(pairs, { measure: `${count} events`, unit: '/s', goal: { of: 'ratio', atLeast: 0.6 } })];
  },
};
