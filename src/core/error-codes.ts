/**
 * Every error code of Signalbox, with everything that is the same on every route: HTTP status, exit code, title,
 * hint. It is below all layers, so that each of them throws, returns and shows errors from this one table.
 * `docs/errors.md` is made from it. Codes are stable; titles and hints may change.
 */

/** Exit codes of the command line. */
export const exitCodes = {
  ok: 0,
  /** The task failed or was cancelled, a guarantee did not hold, or Signalbox has a defect. */
  failed: 1,
  /** The command, its flags, its input or the configuration are wrong. */
  usage: 2,
  /** The task, session, route or hook does not exist. */
  notFound: 3,
  /** The state of the task or session does not allow it: busy, full, ended, stale. */
  refused: 4,
  /** The token is missing or wrong, or the signature is. */
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
  /** What is wrong, as one statement. */
  readonly title: string;
  /** What to do next. */
  readonly hint: string;
  /** The same call may succeed later without a change. */
  readonly retryable?: true;
  /**
   * What to do depends on the case (which flag is misspelt, which program is missing), so each error may carry its own hint,
   * and this one is the fallback. Such a code is never sent over HTTP.
   */
  readonly ownHint?: true;
}

type Table = { readonly [code: string]: ErrorEntry };

/** The request itself is wrong, or cannot be taken now. */
const requestErrors = {
  bad_json: {
    status: 400,
    exit: exitCodes.usage,
    title: 'The body is not JSON',
    hint: 'Send one JSON document in UTF-8.',
  },
  invalid_request: {
    status: 400,
    exit: exitCodes.usage,
    title: 'The request does not match its schema',
    hint: 'Correct each place that `detail` names; /openapi.json has the schema.',
  },
  bad_id: {
    status: 400,
    exit: exitCodes.usage,
    title: 'The id or key is malformed',
    hint: 'Copy ids and keys from a list of tasks or sessions; percent-encode them in a URL.',
  },
  bad_cursor: {
    status: 400,
    exit: exitCodes.usage,
    title: 'The cursor or position is unknown',
    hint: 'Send the cursor of the previous page unchanged, or leave it out to start at the beginning.',
  },
  bad_last_event_id: {
    status: 400,
    exit: exitCodes.usage,
    title: 'The Last-Event-ID header does not belong to this stream',
    hint: 'Send the id of the last event that this stream gave you.',
  },
  bad_idempotency_key: {
    status: 400,
    exit: exitCodes.usage,
    title: 'The Idempotency-Key header is malformed',
    hint: 'Use 1 to 200 printable ASCII characters without spaces.',
  },
  bad_request: {
    status: 400,
    exit: exitCodes.usage,
    title: 'The request is not valid HTTP',
    hint: 'Check the client, and any proxy between it and the daemon.',
  },
  unauthorized: {
    status: 401,
    exit: exitCodes.unauthorized,
    title: 'The request needs a valid token',
    hint: 'Send the token from the file `token` in the data folder: as `Authorization: Bearer …`, or with --token.',
  },
  forbidden: {
    status: 403,
    exit: exitCodes.unauthorized,
    title: 'The token does not allow this',
    hint: 'Use a token with the scope and for the session that `detail` names: `signalbox token make`.',
  },
  own_session: {
    status: 409,
    exit: exitCodes.refused,
    title: 'An agent cannot wait for its own session',
    hint: 'The task is accepted and runs after this turn: end the turn, and let the next one read the result.',
  },
  too_many_hops: {
    status: 409,
    exit: exitCodes.refused,
    title: 'Too many agents, one after the other, have led to this task',
    hint: 'Do the work in this turn, or let a person submit the task.',
  },
  token_exists: {
    status: 409,
    exit: exitCodes.refused,
    title: 'Another token has this name',
    hint: 'Choose another name, or revoke the other one: `signalbox token revoke NAME`.',
  },
  unknown_token: {
    status: 404,
    exit: exitCodes.notFound,
    title: 'There is no token of this name',
    hint: 'List the tokens: `signalbox token list`.',
  },
  not_found: {
    status: 404,
    exit: exitCodes.notFound,
    title: 'The route does not exist',
    hint: 'Look the route up in /openapi.json.',
  },
  method_not_allowed: {
    status: 405,
    exit: exitCodes.usage,
    title: 'The route does not support this method',
    hint: 'Use a method from the Allow header.',
  },
  not_acceptable: {
    status: 406,
    exit: exitCodes.usage,
    title: 'The route has no media type that the request accepts',
    hint: 'Accept application/json; routes of events also have text/event-stream.',
  },
  request_timeout: {
    status: 408,
    exit: exitCodes.unavailable,
    title: 'The request did not arrive in time',
    hint: 'Send the whole request within 30 seconds.',
    retryable: true,
  },
  body_too_large: {
    status: 413,
    exit: exitCodes.usage,
    title: 'The body is too large',
    hint: 'Send a smaller body; `detail` names the limit.',
  },
  url_too_long: { status: 414, exit: exitCodes.usage, title: 'The URL is too long', hint: 'Shorten the query.' },
  unsupported_media_type: {
    status: 415,
    exit: exitCodes.usage,
    title: 'The media type of the body is not supported',
    hint: 'Send the body as UTF-8 JSON, uncompressed, with `Content-Type: application/json`.',
  },
  wrong_host: {
    status: 421,
    exit: exitCodes.usage,
    title: 'The Host header names another server',
    hint: 'Call the daemon as 127.0.0.1 or localhost, or add the name to `listen.hosts`.',
  },
  headers_too_large: {
    status: 431,
    exit: exitCodes.usage,
    title: 'The headers are too large',
    hint: 'Send less than 16 KiB of headers.',
  },
  internal: {
    status: 500,
    exit: exitCodes.failed,
    title: 'Signalbox has a defect',
    hint: 'Report it with the request id; the log of the daemon has the details.',
  },
  too_many_connections: {
    status: 503,
    exit: exitCodes.unavailable,
    title: 'Too many connections are open',
    hint: 'Close some connections, or raise `limits.maxConnections`.',
    retryable: true,
  },
  too_many_bodies: {
    status: 503,
    exit: exitCodes.unavailable,
    title: 'Too many request bodies are being received',
    hint: 'Nothing was stored. Send it again, or raise `limits.maxBodiesBytes`.',
    retryable: true,
  },
  too_many_streams: {
    status: 503,
    exit: exitCodes.unavailable,
    title: 'Too many event streams are open',
    hint: 'Close some streams, or raise `limits.maxStreams`.',
    retryable: true,
  },
  not_ready: {
    status: 503,
    exit: exitCodes.unavailable,
    title: 'The daemon is still starting',
    hint: 'Wait until /readyz answers 200, then retry.',
    retryable: true,
  },
  closing: {
    status: 503,
    exit: exitCodes.unavailable,
    title: 'The daemon is closing',
    hint: 'Retry when the daemon runs again.',
    retryable: true,
  },
} as const satisfies Table;

