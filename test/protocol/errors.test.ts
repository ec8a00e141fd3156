/** The one table of error codes. That docs/errors.md is made from it is tested with the other pages that are made. */
import { describe, expect, test } from 'vitest';
import { AppError, type AppErrorOptions } from '../../src/core/errors.ts';
import {
  errorCodes,
  exitCodes,
  operations,
  routes,
  codesOf,
  errorEntry,
  isErrorCode,
  problem,
} from '../../src/protocol/index.ts';
import type { ErrorCode, ErrorEntry } from '../../src/protocol/index.ts';
import { read, sourcesUnder } from '../tidy/files.ts';

const entries = Object.entries<ErrorEntry>(errorCodes);

/** The compiler checks what is thrown; this finds codes that nothing throws or refuses any more. */
function codesNamedIn(paths: readonly string[]): ReadonlySet<string> {
  return new Set(
    paths.flatMap((path) => [...read(path).matchAll(/'([a-z]+(?:_[a-z]+)*)'/g)].map(([, code]) => code ?? '')),
  );
}

describe('the table of errors', () => {
  test('has no code that the sources do not name', () => {
    const sources = sourcesUnder('src').filter((path) => path.endsWith('.ts') && !path.endsWith('error-codes.ts'));
    const named = codesNamedIn(sources);
    expect(entries.map(([code]) => code).filter((code) => !named.has(code))).toEqual([]);
  });

  test('gives an AppError its hint, unless the hint depends on the case', () => {
    for (const [code, { hint, ownHint, retryable }] of entries) {
      const error = new AppError({ code, message: 'm', hint: 'Do this.' } as AppErrorOptions);
      expect([code, error.hint]).toEqual([code, ownHint === true ? 'Do this.' : hint]);
      expect(new AppError({ code, message: 'm' } as AppErrorOptions)).toMatchObject({
        hint,
        retryable: retryable ?? false,
      });
    }
  });

  test('sends no code over HTTP whose hint depends on the case', () => {
    const own = entries.filter(([, { ownHint }]) => ownHint === true);
    expect(own.length).toBeGreaterThan(2);
    expect(own.filter(([, { status }]) => status !== null)).toEqual([]);
  });

  test.each(entries)('has for %s a title, a hint and valid numbers', (_, entry) => {
    expect(entry.title).toMatch(/^[A-Z].*[^.]$/);
    expect(entry.hint).toMatch(/\.$/);
    expect(Object.values<number>(exitCodes)).toContain(entry.exit);
    expect(entry.exit).not.toBe(exitCodes.ok);
    if (entry.status !== null) {
      expect(entry.status).toBeGreaterThanOrEqual(400);
    }
  });

  test('has only codes with a status for routes', () => {
    for (const operation of operations) {
      for (const code of codesOf(routes[operation])) {
        expect([operation, code, errorCodes[code].status]).not.toContain(null);
      }
    }
  });

  test('shows an unknown code as a defect, also one that is a member of every object', () => {
    expect(errorEntry('nonsense')).toBe(errorCodes.internal);
    expect(isErrorCode('toString')).toBe(false);
    expect(errorEntry('constructor')).toBe(errorCodes.internal);
  });

  test('fills in a problem document where the caller gives nothing', () => {
    const code: ErrorCode = 'queue_full';
    expect(problem(code, { detail: 'Full.' })).toEqual({
      type: 'urn:signalbox:error:queue_full',
      title: errorCodes.queue_full.title,
      status: 429,
      detail: 'Full.',
      code,
      hint: errorCodes.queue_full.hint,
      retryable: true,
    });
  });
});
