/** What is known of an error code, and the exit codes of the command line. */

/** Exit codes of the command line. */
export const EXIT = {
  ok: 0,
  /** The task failed or was cancelled, a guarantee did not hold, or the daemon had a defect. */
  failed: 1,
  /** The command, its flags, its input or the configuration are wrong. */
  usage: 2,
  /** No such task, session, route or hook. */
  notFound: 3,
  /** Refused as things stand now: busy, full, ended, stale. */
  refused: 4,
  /** No token, a wrong one, or a bad signature. */
  unauthorized: 5,
  /** No daemon answers, or it is closing. */
  unavailable: 6,
  /** The data folder or its database cannot be used. */
  storage: 7,
} as const;

export interface ErrorEntry {
  /** HTTP status; null: never sent over HTTP. */
  readonly status: number | null;
  readonly exit: number;
  readonly title: string;
  /** What to do next, when the place that raised it has nothing better to say. */
  readonly hint: string;
  /** The same call may succeed later without a change. */
  readonly retryable?: true;
}
