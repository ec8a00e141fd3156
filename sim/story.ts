/** The log of a run. Two runs of one seed must tell the same story to the letter. */
import { createHash } from 'node:crypto';

export class Story {
  readonly lines: string[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  say(text: string): void {
    this.lines.push(`${this.#now().toFixed(1).padStart(9)}  ${text}`);
  }

  hash(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex').slice(0, 16);
  }
}

interface Difference {
  readonly line: number;
  readonly first: string;
  readonly second: string;
}

/** The first line in which two stories differ. */
export function differenceOf(first: readonly string[], second: readonly string[]): Difference | null {
  const length = Math.max(first.length, second.length);
  for (let line = 0; line < length; line += 1) {
    const [a, b] = [first[line], second[line]];
    if (a !== b) {
      return { line: line + 1, first: a ?? '(the story ends)', second: b ?? '(the story ends)' };
    }
  }
  return null;
}
