/** The memory that the main thread and its watchdog share. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { makeMemory, MemoryReader, MemoryWriter, sharedAge } from '../../../src/supervise/watchdog/shared-memory.ts';
import { loopPasses } from '../../support/box.ts';
import type { Snapshot, SessionFacts } from '../../../src/supervise/watchdog/report.ts';

const session = (name: string): SessionFacts => ({
  session: name,
  phase: 'in a turn (running)',
  task: null,
  turn: 1,
  queued: 0,
  pid: 1,
  quietMs: 0,
  pending: [],
  permissionRequests: 0,
  cpu: null,
  class: null,
});
const facts = (...names: readonly string[]): Snapshot => ({ sessions: names.map(session), waits: [], omitted: 0 });

test('the reader gets the newest snapshot, and null before the first', () => {
  const memory = makeMemory();
  const writer = new MemoryWriter(memory);
  const reader = new MemoryReader(memory);
  expect(reader.snapshot()).toBeNull();
  for (const name of ['a', 'b', 'ünïcode ✓', 'd']) {
    writer.writeSnapshot(facts(name));
    expect(reader.snapshot()?.facts).toEqual(facts(name));
  }
  expect(reader.snapshot()?.ageMs).toBeGreaterThanOrEqual(0);
});

test('a snapshot that does not fit is shortened and counted, and the memory keeps its size', () => {
  const memory = makeMemory();
  const size = memory.byteLength;
  new MemoryWriter(memory).writeSnapshot(facts(...Array.from({ length: 5_000 }, (_, index) => `session ${index}`)));
  const kept = new MemoryReader(memory).snapshot()?.facts;
  expect(kept?.sessions.length).toBeGreaterThan(50);
  expect((kept?.sessions.length ?? 0) + (kept?.omitted ?? 0)).toBe(5_000);
  expect(kept?.sessions[0]?.session).toBe('session 0');
  expect(memory.byteLength).toBe(size);
});

test('the reader never gets half a snapshot, however it is interrupted', async () => {
  const memory = makeMemory();
  const url = new URL('../../../src/supervise/watchdog/shared-memory.ts', import.meta.url).href;
  const code = `
    const { MemoryWriter } = await import(${JSON.stringify(url)});
    const { workerData, parentPort } = await import('node:worker_threads');
    const writer = new MemoryWriter(workerData.memory);
    parentPort.postMessage('begins');
    for (let round = 0; ; round += 1) {
      const name = String(round % 10).repeat(1 + (round % 300));
      writer.writeSnapshot({ sessions: Array.from({ length: 1 + (round % 60) }, () => ({ session: name })), waits: [], omitted: round });
    }`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: { memory } });
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  await Promise.race([failed, new Promise((resolve) => worker.once('message', resolve))]);
  const reader = new MemoryReader(memory);
  const seen = new Set<number>();
  while (seen.size < 500) {
    const found = reader.snapshot()?.facts;
    if (found === undefined || seen.has(found.omitted)) {
      await Promise.race([failed, loopPasses(1)]);
      continue;
    }
    const round = found.omitted;
    seen.add(round);
    const name = String(round % 10).repeat(1 + (round % 300));
    if (found.sessions.length !== 1 + (round % 60) || found.sessions.some((one) => one.session !== name)) {
      expect(found).toEqual(`whole in round ${round}`);
    }
  }
  await worker.terminate();
});

test('a heartbeat is recent, and ages are right when the counter wraps', () => {
  const memory = makeMemory();
  const writer = new MemoryWriter(memory);
  const reader = new MemoryReader(memory);
  writer.heartbeat();
  expect(reader.lagMs).toBeLessThan(10_000);
  expect(sharedAge(0x7fff_fff0, 0x10)).toBe(0x20);
});
