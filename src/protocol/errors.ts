/**
 * Every error code that leaves Signalbox: in a problem document over HTTP, on the terminal, or thrown in a library.
 * `docs/errors.md` is compared with this table by a test. Codes are stable; titles and hints may change.
 */

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

/** The request itself. */
const request = {
  bad_json: { status: 400, exit: EXIT.usage, title: 'The body is not JSON', hint: 'Send one JSON document in UTF-8.' },
  invalid_request: {
    status: 400,
    exit: EXIT.usage,
    title: 'The request does not fit its schema',
    hint: 'See `errors`; the schema is in /openapi.json.',
  },
  bad_id: {
    status: 400,
    exit: EXIT.usage,
    title: 'The id or key is malformed',
    hint: 'Percent-encode session keys; copy task ids as they were given.',
  },
  bad_cursor: {
    status: 400,
    exit: EXIT.usage,
    title: 'The cursor or position is not one of ours',
    hint: 'Give back what the page before gave, or start without one.',
  },
  bad_last_event_id: {
    status: 400,
    exit: EXIT.usage,
    title: 'Last-Event-ID is malformed',
    hint: 'Send the id of the last event of this very stream.',
  },
  bad_idempotency_key: {
    status: 400,
    exit: EXIT.usage,
    title: 'The Idempotency-Key is malformed',
    hint: 'Use 1 to 200 printable ASCII characters.',
  },
  bad_request: {
    status: 400,
    exit: EXIT.usage,
    title: 'This is not HTTP as it should be',
    hint: 'Check the client or the proxy between.',
  },
  unauthorized: {
    status: 401,
    exit: EXIT.unauthorized,
    title: 'A token is needed',
    hint: 'Send `Authorization: Bearer …` with the token from the file `token` in the data folder.',
  },
  not_found: { status: 404, exit: EXIT.notFound, title: 'No such route', hint: 'All routes are in /openapi.json.' },
  method_not_allowed: {
    status: 405,
    exit: EXIT.usage,
    title: 'This route does not take that method',
    hint: 'See the Allow header.',
  },
  not_acceptable: {
    status: 406,
    exit: EXIT.usage,
    title: 'No representation that you accept',
    hint: 'Accept application/json, or text/event-stream where events are.',
  },
  request_timeout: {
    status: 408,
    exit: EXIT.unavailable,
    title: 'The request did not arrive in time',
    hint: 'Send it faster, or in one piece.',
    retryable: true,
  },
  body_too_large: {
    status: 413,
    exit: EXIT.usage,
    title: 'The body is too large',
    hint: 'Send less; the limit is in `detail`.',
  },
  url_too_long: { status: 414, exit: EXIT.usage, title: 'The address is too long', hint: 'Shorten the query.' },
  unsupported_media_type: {
    status: 415,
    exit: EXIT.usage,
    title: 'The body has a type we do not read',
    hint: 'Send `Content-Type: application/json`.',
  },
  wrong_host: {
    status: 421,
    exit: EXIT.usage,
    title: 'The Host header names another server',
    hint: 'Address the daemon as 127.0.0.1 or localhost, or list the name under `listen.hosts`.',
  },
  headers_too_large: {
    status: 431,
    exit: EXIT.usage,
    title: 'The headers are too large',
    hint: 'Send less than 16 KiB of headers.',
  },
  internal: {
    status: 500,
    exit: EXIT.failed,
    title: 'A defect of ours',
    hint: 'Report it with the request id; the log has the details.',
  },
  too_many_connections: {
    status: 503,
    exit: EXIT.unavailable,
    title: 'Too many connections',
    hint: 'Close some, or raise `limits.maxConnections`.',
    retryable: true,
  },
  too_many_streams: {
    status: 503,
    exit: EXIT.unavailable,
    title: 'Too many event streams',
    hint: 'Close some, or raise `limits.maxStreams`.',
    retryable: true,
  },
  not_ready: {
    status: 503,
    exit: EXIT.unavailable,
    title: 'The daemon is still starting',
    hint: 'Wait for /readyz.',
    retryable: true,
  },
  closing: {
    status: 503,
    exit: EXIT.unavailable,
    title: 'The daemon is closing',
    hint: 'Send it again when it is back.',
    retryable: true,
  },
} as const satisfies { readonly [code: string]: ErrorEntry };

