/** The request itself is wrong, or cannot be taken now. */
import type { ErrorEntry } from './entry.ts';
import { EXIT } from './entry.ts';

export const requestErrors = {
  bad_json: { status: 400, exit: EXIT.usage, title: 'The body is not JSON', hint: 'Send one JSON document in UTF-8.' },
  invalid_request: {
    status: 400,
    exit: EXIT.usage,
    title: 'The request does not fit its schema',
    hint: 'Correct what is named; the schema is in /openapi.json.',
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
    hint: 'Send the token from the file `token` in the data folder: as `Authorization: Bearer …`, or with --token.',
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
