/** Server-sent events: framing, live and stored, slow and dead readers, ends. */
import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { sentEvent } from '../../src/protocol/events/read.ts';
import { taskSource } from '../../src/server/events/source.ts';
import { Streams } from '../../src/server/events/streams.ts';
import { defaultServerLimits, silentLogger } from '../../src/server/options.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import { heldStore } from '../support/held-store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { Door } from '../support/door.ts';
import { answeringLate, openDoor, problemIn, reading } from '../support/door.ts';
import type { Reader } from '../support/stream-reader.ts';
import { read } from '../support/stream-reader.ts';
import { seeded } from '../support/random.ts';

async function figure(door: Door, name: string): Promise<number> {
  const text = await door.client.metrics();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
}

const dense = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe('a stream of a task', () => {
  test('begins with stored events, continues live, has ids to resume from, and ends after final', async () => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const turn = await door.box.stage.turn();
    const reader = await read(door, `/v1/tasks/${task}/events`);
    expect(reader.head).toContain('HTTP/1.1 200');
    expect(reader.head.toLowerCase()).toContain('content-type: text/event-stream');
    await reader.until(() => reader.seqs.length > 0);
    turn.say('line one\nline two\r\nevent: cut\ndata: {}\n\n');
    turn.finish('done');
    await reader.ended;
    const stored = await door.box.ended(task);
    expect(reader.seqs).toEqual(dense(1, stored.seq));
    expect(reader.messages.map(({ id }) => Number(id))).toEqual(reader.seqs);
    expect(reader.messages.at(-1)?.data.type).toBe('final');
    expect(reader.notices).toEqual([]);
    expect(JSON.stringify(reader.messages)).toContain('line two\\r\\nevent: cut');

    const { items } = await door.client.taskEvents(task, { limit: 500 });
    expect(reader.messages.map(({ data }) => data)).toEqual(items.map(sentEvent));

    const rest = await read(door, `/v1/tasks/${task}/events`, '3');
    await rest.ended;
    expect(rest.seqs).toEqual(dense(4, stored.seq));
    const after = await read(door, `/v1/tasks/${task}/events?after=2`, '4');
    await after.ended;
    expect(after.seqs).toEqual(dense(5, stored.seq));
  });

  test('that was read to its final has no content, so that an EventSource does not reconnect', async () => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    (await door.box.stage.turn()).finish();
    const { seq } = await door.box.ended(task);
    const get = (id: string) =>
      door.fetch(`/v1/tasks/${task}/events`, { headers: { accept: 'text/event-stream', 'last-event-id': id } });
    expect((await get(String(seq))).status).toBe(204);
    for (const id of [String(seq + 1), '-1', '1e2', 'x', '99999999999999999999']) {
      expect([id, (await problemIn(await get(id))).code]).toEqual([id, 'bad_last_event_id']);
    }
  });

  test('of 3,000 events arrives whole from any point, while more are written', async () => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const turn = await door.box.stage.turn();
    for (let at = 0; at < 2000; at++) {
      turn.say(`${at}`);
    }
    const readers = await Promise.all(
      [0, 1, 700, 1999].map((after) =>
        read(door, `/v1/tasks/${task}/events?after=0`, after === 0 ? undefined : '1').then((reader) => ({
          after,
          reader,
        })),
      ),
    );
    for (let at = 2000; at < 3000; at++) {
      turn.say(`${at}`);
    }
    turn.finish();
    const { seq } = await door.box.ended(task);
    for (const { after, reader } of readers) {
      await reader.ended;
      expect(reader.seqs).toEqual(dense(after === 0 ? 1 : 2, seq));
    }
  });

  test('sends the events of one pass in one write', async () => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const turn = await door.box.stage.turn();
    const reader = await read(door, `/v1/tasks/${task}/events`);
    await reader.until(() => reader.messages.some(({ data }) => data.type === 'turn-started'));
    const before = reader.messages.length;
    for (let at = 0; at < 50; at++) {
      turn.say(`${at}`);
    }
    await reader.until(() => reader.messages.length === before + 50);
    const reads = reader.reads.filter((count) => count > before);
    expect(reads.length).toBeLessThan(10);
    reader.drop();
  });
});

