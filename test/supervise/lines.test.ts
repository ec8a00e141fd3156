import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LineFrame } from '../../src/supervise/index.ts';
import { LineSplitter } from '../../src/supervise/index.ts';

function split(chunks: readonly Buffer[], maxBytes = 64): LineFrame[] {
  const frames: LineFrame[] = [];
  const splitter = new LineSplitter(maxBytes, (frame) => frames.push(frame));
  for (const chunk of chunks) {
    splitter.push(chunk);
  }
  splitter.end();
  return frames;
}

/** Cuts a buffer at the given places. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const bytes = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  fc
    .array(fc.constantFrom('\n', '\r\n', 'é', '🚂', 'a'.repeat(63), 'b'.repeat(64), 'c'.repeat(65), 'd'.repeat(500)), {
      maxLength: 30,
    })
    .map((parts) => Buffer.from(parts.join(''))),
);

describe('S07: the output does not depend on how the bytes were cut', () => {
  test('into any chunks', () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 40 }), (stream, at) => {
        expect(split(cut(stream, at))).toEqual(split([stream]));
      }),
      { numRuns: 2_000 },
    );
  });

  test('byte by byte', () => {
    fc.assert(
      fc.property(bytes, (stream) => {
        expect(split([...stream].map((byte) => Buffer.from([byte])))).toEqual(split([stream]));
      }),
    );
  });

  test('and each whole line within the bound is unchanged', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, at) => {
        const stream = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const texts = split(cut(stream, at), 1_000).map((frame) => (frame.kind === 'line' ? frame.text : frame));
        expect(texts).toEqual(lines);
      }),
    );
  });
});

describe('S07: a line beyond the bound', () => {
  test('is reported by its head at once, counted at its end, and the next line is read', () => {
    const frames: LineFrame[] = [];
    const splitter = new LineSplitter(4, (frame) => frames.push(frame));
    splitter.push(Buffer.from('abcdef'));
    expect(frames).toEqual([{ kind: 'oversize', head: 'abcd' }]);
    splitter.push(Buffer.from('ghi\nnext'));
    splitter.push(Buffer.from('\n'));
    expect(frames.slice(1)).toEqual([
      { kind: 'resync', bytes: 9 },
      { kind: 'line', text: 'next' },
    ]);
  });

  test('is longer than exactly the bound', () => {
    expect(split([Buffer.from('abcd\n')], 4)).toEqual([{ kind: 'line', text: 'abcd' }]);
  });

  test('uses no more memory than the bound, however long it gets', () => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    let told = 0;
    const splitter = new LineSplitter(8 * 1024 * 1024, () => (told += 1));
    const before = process.memoryUsage.rss();
    for (let mebibytes = 0; mebibytes < 512; mebibytes += 1) {
      splitter.push(Buffer.from(piece));
    }
    splitter.end();
    expect(told).toBe(2);
    // 512 MiB went through; what is kept is 8 MiB, the rest is slack of the allocator.
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * 1024 * 1024);
  });
});

describe('S07: the end of the stream', () => {
  test('within a line gives the half line', () => {
    expect(split([Buffer.from('whole\nhal')])).toEqual([
      { kind: 'line', text: 'whole' },
      { kind: 'half', text: 'hal' },
    ]);
  });

  test('after a line gives nothing more', () => {
    expect(split([Buffer.from('whole\n')])).toHaveLength(1);
    expect(split([])).toEqual([]);
  });
});
