/** Unified diffs: what they say, and that applying one to the first text gives the second. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffOfHunks, diffOfTexts } from '../../src/agents/shared/diffs.ts';

const unified = (before: string | null, after: string | null): string | undefined =>
  diffOfTexts('/project/a.txt', before, after)?.unified.text;

describe('a diff', () => {
  test('shows three lines around a change', () => {
    expect(unified('1\n2\n3\n4\n5\n6\n7\n8\n9\n', '1\n2\n3\n4\nfive\n6\n7\n8\n9\n')).toBe(
      '--- a/project/a.txt\n+++ b/project/a.txt\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n',
    );
  });

  test('of a new file has no path before', () => {
    expect(unified(null, 'hello\n')).toBe('--- /dev/null\n+++ b/project/a.txt\n@@ -0,0 +1 @@\n+hello\n');
  });

  test('of a deleted file has no path after', () => {
    expect(unified('hello\nagain\n', null)).toBe(
      '--- a/project/a.txt\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-hello\n-again\n',
    );
  });

  test('shows a missing newline at the end', () => {
    expect(unified('a\n', 'a')).toContain('-a\n+a\n\\ No newline at end of file\n');
  });

  test('of a new file shows a missing newline at the end', () => {
    expect(unified(null, 'a')).toContain('+a\n\\ No newline at end of file\n');
  });

  test('of two fragments that end within a line says nothing of newlines', () => {
    expect(unified('line 3', 'line three')).toContain('@@ -1 +1 @@\n-line 3\n+line three\n');
    expect(unified('line 3', 'line three')).not.toContain('No newline');
  });

  test('names both paths of a file that moves', () => {
    const moved = diffOfHunks('/project/a.txt', '@@ -1 +1 @@\n-a\n+b\n', { movedTo: '/project/b.txt' });
    expect(moved.unified.text).toMatch(/^--- a\/project\/a.txt\n\+\+\+ b\/project\/b.txt\n/);
  });

  test('of equal texts is null', () => {
    expect(diffOfTexts('a.txt', 'same\n', 'same\n')).toBeNull();
  });

  test('is cut in the middle at its bound, and states how much is missing', () => {
    const diff = diffOfTexts('a.txt', null, 'a line of text\n'.repeat(10_000));
    expect(diff?.unified.omittedBytes).toBeGreaterThan(100_000);
    expect(Buffer.byteLength(diff?.unified.text ?? '')).toBeLessThan(9_000);
  });

  test('of two large texts without a common line takes little time', () => {
    const [before, after] = ['a', 'b'].map((word) =>
      Array.from({ length: 20_000 }, (_, at) => `${word}${at}\n`).join(''),
    );
    const began = performance.now();
    diffOfTexts('a.txt', before ?? '', after ?? '');
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('keeps the given hunks', () => {
    expect(diffOfHunks('a.txt', '@@ -1 +1 @@\n-a\n+b').unified.text).toBe(
      '--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-a\n+b\n',
    );
  });
});

/** Applies a diff strictly: every line of it must stand where it says. */
function apply(before: string, diff: string): string {
  const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const after: string[] = [];
  let at = 0;
  const [, , ...body] = diff.split('\n').slice(0, -1);
  for (const [index, line] of body.entries()) {
    const [, from, count] = /^@@ -(\d+)(?:,(\d+))? /.exec(line) ?? [];
    if (from !== undefined) {
      const start = count === '0' ? Number(from) : Number(from) - 1;
      after.push(...lines.slice(at, start));
      at = start;
      continue;
    }
    const text = body[index + 1]?.startsWith('\\') === true ? line.slice(1) : `${line.slice(1)}\n`;
    if (/^[ -]/.test(line)) {
      expect(lines[at]).toBe(text);
      at += 1;
    }
    if (/^[ +]/.test(line)) {
      after.push(text);
    }
  }
  return [...after, ...lines.slice(at)].join('');
}

test('a diff applied to the text before gives the text after', () => {
  const line = fc.constantFrom('a\n', 'b\n', 'c\n', '\n', 'end');
  const text = fc.array(line, { maxLength: 60 }).map((lines) => lines.join(''));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = diffOfTexts('a.txt', before, after);
      // Of two texts without a newline at their end none counts as missing.
      const end = [before, after].every((one) => one !== '' && !one.endsWith('\n')) ? '\n' : '';
      expect(diff === null ? after : apply(before + end, diff.unified.text)).toBe(diff === null ? before : after + end);
    }),
    { numRuns: 2_000 },
  );
});