/** Tasks and sessions: refused as things stand. */
const domain = {
  unknown_task: { status: 404, exit: EXIT.notFound, title: 'No such task', hint: 'List tasks with `signalbox tasks`.' },
  unknown_session: {
    status: 404,
    exit: EXIT.notFound,
    title: 'No such session',
    hint: 'List sessions with `signalbox sessions`; the first task makes one.',
  },
  unknown_runner: {
    status: 422,
    exit: EXIT.usage,
    title: 'No such code runner',
    hint: 'Register it, or leave `runner` out.',
  },
  queue_full: {
    status: 429,
    exit: EXIT.refused,
    title: 'The queue of the session is full',
    hint: 'Nothing was stored. Wait for tasks to end, or raise `limits.maxOpen`.',
    retryable: true,
  },
  session_busy: {
    status: 409,
    exit: EXIT.refused,
    title: 'The session is busy',
    hint: 'Nothing was stored. Wait, or use another `whenBusy`.',
    retryable: true,
  },
  rollback_unsupported: {
    status: 409,
    exit: EXIT.refused,
    title: 'The agent cannot rewind',
    hint: 'Nothing was stored. Use `interrupt` instead of `rollback`.',
  },
  not_queued: {
    status: 409,
    exit: EXIT.refused,
    title: 'The task is no longer queued',
    hint: 'Only queued tasks can be edited.',
  },
  not_movable: {
    status: 409,
    exit: EXIT.refused,
    title: 'The task cannot be moved so',
    hint: 'Only queued tasks move, and only before another queued task.',
  },
  nothing_held: {
    status: 409,
    exit: EXIT.refused,
    title: 'Nobody holds the session',
    hint: 'There is nothing to evict.',
  },
  agent_not_running: {
    status: 409,
    exit: EXIT.refused,
    title: 'The session has no running agent',
    hint: 'It starts with the next turn.',
  },
  not_parked: {
    status: 409,
    exit: EXIT.refused,
    title: 'The session is not parked',
    hint: 'There is nothing to unpark.',
  },
  duplicate_task: {
    status: 409,
    exit: EXIT.refused,
    title: 'A task with this id exists',
    hint: 'Ids are used once; use an Idempotency-Key to submit twice safely.',
  },
  task_ended: {
    status: 409,
    exit: EXIT.refused,
    title: 'The task has ended',
    hint: 'An ended task does not change; submit a new one.',
  },
  stale_epoch: {
    status: 409,
    exit: EXIT.refused,
    title: 'That hold is over',
    hint: 'Look who owns the session now, and name its epoch.',
  },
  session_faulted: {
    status: 409,
    exit: EXIT.refused,
    title: 'A defect stopped the session',
    hint: 'Read the session’s events, report the fault, then `unpark` it.',
  },
  evicted: {
    status: 409,
    exit: EXIT.refused,
    title: 'The hold was taken away',
    hint: 'Another task owns the session now; stop what you do for the old one.',
  },
} as const satisfies { readonly [code: string]: ErrorEntry };

/** Webhooks. */
const hooks = {
  unknown_hook: { status: 404, exit: EXIT.notFound, title: 'No such hook', hint: 'Configure it under `hooks`.' },
  bad_signature: {
    status: 401,
    exit: EXIT.unauthorized,
    title: 'The signature does not fit',
    hint: 'Check that both sides have the same secret.',
  },
  missing_signature: {
    status: 401,
    exit: EXIT.unauthorized,
    title: 'The delivery is not signed',
    hint: 'Set a secret where the hook is sent from.',
  },
  stale_timestamp: {
    status: 401,
    exit: EXIT.unauthorized,
    title: 'The delivery is too old or from the future',
    hint: 'Check the clocks of both machines.',
  },
  missing_header: { status: 400, exit: EXIT.usage, title: 'A header is missing', hint: 'See `detail` for its name.' },
} as const satisfies { readonly [code: string]: ErrorEntry };

/** What stops a daemon or a command before or beside any request. */
const local = {
  bad_config: {
    status: null,
    exit: EXIT.usage,
    title: 'The configuration is wrong',
    hint: 'See the list; `signalbox doctor` checks it too.',
  },
  usage: { status: null, exit: EXIT.usage, title: 'The command is not used so', hint: 'See `signalbox help`.' },
  token_required: {
    status: null,
    exit: EXIT.usage,
    title: 'An address that others can reach needs a token',
    hint: 'Give a token, or listen on 127.0.0.1.',
  },
  token_unreadable: {
    status: null,
    exit: EXIT.storage,
    title: 'The token file cannot be used',
    hint: 'It must be a file of yours with mode 0600; remove it to have a new one made.',
  },
  address_in_use: {
    status: null,
    exit: EXIT.unavailable,
    title: 'The address is in use',
    hint: 'Another daemon runs there, or choose another `listen.port`.',
  },
  listen_failed: {
    status: null,
    exit: EXIT.usage,
    title: 'The address cannot be listened on',
    hint: 'Check `listen.host` and `listen.port`.',
  },
  store_locked: {
    status: null,
    exit: EXIT.storage,
    title: 'Another daemon uses this data folder',
    hint: 'Stop it, or choose another data folder.',
  },
  store_damaged: {
    status: null,
    exit: EXIT.storage,
    title: 'The database is damaged',
    hint: 'It was left as it is. Restore a copy, or start with a new data folder.',
  },
  store_newer: {
    status: null,
    exit: EXIT.storage,
    title: 'The database was made by a newer Signalbox',
    hint: 'It was left as it is. Update Signalbox.',
  },
  store_failed: {
    status: 503,
    exit: EXIT.storage,
    title: 'The store does not work',
    hint: 'Check the disk; nothing unfinished was answered as done.',
    retryable: true,
  },
  closed: { status: 503, exit: EXIT.unavailable, title: 'It was closed', hint: 'Start it again.' },
  invariant_broken: {
    status: 500,
    exit: EXIT.failed,
    title: 'A broken invariant: a defect of ours',
    hint: 'Report it with the tape of the session.',
  },
  unreachable: {
    status: null,
    exit: EXIT.unavailable,
    title: 'No daemon answers',
    hint: 'Start one with `signalbox up`.',
    retryable: true,
  },
  bad_response: {
    status: null,
    exit: EXIT.unavailable,
    title: 'The answer is not from Signalbox',
    hint: 'Check the address; a proxy may have answered.',
  },
  aborted: { status: null, exit: EXIT.failed, title: 'The caller gave up', hint: '' },
} as const satisfies { readonly [code: string]: ErrorEntry };

export const ERRORS = { ...request, ...domain, ...hooks, ...local } as const;
export type ErrorCode = keyof typeof ERRORS;

const table: { readonly [code: string]: ErrorEntry | undefined } = ERRORS;

/** The entry of a code; a code that is not in the table is a defect and counts as `internal`. */
export function errorEntry(code: string): ErrorEntry {
  return Object.hasOwn(table, code) ? (table[code] ?? ERRORS.internal) : ERRORS.internal;
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(table, code);
}
