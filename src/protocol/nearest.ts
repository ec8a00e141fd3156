/** "Did you mean": the known name that is nearest to a wrong one. */

/** Optimal string alignment distance: insertions, deletions, changes and swaps of neighbours, each 1. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Null when no name is near: more than a third of the name (at least 2) would have to change. Ignores case. */
export function nearest(name: string, known: Iterable<string>): string | null {
  // A much longer name is not a misspelling, and the table above grows with its length.
  if (name.length > 64) {
    return null;
  }
  let best: string | null = null;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const away = distance(name.toLowerCase(), candidate.toLowerCase());
    if (away < least && away < candidate.length) {
      best = candidate;
      least = away;
    }
  }
  return best;
}
