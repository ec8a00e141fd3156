/** Several nodes on one disk in memory: what is not in the contract. */
import { describe, expect, test } from 'vitest';
import { MemoryDisk, openMemoryStore } from '../../../src/store/index.ts';
import { codeOf } from '../../../src/testing/store/api.ts';
import { bury, factsOf, member } from '../../../src/testing/store/members.ts';
import { key } from '../../../src/testing/store/records.ts';
import { memoryHarness } from '../harness.ts';

describe('stores that share a disk in memory', () => {
  test('a node that has crashed owns its sessions until it is declared dead', async () => {
    const harness = memoryHarness();
    const [a, b] = [await member(harness, 'a'), await member(harness, 'b')];
    const { lease } = await a.owner('s');
    (a.store as ReturnType<typeof openMemoryStore>).crash();
    expect(await codeOf(() => a.store.claim(key('s')))).toBe('closing');
    expect(await b.store.claim(key('s'))).toEqual({ held: { node: a.id, name: 'a' } });
    expect(await bury(b, a)).toBe(true);
    expect((await b.owner('s')).lease).toBe(lease + 1);
  });

  test('a node that starts again after a crash has its name at once', async () => {
    const harness = memoryHarness();
    const a = await member(harness, 'a');
    (a.store as ReturnType<typeof openMemoryStore>).crash();
    const next = await member(harness, 'a');
    expect((await next.nodes.look()).nodes.map(({ id }) => id)).toEqual([next.id]);
  });

  test('a store that wants the disk for itself is refused beside a node', async () => {
    const disk = new MemoryDisk();
    const shared = openMemoryStore({ disk, shared: true });
    shared.nodes?.join(1, factsOf('a'));
    expect(await codeOf(() => openMemoryStore({ disk }))).toBe('store_locked');
    shared.close();
    expect(await codeOf(() => openMemoryStore({ disk }))).toBe('none');
  });

  test('hints come in passes that the owner of the store gives', () => {
    const disk = new MemoryDisk();
    const waiting: (() => void)[] = [];
    const a = openMemoryStore({ disk, shared: true, deliver: (run) => waiting.push(run) });
    const b = openMemoryStore({ disk, shared: true });
    a.nodes?.join(1, factsOf('a'));
    const heard: string[] = [];
    a.nodes?.onHint((hint) => heard.push(hint));
    b.nodes?.join(2, factsOf('b'));
    expect([heard, waiting.length]).toEqual([[], 1]);
    waiting.forEach((run) => run());
    expect(heard).toEqual(['nodes']);
  });
});
