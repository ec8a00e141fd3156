import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteTail } from '../../src/supervise/process/byte-tail.ts';

test('S06: the tail is the end of all pushed bytes, whatever the pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 50 }).map((text) => text.replace(/[^ -~]/g, '?'))), (pieces) => {
      const tail = new ByteTail(32);
      for (const piece of pieces) {
        tail.push(Buffer.from(piece));
      }
      expect(tail.text()).toBe(pieces.join('').slice(-32));
      expect(tail.total).toBe(pieces.join('').length);
    }),
  );
});

test('S06: many small pieces cost no more than the tail', () => {
  const tail = new ByteTail(1024);
  for (let piece = 0; piece < 100_000; piece += 1) {
    tail.push(Buffer.from(`${piece}\n`));
  }
  expect(tail.text().endsWith('99998\n99999\n')).toBe(true);
  expect(tail.text()).toHaveLength(1024);
});