describe('a stream of a feed', () => {
  test('carries all tapes of a session in order, resumes by position, and starts now on request', async () => {
    await using door = await openDoor();
    const reader = await read(door, '/v1/events');
    const first = await door.client.submit({ session: 'a/b', prompt: 'p' });
    (await door.box.stage.turn()).finish();
    await door.box.ended(first.task);
    const session = await read(door, '/v1/sessions/a%2Fb/events');
    const late = await read(door, '/v1/events?after=now');
    const second = await door.client.submit({ session: 'other', prompt: 'p' });
    (await door.box.stage.turn()).finish();
    await door.box.ended(second.task);
    const ends = (task: string) => (each: Reader) =>
      each.until(() => each.messages.some(({ data }) => data.task === task && data.type === 'final'));
    await ends(second.task)(reader);
    await ends(first.task)(session);
    await ends(second.task)(late);
    const all = await door.box.box.feed(null, null, 1000);
    expect(reader.messages.map(({ id }) => id)).toEqual(
      all.slice(0, reader.messages.length).map(({ position }) => position),
    );
    const page = await door.client.events({ limit: 500 });
    expect(reader.messages.map(({ data }) => data)).toEqual(page.items.slice(0, reader.messages.length).map(sentEvent));
    expect(session.messages.every(({ data }) => data.session === 'a/b')).toBe(true);
    expect(late.messages.every(({ data }) => data.session === 'other')).toBe(true);
    expect(late.messages[0]?.data).toMatchObject({ seq: 1 });

    const from = reader.messages[3]?.id ?? '';
    const again = await read(door, '/v1/events', from);
    await ends(second.task)(again);
    expect(again.messages.map(({ id }) => id)).toEqual(
      all.slice(4, 4 + again.messages.length).map(({ position }) => position),
    );
    for (const each of [reader, session, late, again]) {
      each.drop();
    }
  });

  test('has no gap and no repeat for 20 readers that join while 40 tasks run', async () => {
    await using door = await openDoor();
    const readers: Reader[] = [];
    for (let at = 0; at < 40; at++) {
      const { task } = await door.client.submit({ session: `s${at % 4}`, prompt: `${at}` });
      if (at % 2 === 0) {
        readers.push(await read(door, '/v1/events'));
      }
      const turn = await door.box.stage.turn();
      for (let line = 0; line < 20; line++) {
        turn.say(`${line}`);
      }
      turn.finish();
      await door.box.ended(task);
    }
    const all = (await door.box.box.feed(null, null, 10_000)).map(({ position }) => position);
    const last = all.at(-1);
    for (const reader of readers) {
      await reader.until(() => reader.messages.at(-1)?.id === last);
      expect(reader.messages.map(({ id }) => id)).toEqual(all);
      reader.drop();
    }
  });
});

describe('a store that answers late', () => {
  test.each([1, 2, 3, 4])('leaves no gap and no repeat in a tape or in a feed (seed %i)', async (seed) => {
    const random = seeded(seed);
    await using door = await openDoor({ around: (signalbox) => answeringLate(signalbox, random) });
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const turn = await door.box.stage.turn();
    const tapes: Reader[] = [];
    const feeds: Reader[] = [];
    for (let at = 0; at < 60; at++) {
      turn.say(`${at}`);
      if (at % 6 === 0) {
        tapes.push(await read(door, `/v1/tasks/${task}/events`));
      }
      if (at % 6 === 3) {
        feeds.push(await read(door, '/v1/sessions/s/events'));
      }
      // A round trip lets some of it be committed and read before more is said.
      if (random() < 0.5) {
        await door.client.health();
      }
    }
    turn.finish();
    const { seq } = await door.box.ended(task);
    for (const reader of tapes) {
      await reader.ended;
      expect(reader.seqs).toEqual(dense(1, seq));
    }
    const all = (await door.box.box.feed('s', null, 1000)).map(({ position }) => position);
    for (const reader of feeds) {
      await reader.until(() => reader.messages.at(-1)?.id === all.at(-1));
      expect(reader.messages.map(({ id }) => id)).toEqual(all);
      reader.drop();
    }
  });

  test('does not hide from a reader the final that was committed while it read', async () => {
    let hold: Promise<void> | null = null;
    const held = Promise.withResolvers<void>();
    await using door = await openDoor({
      around: (signalbox) =>
        reading(signalbox, async (answer) => {
          const value = await answer;
          if (hold !== null) {
            held.resolve();
            await hold;
          }
          return value;
        }),
    });
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const turn = await door.box.stage.turn();
    await door.box.event(task, 'turn-started');
    const release = Promise.withResolvers<void>();
    hold = release.promise;
    const reader = await read(door, `/v1/tasks/${task}/events`);
    await held.promise;
    turn.finish();
    const { seq } = await door.box.ended(task);
    // The batch with the final has gone out when this is answered.
    await door.client.health();
    await door.client.health();
    hold = null;
    release.resolve();
    await reader.ended;
    expect(reader.seqs).toEqual(dense(1, seq));
  });
});

