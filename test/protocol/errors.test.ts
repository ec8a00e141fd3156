/** The one table of error codes, against the documentation and against what the sources throw. */
import { describe, expect, test } from 'vitest';
import {
  ERRORS,
  EXIT,
  OPERATIONS,
  ROUTES,
  codesOf,
  errorEntry,
  isErrorCode,
  problem,
} from '../../src/protocol/index.ts';
import type { ErrorCode, ErrorEntry } from '../../src/protocol/index.ts';
import { read, sourcesUnder } from '../tidy/files.ts';
import { withoutComments } from '../tidy/rules.ts';

const entries = Object.entries<ErrorEntry>(ERRORS);

/** Codes of errors in the sources: every `code: '…'` inside a `new AppError(…)` and its kin, and every `ProblemError('…'`. */
function codesIn(text: string): readonly string[] {
  const code = withoutComments(text);
  const made = [...code.matchAll(/new (?:AppError|CommitRejected)\(([^]*?)\n? *\}\)/g)].flatMap((match) => [
    ...(match[1] ?? '').matchAll(/\bcode: ([^,\n]+)/g),
  ]);
  const thrown = [...code.matchAll(/new ProblemError\(([^,)]+)/g)];
  return [...made, ...thrown]
    .flatMap((match) => [...(match[1] ?? '').matchAll(/'([a-z_]+)'/g)])
    .flatMap((match) => match[1] ?? []);
}

describe('the table of errors', () => {
  test('has every code that the sources throw', () => {
    const sources = sourcesUnder('src').filter((path) => path.endsWith('.ts'));
    const thrown = new Map(sources.flatMap((path) => codesIn(read(path)).map((code) => [code, path] as const)));
    expect(thrown.size).toBeGreaterThan(30);
    expect([...thrown].filter(([code]) => !isErrorCode(code))).toEqual([]);
  });

  test('is seen by the search above', () => {
    expect(codesIn("throw new AppError({\n  code: 'a_b',\n  message: `x`,\n});")).toEqual(['a_b']);
    expect(codesIn("new AppError({ code: x ? 'a' : 'b', message })")).toEqual(['a', 'b']);
    expect(codesIn("throw new ProblemError('c', { detail })")).toEqual(['c']);
  });

  test('is what docs/errors.md says', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `([a-z_]+)` \| (\S+) \| (\d) \| (.*?) \| (.*?) \|$/gm)];
    const documented = rows.map(([, code, status, exit, title, hint]) => ({ code, status, exit, title, hint }));
    const table = entries.map(([code, { status, exit, title, hint }]) => ({
      code,
      status: status === null ? '–' : String(status),
      exit: String(exit),
      title,
      hint,
    }));
    expect(documented).toEqual(table);
  });

  test.each(entries)('%s has a title, a hint and numbers that mean something', (_, entry) => {
    expect(entry.title).toMatch(/^[A-Z].*[^.]$/);
    expect(entry.hint).toMatch(/\.$/);
    expect(Object.values<number>(EXIT)).toContain(entry.exit);
    expect(entry.exit).not.toBe(EXIT.ok);
    if (entry.status !== null) {
      expect(entry.status).toBeGreaterThanOrEqual(400);
    }
  });

  test('codes of routes are sent over HTTP', () => {
    for (const operation of OPERATIONS) {
      for (const code of codesOf(ROUTES[operation])) {
        expect([operation, code, ERRORS[code].status]).not.toContain(null);
      }
    }
  });

  test('an unknown code is a defect, also one that every object has', () => {
    expect(errorEntry('nonsense')).toBe(ERRORS.internal);
    expect(isErrorCode('toString')).toBe(false);
    expect(errorEntry('constructor')).toBe(ERRORS.internal);
  });

  test('a problem document takes from the table what is not given', () => {
    const code: ErrorCode = 'queue_full';
    expect(problem(code, { hint: '', detail: 'Full.' })).toEqual({
      type: 'urn:signalbox:error:queue_full',
      title: ERRORS.queue_full.title,
      status: 429,
      detail: 'Full.',
      code,
      hint: ERRORS.queue_full.hint,
      retryable: true,
    });
  });
});
