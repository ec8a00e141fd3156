/** The ordered map that the queue and its indexes are made of, against a sorted array. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  treeEntries,
  treeFirst,
  treeGet,
  treeNeighbours,
  treeOf,
  treePut,
  treeRemove,
  treeSize,
  firstValues,
  treeValues,
  treeLast,
} from '../../src/core/tree.ts';
import { auditTree, freeze } from '../support/core-audit.ts';

const compare = (a: number, b: number): number => a - b;

const changes = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 60 }), fc.nat()), {
  maxLength: 200,
  size: 'max',
});

test('the tree equals a sorted array after any changes, is balanced, and leaves the old map as it was (core/26, core/31)', () => {
  fc.assert(
    fc.property(changes, fc.integer({ min: -1, max: 61 }), (told, probe) => {
      let tree = freeze(treeOf<number, number>(compare));
      const model = new Map<number, number>();
      for (const [puts, key, value] of told) {
        const before = [...treeEntries(tree)];
        const old = tree;
        tree = freeze(puts ? treePut(tree, key, value) : treeRemove(tree, key));
        expect([...treeEntries(old)]).toEqual(before);
        if (!puts && !model.has(key)) {
          expect(tree).toBe(old);
        }
        if (puts) {
          model.set(key, value);
        } else {
          model.delete(key);
        }
        auditTree(tree, (problem) => expect(problem).toBe(''));
      }
      const sorted = [...model].toSorted(([a], [b]) => a - b);
      expect([...treeEntries(tree)]).toEqual(sorted);
      expect(treeSize(tree)).toBe(sorted.length);
      expect(treeGet(tree, probe)).toBe(model.get(probe));
      const between = sorted.filter(([key]) => key >= probe && key < probe + 20);
      expect(firstValues(tree, 7)).toEqual(treeValues(tree).slice(0, 7));
      expect(treeValues(tree, probe, probe + 20)).toEqual(between.map(([, value]) => value));
      expect(treeLast(tree)?.key).toBe(sorted.at(-1)?.[0]);
      const entry = (found: readonly [number, number] | undefined): unknown =>
        found === undefined ? null : expect.objectContaining({ key: found[0], value: found[1] });
      expect(treeFirst(tree)).toEqual(entry(sorted[0]));
      expect([...treeEntries(tree, probe)]).toEqual(sorted.filter(([key]) => key >= probe));
      const { below, from } = treeNeighbours(tree, probe);
      expect(below).toEqual(entry(sorted.findLast(([key]) => key < probe)));
      expect(from).toEqual(entry(sorted.find(([key]) => key >= probe)));
    }),
    { numRuns: 200 },
  );
});

test('the tree is no deeper than a balanced tree has to be with 100,000 keys in order (core/31)', () => {
  let tree = treeOf<number, number>(compare);
  for (let key = 0; key < 100_000; key += 1) {
    tree = treePut(tree, key, key);
  }
  expect(tree.root?.height).toBeLessThanOrEqual(24);
});
