/** From what a Postgres server and its connection say to what a caller can do about it. */
import { AppError } from '../../core/errors.ts';
import { sqlState } from './database.ts';

/** The statement was not sent: there is no connection, and none could be made. Nothing was written. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** The statement was sent, and its connection ended without an answer. It may have been carried out. */
export class AnswerLost extends Error {
  override readonly name = 'AnswerLost';
}

/**
 * SQLSTATEs of a server that ended the connection, maybe after it had carried the statement out: class 08, and 57P01 to 57P05
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const endsConnection = /^(?:08|57P0[1-5])/;

/** Whether the statement may have been carried out: it was sent, and the server did not refuse it. */
export const isAnswerLost = (error: unknown): boolean =>
  error instanceof AnswerLost || endsConnection.test(sqlState(error) ?? '');

/** The server is there, and does not let us in or do what we need: SQLSTATE, what to do. */
const refusals: { readonly [state: string]: string } = {
  '28P01': 'Check the user and the password of the URL.',
  '28000': 'Check the user of the URL, and what pg_hba.conf lets it do.',
  '3D000': 'Make the database first: `createdb`, or `CREATE DATABASE` as a user who may.',
  '42501': 'Give the user the right to make the schema: `GRANT CREATE ON DATABASE … TO …`, or make the schema for it.',
  '25006': 'The server is read-only: give the URL of the primary.',
};

/** While a store is opened: a refusal says what to change. Passes on what is neither the server's nor its connection's. */
export function openError(error: unknown): unknown {
  const from = error instanceof NotSent ? error.cause : error;
  const state = sqlState(from) ?? '';
  const hint = refusals[state];
  return hint === undefined
    ? storeError(error)
    : new AppError({
        code: 'store_refused',
        message: `the database refuses: ${said(from)} (${state})`,
        hint,
        cause: error,
      });
}

/** Once it is open. */
export function storeError(error: unknown): unknown {
  if (error instanceof NotSent) {
    return unreachable(`no connection to the database: ${said(error)}`, error);
  }
  if (error instanceof AnswerLost) {
    return unreachable(`no answer of the database: ${said(error)}`, error);
  }
  const state = sqlState(error);
  if (state === null) {
    return error;
  }
  if (endsConnection.test(state)) {
    return unreachable(`the database ended the connection: ${said(error)} (${state})`, error);
  }
  const rule = state.startsWith('23');
  const what = rule ? 'refused a write that breaks a rule' : 'refused';
  return new AppError({
    code: rule ? 'tape_conflict' : 'store_failed',
    message: `the database ${what}: ${said(error)} (${state})`,
    cause: error,
  });
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const unreachable = (message: string, cause: unknown): AppError =>
  new AppError({ code: 'store_unreachable', message, cause });
