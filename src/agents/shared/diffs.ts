/** Unified diffs of one file: made from the text before and after, or from hunks that an agent gives. */
import type { FileDiff } from '../../core/model/output.ts';
import { bounded } from './parts.ts';

const contextLines = 3;
/** Edits that are looked for between two texts. Beyond, the whole differing middle counts as replaced. */
const editsMax = 400;

/**
 * Null for a text: the file is not there. Null: there is no difference.
 *
 * Some agents give only the lines that they changed. Line numbers then begin with those, and of two texts without a newline
 * at the end neither counts as missing one.
 */
export function diffOfTexts(path: string, before: string | null, after: string | null): FileDiff | null {
  if (before === after) {
    return null;
  }
  const isFragment = before !== null && after !== null && ![before, after].some((text) => /(?:^|\n)$/.test(text));
  const lines = (text: string | null): readonly string[] => linesOf(isFragment ? `${text}\n` : (text ?? ''));
  const hunks = hunksOf(scriptOf(lines(before), lines(after)));
  return diffOfHunks(path, hunks.join('\n'), { created: before === null, deleted: after === null });
}

interface Fate {
  readonly created?: boolean;
  readonly deleted?: boolean;
  /** The new path of the file. */
  readonly movedTo?: string;
}

/** `hunks`: `@@ -1 +1 @@` and the lines below it, as often as needed. */
export function diffOfHunks(
  path: string,
  hunks: string,
  { created = false, deleted = false, movedTo = path }: Fate = {},
): FileDiff {
  const name = (prefix: string, file: string): string => `${prefix}/${file.replace(/^\/+/, '')}`;
  const head = `--- ${created ? '/dev/null' : name('a', path)}\n+++ ${deleted ? '/dev/null' : name('b', movedTo)}\n`;
  return { path, unified: bounded(head + hunks.replace(/\n*$/, '\n')) };
}

const noNewline = '\\ No newline at end of file';

/** Lines with their ends, so that a last line without one differs from one with it. */
const linesOf = (text: string): readonly string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

interface Edit {
  readonly kind: ' ' | '-' | '+';
  readonly line: string;
}

function scriptOf(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) {
    head += 1;
  }
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) {
    tail += 1;
  }
  const kept = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: ' ', line }));
  const [a, b] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  return [
    ...kept(before.slice(0, head)),
    ...(shortestScript(a, b) ?? replaced(a, b)),
    ...kept(before.slice(before.length - tail)),
  ];
}

const replaced = (before: readonly string[], after: readonly string[]): readonly Edit[] => [
  ...before.map((line): Edit => ({ kind: '-', line })),
  ...after.map((line): Edit => ({ kind: '+', line })),
];

/** Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), figure 2. Null: more than `editsMax` edits. */
function shortestScript(a: readonly string[], b: readonly string[]): readonly Edit[] | null {
  const max = Math.min(a.length + b.length, editsMax);
  const size = 2 * max + 2;
  const at = (k: number): number => (k + size) % size;
  // `reach[k]`: how far into `a` the diagonal k leads with so many edits; a copy of each round shows the way back.
  const reach = new Int32Array(size);
  const rounds: Int32Array[] = [];
  for (let edits = 0; edits <= max; edits += 1) {
    rounds.push(reach.slice());
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && (reach[at(k - 1)] ?? 0) < (reach[at(k + 1)] ?? 0));
      let x = down ? (reach[at(k + 1)] ?? 0) : (reach[at(k - 1)] ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) {
        x += 1;
      }
      reach[at(k)] = x;
      if (x >= a.length && x - k >= b.length) {
        return wayBack(a, b, rounds, at);
      }
    }
  }
  return null;
}

function wayBack(
  a: readonly string[],
  b: readonly string[],
  rounds: readonly Int32Array[],
  at: (k: number) => number,
): readonly Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [a.length, b.length];
  for (let round = rounds.length - 1; round >= 0; round -= 1) {
    const reach = rounds[round] ?? new Int32Array();
    const k = x - y;
    const down = k === -round || (k !== round && (reach[at(k - 1)] ?? 0) < (reach[at(k + 1)] ?? 0));
    const from = round === 0 ? 0 : (reach[at(down ? k + 1 : k - 1)] ?? 0);
    const fromY = round === 0 ? 0 : from - (down ? k + 1 : k - 1);
    while (x > from && y > fromY) {
      [x, y] = [x - 1, y - 1];
      edits.push({ kind: ' ', line: a[x] ?? '' });
    }
    if (y > fromY) {
      y -= 1;
      edits.push({ kind: '+', line: b[y] ?? '' });
    } else if (x > from) {
      x -= 1;
      edits.push({ kind: '-', line: a[x] ?? '' });
    }
  }
  return edits.toReversed();
}

/** Changes with the lines around them; what is nearer than both contexts shares a hunk. */
function hunksOf(script: readonly Edit[]): readonly string[] {
  const hunks: string[] = [];
  const changed = script.flatMap(({ kind }, index) => (kind === ' ' ? [] : [index]));
  for (let first = 0; first < changed.length;) {
    let last = first;
    while ((changed[last + 1] ?? Infinity) - (changed[last] ?? 0) <= 2 * contextLines) {
      last += 1;
    }
    const from = Math.max(0, (changed[first] ?? 0) - contextLines);
    hunks.push(hunkOf(script, from, (changed[last] ?? 0) + contextLines + 1));
    first = last + 1;
  }
  return hunks;
}

function hunkOf(script: readonly Edit[], from: number, to: number): string {
  const count = (edits: readonly Edit[], other: '-' | '+'): number => edits.filter(({ kind }) => kind !== other).length;
  const edits = script.slice(from, to);
  const range = (other: '-' | '+'): string => {
    const length = count(edits, other);
    const before = count(script.slice(0, from), other);
    return `${length === 0 ? before : before + 1}${length === 1 ? '' : `,${length}`}`;
  };
  const lines = edits.map(({ kind, line }) =>
    line.endsWith('\n') ? `${kind}${line.slice(0, -1)}` : `${kind}${line}\n${noNewline}`,
  );
  return [`@@ -${range('+')} +${range('-')} @@`, ...lines].join('\n');
}