/** The state of tasks and sessions does not allow it. */
const sessionErrors = {
  unknown_task: {
    status: 404,
    exit: exitCodes.notFound,
    title: 'The task does not exist',
    hint: 'Find its id with `signalbox tasks`.',
  },
  unknown_session: {
    status: 404,
    exit: exitCodes.notFound,
    title: 'The session does not exist',
    hint: 'Find its key with `signalbox sessions`; the first task creates a session.',
  },
  unknown_runner: {
    status: 422,
    exit: exitCodes.usage,
    title: 'The code runner is not registered',
    hint: 'Name its module in `runners` of the configuration, give it to `createSignalbox`, or leave `runner` out.',
  },
  unknown_agent: {
    status: 422,
    exit: exitCodes.usage,
    title: 'There is no agent of that name',
    hint: 'Name an agent of the configuration (`signalbox providers` lists them), or leave `agent` out.',
  },
  queue_full: {
    status: 429,
    exit: exitCodes.refused,
    title: 'The session has too many open tasks',
    hint: 'Nothing was stored. Wait until tasks end, cancel some, or raise `limits.maxOpen`.',
    retryable: true,
  },
  source_full: {
    status: 429,
    exit: exitCodes.refused,
    title: 'The source has too many open tasks',
    hint: 'Nothing was stored. Wait until tasks of the source end, cancel some, or raise `limits.maxOpenPerSource`. Background tasks leave the last tenth of it to interactive ones.',
    retryable: true,
  },
  daemon_full: {
    status: 429,
    exit: exitCodes.refused,
    title: 'The daemon has too many open tasks',
    hint: 'Nothing was stored. Wait until tasks end, cancel some, or raise `limits.maxOpenTasks`. Background tasks leave the last tenth of it to interactive ones.',
    retryable: true,
  },
  session_busy: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The session is busy',
    hint: 'Nothing was stored. Retry later, or use another `whenBusy`.',
    retryable: true,
  },
  key_reused: {
    status: 422,
    exit: exitCodes.refused,
    title: 'The idempotency key belongs to another request',
    hint: 'Nothing was stored. Use a separate key for each request, and repeat a key only with the same request.',
  },
  rollback_unsupported: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The agent cannot remove a turn from its conversation',
    hint: 'Nothing was stored. Use `whenBusy: "interrupt"` instead of `"rollback"`.',
  },
  agent_differs: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The session has another agent',
    hint: 'Nothing was stored. Leave `agent` out, or change the agent of the session first: `signalbox assign SESSION AGENT`. A new agent does not know the conversation.',
  },
  text_sent: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The text of the task is with the agent already',
    hint: 'Cancel the task and submit the new text, or submit the new text with `whenBusy: steer`.',
  },
  turn_sent: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The agent works on the task already',
    hint: 'Cancel the task, or wait until its turn has ended.',
  },
  task_merged: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The task was merged into another task',
    hint: 'Move the task that it was merged into.',
  },
  not_movable: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The task cannot move before that task',
    hint: 'Name a waiting task of the same lane and priority, or move the task first or last.',
  },
  nothing_held: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The session has no owner',
    hint: 'Nothing needs to be evicted; the next task becomes the owner.',
  },
  agent_not_running: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The session has no running agent',
    hint: 'Submit a task: the agent starts with its turn.',
  },
  not_parked: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The session is not parked',
    hint: 'Nothing needs to be unparked; the session grants its tasks.',
  },
  no_permission_request: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The permission request is not pending',
    hint: 'It was answered, withdrawn or never made. List pending requests with `signalbox permissions`.',
  },
  unknown_provider: {
    status: 404,
    exit: exitCodes.notFound,
    title: 'The provider does not exist',
    hint: 'Find its name with `signalbox providers`.',
  },
  unknown_reply: {
    status: 404,
    exit: exitCodes.notFound,
    title: 'The message does not exist',
    hint: 'Find its id with `signalbox replies`. What has ended is listed for `limits.replyKeepMs`.',
  },
  reply_state: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The message is in a state that does not allow this',
    hint: 'Look at its state with `signalbox replies`. What is being sent or has arrived is neither sent again nor dropped.',
  },
  not_throttled: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The provider is not throttled',
    hint: 'Nothing needs to be resumed; its sessions run.',
  },
  duplicate_task: {
    status: 409,
    exit: exitCodes.refused,
    title: 'A task with this id exists',
    hint: 'Leave the id out; to submit twice safely, send an Idempotency-Key.',
  },
  task_ended: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The task has ended',
    hint: 'Nothing was changed. Submit a new task.',
  },
  stale_epoch: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The session has another owner',
    hint: 'Read the session again and name the epoch of its present owner.',
  },
  unknown_hang: {
    status: 404,
    exit: exitCodes.notFound,
    title: 'The hang report does not exist',
    hint: 'Find its id with `signalbox hangs`; only the newest reports are kept.',
  },
  no_watchdog: {
    status: 503,
    exit: exitCodes.unavailable,
    title: 'The daemon has no watchdog',
    hint: 'Start the daemon with `signalbox up`: it starts the watchdog thread that takes hang reports.',
  },
  evicted: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The task no longer owns the session',
    hint: 'Stop working on this task: it has ended, its lease has lapsed, or the epoch is not that of its holder. The tape of the task says why.',
  },
  mode_conflict: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The mode does not fit the runner',
    hint: 'Give a `runner` with the mode `code`, and none with another one.',
  },
  not_external: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The task is not external',
    hint: 'Submit the task with `mode: "external"`; then a program can hold the session for it.',
  },
  task_claimed: {
    status: 409,
    exit: exitCodes.refused,
    title: 'Another holder has claimed the task',
    hint: 'Claim another task, or ask again: the task is free when the lease of its holder has lapsed.',
    retryable: true,
  },
  call_out_of_order: {
    status: 409,
    exit: exitCodes.refused,
    title: 'A later call of the holder was answered',
    hint: 'Number the calls of one epoch upwards from 1; repeat only the last one.',
  },
  session_moved: {
    status: 409,
    exit: exitCodes.refused,
    title: 'Another daemon owns the session',
    hint: 'Retry; the owning daemon will answer.',
    retryable: true,
  },
  owner_unreachable: {
    status: 503,
    exit: exitCodes.refused,
    title: 'The node that owns the session has not answered in time',
    hint: 'Nothing was done. Retry: another node takes the session over when its owner is dead.',
    retryable: true,
  },
  answer_lost: {
    status: 503,
    exit: exitCodes.refused,
    title: 'The node that owns the session may have taken the command, and its answer is lost',
    hint: 'Look at the task or the session before you send it again; with an Idempotency-Key it can be sent again at once.',
  },
  unknown_node: {
    status: 404,
    exit: exitCodes.refused,
    title: 'No such node',
    hint: '`signalbox nodes` lists the daemons that share the store.',
  },
  hold_released: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The runner has released its hold',
    hint: 'Take every turn before the hold is disposed.',
  },
  turn_in_progress: {
    status: 409,
    exit: exitCodes.refused,
    title: 'The runner has an open turn',
    hint: 'Await one turn before you start the next.',
  },
  bad_session_key: {
    status: 400,
    exit: exitCodes.usage,
    title: 'The session key is not valid',
    hint: 'Use 1 to 200 characters, such as github:acme/app.',
  },
} as const satisfies Table;