describe('a stream on which nothing happens', () => {
  test('gets a comment from time to time', async () => {
    const clock = new ManualClock();
    await using door = await openDoor({ server: { clock } });
    const reader = await read(door, '/v1/events');
    await reader.until(() => reader.bytes > reader.head.length);
    for (let beat = 1; beat <= 3; beat++) {
      clock.advance(15_000);
      clock.advance(15_000);
      await reader.until(() => reader.comments >= beat);
    }
    reader.drop();
    await reader.ended;
    while ((await figure(door, 'signalbox_http_streams')) > 0) {
      await door.client.health();
    }
    expect(clock.armed).toBe(0);
  });
});

describe('a reader that does not read', () => {
  /** Twice what the kernel takes for one connection where its buffers may grow to 36 MiB. */
  const line = 'x'.repeat(65_536);
  const lines = 1100;

  test('delays no other reader, costs bounded memory, and later resumes from the store or is cut with the reason', async () => {
    const clock = new ManualClock();
    await using door = await openDoor({ server: { clock } });
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const turn = await door.box.stage.turn();
    const path = `/v1/tasks/${task}/events`;
    const slow = await read(door, path);
    const dead = await read(door, path);
    slow.pause();
    dead.pause();
    const quick = await read(door, path);
    for (let at = 0; at < lines; at++) {
      turn.say(line);
    }
    turn.finish();
    const { seq } = await door.box.ended(task);
    await quick.ended;
    expect(quick.seqs).toEqual(dense(1, seq));
    // Of the other two's events only what the kernel took, and one bound each, is anywhere.
    const written = (await figure(door, 'signalbox_http_stream_bytes_total')) - quick.bytes;
    expect(written).toBeLessThan(quick.bytes * 1.6);

    slow.resume();
    await slow.ended;
    expect(slow.seqs).toEqual(dense(1, seq));
    expect(slow.notices).toEqual([]);

    clock.advance(30_000);
    expect(await figure(door, 'signalbox_http_streams_ended_total{reason="slow_reader"}')).toBe(1);
    expect(await figure(door, 'signalbox_http_streams')).toBe(0);
    dead.resume();
    await dead.ended;
    expect(dead.notices).toMatchObject([{ event: 'cut', reason: 'slow_reader' }]);
    expect(dead.seqs).toEqual(dense(1, dead.seqs.length));
    expect(dead.seqs.length).toBeLessThan(seq);
    const rest = await read(door, path, String(dead.seqs.length));
    await rest.ended;
    expect([...dead.seqs, ...rest.seqs]).toEqual(dense(1, seq));
  }, 120_000);
});

test('a reader that does not read is cut also when less waits for it than would block it', async () => {
  const clock = new ManualClock();
  await using door = await openDoor({ server: { clock, limits: { streamBufferBytes: 2 ** 40 } } });
  const { task } = await door.client.submit({ session: 's', prompt: 'p' });
  const turn = await door.box.stage.turn();
  const path = '/v1/events';
  const [dead, quick] = [await read(door, path), await read(door, path)];
  dead.pause();
  const line = 'x'.repeat(65_536);
  for (let at = 0; at < 1100; at++) {
    turn.say(line);
  }
  turn.finish();
  await door.box.ended(task);
  await quick.until(() => quick.messages.some(({ data }) => data.type === 'final'));
  clock.advance(15_000);
  clock.advance(15_000);
  expect(await figure(door, 'signalbox_http_streams')).toBe(2);
  clock.advance(15_000);
  expect(await figure(door, 'signalbox_http_streams_ended_total{reason="slow_reader"}')).toBe(1);
  expect(await figure(door, 'signalbox_http_streams')).toBe(1);
  dead.resume();
  await dead.ended;
  expect(dead.notices).toMatchObject([{ event: 'cut', reason: 'slow_reader' }]);
}, 120_000);

