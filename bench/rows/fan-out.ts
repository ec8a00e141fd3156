/**
 * Live fan-out of one tape to 1,000 stream readers: the real server in one process, the readers, which only count, in
 * another. The limit is a plain TCP server that writes each event to each reader with a write of its own.
 */
import { join } from 'node:path';
import type { Figure, Row, Run } from '../harness.ts';
import { compared, inTurns, nowNs, temporaryFolder } from '../harness.ts';
import { startProgram } from '../support/child.ts';

/** With its frame about 300 bytes on the wire. */
const text = 'x'.repeat(200);
const marker = '"kind":"text"';

export const row: Row = {
  name: 'fan-out',
  title: 'live fan-out of a tape to 1,000 stream readers, events delivered per second',
  limit: 'a TCP write per event and reader',
  async measure(run: Run): Promise<readonly Figure[]> {
    const count = run.quick ? 20 : 300;
    const readers = run.quick ? 50 : 1_000;
    using folder = temporaryFolder();
    await using raw = await startProgram('raw-writer', {});
    await using door = await startProgram('door', { path: join(folder.path, 'bench.db'), text });
    await using reading = await startProgram('readers', {});
    const perSecond = (from: string, to: unknown): number =>
      (count * readers * 1e9) / Number(BigInt(String(to)) - BigInt(from));
    const event = frame(count);
    let round = 0;
    const pairs = await inTurns(run, {
      async limit() {
        await reading.ask({ do: 'open', port: raw.hello['port'], count: readers, marker });
        const began = String(nowNs());
        const done = reading.ask({ do: 'until', count });
        await raw.ask({ do: 'send', event, count });
        const { at } = await done;
        await raw.ask({ do: 'close' });
        await reading.ask({ do: 'close' });
        return perSecond(began, at);
      },
      async ours() {
        const { port } = new URL(String(door.hello['url']));
        const submitted = await door.ask({ do: 'submit', session: `bench:fan-${(round += 1)}`, prompt: 'stream' });
        const task = String(submitted['task']);
        const request = `GET /v1/tasks/${task}/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n\r\n`;
        await reading.ask({ do: 'open', port, count: readers, request, marker });
        const began = String(nowNs());
        const done = reading.ask({ do: 'until', count });
        await door.ask({ do: 'stream', task, count });
        const { at } = await done;
        await reading.ask({ do: 'close' });
        return perSecond(began, at);
      },
    });
    return [compared(pairs, { measure: `${readers} readers`, unit: '/s', goal: { of: 'ratio', atLeast: 2 } })];
  },
};

/** As long as the server's own. */
const frame = (seq: number): string =>
  `id: ${seq}\ndata: ${JSON.stringify({ seq, at: 1_700_000_000_000, type: 'output', data: { turn: 1, part: { kind: 'text', text } } })}\n\n`;