/** Webhook deliveries. */
const webhookErrors = {
  unknown_hook: {
    status: 404,
    exit: exitCodes.notFound,
    title: 'The hook does not exist',
    hint: 'Configure it under `github` or `hooks`.',
  },
  bad_signature: {
    status: 401,
    exit: exitCodes.unauthorized,
    title: 'The signature does not match',
    hint: 'Configure the same secret in Signalbox and at the sender.',
  },
  missing_signature: {
    status: 401,
    exit: exitCodes.unauthorized,
    title: 'The delivery is not signed',
    hint: 'Set a secret in the settings of the webhook at the sender.',
  },
  stale_timestamp: {
    status: 401,
    exit: exitCodes.unauthorized,
    title: 'The delivery is too old or from the future',
    hint: 'Correct the clocks of both machines.',
  },
  missing_header: {
    status: 400,
    exit: exitCodes.usage,
    title: 'A header is missing',
    hint: 'Send the header that `detail` names; a proxy may have removed it.',
  },
} as const satisfies Table;

/** What stops a daemon, a command or a store. */
const localErrors = {
  bad_config: {
    status: null,
    exit: exitCodes.usage,
    title: 'The configuration is wrong',
    hint: 'Correct it; docs/configuration.md lists every key.',
    ownHint: true,
  },
  agent_not_found: {
    status: null,
    exit: exitCodes.usage,
    title: 'The agent is not installed',
    hint: 'Install it, or name its program with `agent.command`; `signalbox doctor` shows what is installed.',
    ownHint: true,
  },
  sandbox_unavailable: {
    status: null,
    exit: exitCodes.unavailable,
    title: 'The agent may run in a sandbox only, and there is none',
    hint: 'Install bubblewrap (`apt-get install bubblewrap`), or allow agents without a sandbox by `agent.sandbox: "auto"`; `signalbox doctor` tries it. Tasks wait until an agent can start.',
    retryable: true,
  },
  untrusted_file: {
    status: null,
    exit: exitCodes.usage,
    title: 'A file is not read, because someone else may have put it there',
    hint: 'Name the file by hand if it is yours.',
    ownHint: true,
  },
  settings_widen: {
    status: null,
    exit: exitCodes.unavailable,
    title: 'The settings of the agent’s program allow more than any policy',
    hint: 'Remove the setting, or set `agent.trustSettings` to let such settings stand; `signalbox doctor` names each. Tasks wait until an agent can start.',
    retryable: true,
  },
  usage: {
    status: null,
    exit: exitCodes.usage,
    title: 'The command line is wrong',
    hint: 'Read `signalbox help`.',
    ownHint: true,
  },
  token_required: {
    status: null,
    exit: exitCodes.usage,
    title: 'An address that other machines can reach needs a token',
    hint: 'Set a token, or listen on 127.0.0.1.',
  },
  token_unreadable: {
    status: null,
    exit: exitCodes.storage,
    title: 'The token file cannot be used',
    hint: 'Make it a file of your user with mode 0600, or delete it: the daemon then creates a new one.',
  },
  address_in_use: {
    status: null,
    exit: exitCodes.unavailable,
    title: 'The address is in use',
    hint: 'Stop the program that uses it, or choose another `listen.port`.',
  },
  listen_failed: {
    status: null,
    exit: exitCodes.usage,
    title: 'The daemon cannot listen on the address',
    hint: 'Check `listen.host` and `listen.port`.',
  },
  store_locked: {
    status: null,
    exit: exitCodes.storage,
    title: 'Another daemon uses this data folder or database',
    hint: 'Stop that daemon, or choose another data folder or database.',
    retryable: true,
  },
  store_damaged: {
    status: null,
    exit: exitCodes.storage,
    title: 'The database is damaged',
    hint: 'Restore a backup, or choose another data folder. The file was not changed.',
  },
  store_newer: {
    status: null,
    exit: exitCodes.storage,
    title: 'A newer Signalbox wrote the database',
    hint: 'Update Signalbox. The file was not changed.',
  },
  store_foreign: {
    status: null,
    exit: exitCodes.storage,
    title: 'The file is the database of another program',
    hint: 'Choose another data folder. The file was not changed.',
  },
  store_failed: {
    status: 503,
    exit: exitCodes.storage,
    title: 'The data folder or its database cannot be used',
    hint: 'Check that your user may write the data folder and that its disk has space. Nothing was stored.',
    retryable: true,
  },
  store_unreachable: {
    status: 503,
    exit: exitCodes.storage,
    title: 'The database does not answer',
    hint: 'Check that the server runs and that the host, the port and the TLS settings of the URL are right. Nothing of this request is stored.',
    retryable: true,
  },
  bad_export: {
    status: null,
    exit: exitCodes.usage,
    title: 'The file is not a whole export of Signalbox',
    hint: 'Make the export again with `signalbox export`, and do not change it.',
  },
  store_exists: {
    status: null,
    exit: exitCodes.storage,
    title: 'There is a database already',
    hint: 'An import fills a new place alone: name another data folder or database, or move what is there away.',
  },
  store_lost: {
    status: 503,
    exit: exitCodes.storage,
    title: 'Another daemon has taken the database over, or may have',
    hint: 'The daemon ends its agents and stops. Start it again when the database answers and no other daemon works on it.',
    retryable: true,
  },
  store_refused: {
    status: null,
    exit: exitCodes.storage,
    title: 'The database server does not let Signalbox use it',
    hint: 'See docs/postgres.md for the rights that it needs.',
    ownHint: true,
  },
  store_replaced: {
    status: 503,
    exit: exitCodes.storage,
    title: 'The database file was removed or changed under the daemon',
    hint: 'Nothing of this request was stored. Stop the daemon, put the file back or restore a backup, then start it again.',
    retryable: true,
  },
  invariant_broken: {
    status: 500,
    exit: exitCodes.failed,
    title: 'An invariant of Signalbox is broken',
    hint: 'Report this defect with the tape of the session.',
  },
  unreachable: {
    status: null,
    exit: exitCodes.unavailable,
    title: 'No daemon answers',
    hint: 'Start the daemon with `signalbox up`, or check the address.',
    retryable: true,
    ownHint: true,
  },
  daemon_lost: {
    status: null,
    exit: exitCodes.failed,
    title: 'The daemon has died',
    hint: 'Start it again with `signalbox up`: it resumes its tasks. The system log says whether memory ran out.',
    retryable: true,
  },
  bad_response: {
    status: null,
    exit: exitCodes.unavailable,
    title: 'The answer is not from Signalbox',
    hint: 'Check the address; a proxy or another program may have answered.',
  },
  aborted: { status: null, exit: exitCodes.failed, title: 'The caller aborted the call', hint: 'Call again.' },
  tape_conflict: {
    status: 500,
    exit: exitCodes.failed,
    title: 'Two writers wrote to one tape',
    hint: 'Report this defect with the tape. Nothing was written.',
  },
  task_conflict: {
    status: 500,
    exit: exitCodes.failed,
    title: 'Two tasks have the same id',
    hint: 'If your program makes the ids, make them unique; else report this defect. Nothing was written.',
  },
  status_backward: {
    status: 500,
    exit: exitCodes.failed,
    title: 'The status of a task cannot move backward',
    hint: 'Report this defect with the tape. Nothing was written.',
  },
  channel_broken: {
    status: 503,
    exit: exitCodes.failed,
    title: 'The other process or thread has ended',
    hint: 'Check whether the request took effect before you repeat it: the tape has the last words of the process.',
    retryable: true,
  },
  channel_full: {
    status: 503,
    exit: exitCodes.failed,
    title: 'Messages arrive faster than they are read',
    hint: 'Retry. If it happens again, take a hang report: it says where the reader waits.',
    retryable: true,
  },
  wait_timed_out: {
    status: 504,
    exit: exitCodes.failed,
    title: 'An answer did not arrive in time',
    hint: 'Take a hang report with `signalbox doctor --live`: it lists what waits, and since when.',
    retryable: true,
  },
} as const satisfies Table;

/** The sections of docs/errors.md. */
export const errorSections = {
  'The request': requestErrors,
  'Tasks and sessions': sessionErrors,
  Webhooks: webhookErrors,
  'Daemon, command line, store': localErrors,
} as const;

export const errorCodes = { ...requestErrors, ...sessionErrors, ...webhookErrors, ...localErrors } as const;
export type ErrorCode = keyof typeof errorCodes;

/** Codes whose errors may have their own hint. */
export type OwnHintCode = {
  [C in ErrorCode]: (typeof errorCodes)[C] extends { readonly ownHint: true } ? C : never;
}[ErrorCode];

export type FixedHintCode = Exclude<ErrorCode, OwnHintCode>;

const table: { readonly [code: string]: ErrorEntry | undefined } = errorCodes;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(table, code);
}

/** The entry of a code; a code that the table lacks is a defect and counts as `internal`. */
export function errorEntry(code: string): ErrorEntry {
  return isErrorCode(code) ? errorCodes[code] : errorCodes.internal;
}