describe('an end of a stream before the final', () => {
  test('sends bye when the daemon closes', async () => {
    await using door = await openDoor();
    const readers = [await read(door, '/v1/events'), await read(door, '/v1/events')];
    await door.server.close();
    for (const reader of readers) {
      await reader.ended;
      expect(reader.notices).toMatchObject([{ event: 'bye', reason: 'closing' }]);
    }
  });

  test('sends cut when the store cannot be read', async () => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    (await door.box.stage.turn()).finish();
    await door.box.ended(task);
    const reader = await read(door, '/v1/events');
    await reader.until(() => reader.messages.some(({ data }) => data.type === 'final'));
    const second = await door.client.submit({ session: 's', prompt: 'p' });
    await door.box.box.close({ graceMs: 0 });
    await reader.until(() => reader.messages.some(({ data }) => data.task === second.task));
    const late = await door.fetch('/v1/events', { headers: { accept: 'text/event-stream' } });
    expect(await late.text()).toContain('event: cut\ndata: {"reason":"stream_failed"');
    expect(door.logged.map(({ message }) => message)).toContain('a stream could not be read');
    reader.drop();
  });

  test('leaves nothing of a reader that disconnected', async () => {
    await using door = await openDoor();
    const readers = await Promise.all(Array.from({ length: 20 }, () => read(door, '/v1/events')));
    expect(await figure(door, 'signalbox_http_streams')).toBe(20);
    for (const reader of readers) {
      reader.drop();
    }
    while ((await figure(door, 'signalbox_http_streams')) > 0) {
      await door.client.health();
    }
    expect(await figure(door, 'signalbox_http_streams_ended_total{reason="gone"}')).toBe(20);
  });
});

describe('a long poll', () => {
  test('ends at once when its client left before it began', async () => {
    await using door = await openDoor();
    const { box } = door.box;
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const stored = await box.task(task);
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const closed = once(response, 'close');
    response.destroy();
    await closed;
    const streams = new Streams({
      signalbox: box,
      clock: new ManualClock(),
      limits: defaultServerLimits,
      logger: silentLogger,
    });
    const source = stored === null ? null : taskSource(box, stored);
    const page =
      source &&
      streams.wait(
        response,
        source,
        25,
        async () => 'waiting',
        () => false,
      );
    expect(await page).toBe('waiting');
    expect(streams.waiting).toBe(0);
  });

  test('answers at once with stored events, else with the next event, else empty when its time is over', async () => {
    const clock = new ManualClock();
    await using door = await openDoor({ server: { clock } });
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const turn = await door.box.stage.turn();
    const page = await door.client.taskEvents(task, { wait: 60 });
    expect(page.items.length).toBeGreaterThan(0);
    while ((await door.client.taskEvents(task)).items.at(-1)?.type !== 'turn-started') {
      await door.client.health();
    }
    const { next } = await door.client.taskEvents(task);
    const waiting = door.client.taskEvents(task, { after: next, wait: 60 });
    while ((await figure(door, 'signalbox_http_long_polls')) === 0) {
      await door.client.health();
    }
    turn.say('something');
    expect((await waiting).items).toMatchObject([{ seq: next + 1, type: 'output' }]);

    const empty = door.client.taskEvents(task, { after: next + 1, wait: 60 });
    while ((await figure(door, 'signalbox_http_long_polls')) === 0) {
      await door.client.health();
    }
    clock.advance(60_000);
    expect(await empty).toEqual({ items: [], next: next + 1, final: false });

    turn.finish();
    const { seq } = await door.box.ended(task);
    const last = await door.client.taskEvents(task, { after: next + 1, wait: 60 });
    expect(last).toMatchObject({ next: seq, final: true });
    expect(await door.client.taskEvents(task, { after: seq, wait: 60 })).toEqual({ items: [], next: seq, final: true });
    expect(clock.armed).toBe(0);
  });
});

describe('a stream over a store that answers late', () => {
  test.each(['/v1/events', '/v1/sessions/s/events'])(
    'gives each event once where a page has events that are not published yet: %s',
    async (path) => {
      const held = heldStore(openMemoryStore());
      await using door = await openDoor({ box: { store: held.store } });
      const { task } = await door.client.submit({ session: 's', prompt: 'p' });
      const turn = await door.box.stage.turn();
      await door.box.quiet();
      const commit = held.hold('commit', 'answer');
      turn.finish();
      await commit.arrived();
      const feed = async () => (await door.box.box.feed(null, null, 1_000)).map(({ position }) => position);
      const stored = await feed();
      const reader = await read(door, path);
      await reader.until(() => reader.messages.length >= stored.length);
      await door.box.quiet();
      commit.release();
      await door.box.ended(task);
      await door.client.submit({ session: 's', prompt: 'another' });
      (await door.box.stage.turn()).finish();
      await door.box.quiet();
      const all = await feed();
      await reader.until(() => reader.messages.length >= all.length);
      expect(reader.messages.map(({ id }) => id)).toEqual(all);
    },
  );
});
