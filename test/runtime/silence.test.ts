import { expect, test } from 'vitest';
import { Silence } from '../../src/runtime/cluster/silence.ts';
import type { StoredNode } from '../../src/store/nodes.ts';

type Beat = Pick<StoredNode, 'id' | 'beat' | 'ttlMs'>;

/** A look that has found these. */
const found = (nodes: readonly Beat[], era = 'one') => ({ era, nodes });

const node = (id: number, beat: number): Beat => ({ id, beat, ttlMs: 1_000 });

/** At each of these moments a look that is answered at once; gives who is silent at the last. */
function looks(silence: Silence, beats: readonly (readonly [at: number, beat: number])[]): readonly number[] {
  let silent: readonly Beat[] = [];
  for (const [at, beat] of beats) {
    silent = silence.look(found([node(7, beat)]), at, at);
  }
  return silent.map(({ id }) => id);
}

test('a node is silent when looks for its whole time-to-live have not seen its beat move', () => {
  const silence = new Silence(250);
  const every = [0, 250, 500, 750].map((at) => [at, 3] as const);
  expect(looks(silence, every)).toEqual([]);
  expect(silence.allLive).toBe(false);
  expect(looks(silence, [[1_000, 3]])).toEqual([7]);
  expect(looks(silence, [[1_250, 4]])).toEqual([]);
  expect(silence.allLive).toBe(true);
});

test('the next look comes at the usual time, or when a node that does not move is due', () => {
  const silence = new Silence(250);
  expect(silence.untilNext(0, 100)).toBe(100);
  silence.look(found([node(7, 3)]), 0, 10);
  expect(silence.untilNext(10, 100)).toBe(100);
  for (const at of [300, 600, 900]) {
    silence.look(found([node(7, 3)]), at, at);
  }
  expect(silence.untilNext(960, 100)).toBe(50);
  // It was due, and is still there: no look after another without a pause.
  expect(silence.untilNext(1_010, 100)).toBe(100);
});

test('many nodes are looked at less often, and no less than they renew', () => {
  const silence = new Silence(2_500);
  const nodes = (count: number) => Array.from({ length: count }, (_, id) => ({ ...node(id, 1), ttlMs: 10_000 }));
  silence.look(found(nodes(200)), 0, 0);
  expect(silence.untilNext(0, 500)).toBe(1_000);
  silence.look(found(nodes(2_000)), 0, 0);
  expect(silence.untilNext(0, 500)).toBe(2_500);
});

test('the time without a look counts for nothing', () => {
  const silence = new Silence(250);
  expect(
    looks(silence, [
      [0, 3],
      [250, 3],
      [5_000, 3],
      [5_250, 3],
      [5_500, 3],
      [5_750, 3],
    ]),
  ).toEqual([]);
  expect(looks(silence, [[6_000, 3]])).toEqual([7]);
});

test('the way of the first look and of the last counts for nothing', () => {
  const silence = new Silence(250);
  silence.look(found([node(7, 3)]), 0, 200);
  for (const at of [250, 500, 750, 1_000]) {
    expect(silence.look(found([node(7, 3)]), at, at + 200)).toEqual([]);
  }
  expect(silence.look(found([node(7, 3)]), 1_200, 1_400)).toHaveLength(1);
});

test('a node that is not listed any more is forgotten', () => {
  const silence = new Silence(250);
  looks(silence, [[0, 3]]);
  expect(silence.isAlone).toBe(false);
  expect(silence.look(found([]), 250, 250)).toEqual([]);
  expect(silence.isAlone).toBe(true);
});

test('another era counts from its first look', () => {
  const silence = new Silence(250);
  looks(silence, [
    [0, 3],
    [250, 3],
    [500, 3],
    [750, 3],
  ]);
  const another = (at: number): readonly Beat[] => silence.look(found([node(7, 3)], 'two'), at, at);
  for (const at of [1_000, 1_250, 1_500, 1_750]) {
    expect(another(at)).toEqual([]);
  }
  expect(another(2_000)).toEqual([node(7, 3)]);
});

test('the longest time-to-live of the last look is known', () => {
  const silence = new Silence(250);
  silence.look(found([node(7, 3), { ...node(8, 1), ttlMs: 5_000 }]), 0, 0);
  expect(silence.longestTtlMs).toBe(5_000);
  silence.look(found([node(7, 3)]), 250, 250);
  expect(silence.longestTtlMs).toBe(1_000);
});
