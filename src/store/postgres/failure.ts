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
 * SQLSTATEs of a server that ended the connection, maybe after it had carried the statement out: class 08, 57P01 to 57P05, and 25P03, of a
 * transaction that was silent (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const endsConnection = /^(?:08|57P0[1-5]|25P03)/;

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

const checkCertificate =
  'Name the certificate of the authority that signed it: `sslrootcert=FILE` in the URL; `sslmode=no-verify` encrypts, and trusts any server.';

/** As above, from our side of the connection: the words of `pg`, or codes of Node's TLS. */
const connectionRefusals: readonly (readonly [words: RegExp, hint: string])[] = [
  [/does not support SSL/, 'Switch TLS on in the server, or leave `sslmode` out of the URL.'],
  [/self.signed|unable to (?:verify|get)|CERT_|certificate/i, checkCertificate],
  [
    /password must be a (?:non-empty )?string/,
    'Give the password: in the URL, by PGPASSWORD, or in the file of PGPASSFILE.',
  ],
  [/ENOENT.*open/, 'Check the files that the parameters of the URL name.'],
];

/** While a store is opened: a refusal says what to change. Passes on what is neither the server's nor its connection's. */
export function openError(error: unknown): unknown {
  const from = error instanceof NotSent ? error.cause : error;
  const state = sqlState(from);
  const what = said(from);
  const hint =
    state === null
      ? error instanceof NotSent && connectionRefusals.find(([words]) => words.test(`${codeOf(from)} ${what}`))?.[1]
      : refusals[state];
  if (hint === undefined || hint === false) {
    return storeError(error);
  }
  const message =
    state === null ? `no connection to the database: ${what}` : `the database refuses: ${what} (${state})`;
  return new AppError({ code: 'store_refused', message, hint, cause: error });
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

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

/** Of a host with several addresses, each was tried, and the error of all says nothing itself. */
export function said(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(said))].join(', ');
  }
  return error instanceof Error ? error.message : String(error);
}

const unreachable = (message: string, cause: unknown): AppError =>
  new AppError({ code: 'store_unreachable', message, cause });
