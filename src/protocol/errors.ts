/**
 * Every error code that leaves Signalbox: in a problem document over HTTP, on the terminal, or thrown in a library.
 * `docs/errors.md` is compared with this table by a test. Codes are stable; titles and hints may change.
 */

import { domainErrors } from './errors/domain.ts';
import type { ErrorEntry } from './errors/entry.ts';
import { hookErrors } from './errors/hooks.ts';
import { localErrors } from './errors/local.ts';
import { requestErrors } from './errors/request.ts';

export type { ErrorEntry } from './errors/entry.ts';
export { EXIT } from './errors/entry.ts';

export const ERRORS = { ...requestErrors, ...domainErrors, ...hookErrors, ...localErrors } as const;
export type ErrorCode = keyof typeof ERRORS;

const table: { readonly [code: string]: ErrorEntry | undefined } = ERRORS;

/** The entry of a code; a code that is not in the table is a defect and counts as `internal`. */
export function errorEntry(code: string): ErrorEntry {
  return Object.hasOwn(table, code) ? (table[code] ?? ERRORS.internal) : ERRORS.internal;
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(table, code);
}
