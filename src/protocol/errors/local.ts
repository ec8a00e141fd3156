/** What stops a daemon, a command or a store, before or beside any request. */
import type { ErrorEntry } from './entry.ts';
import { EXIT } from './entry.ts';

export const localErrors = {
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
  aborted: { status: null, exit: EXIT.failed, title: 'The caller gave up', hint: 'Call again.' },
  store_foreign: {
    status: null,
    exit: EXIT.storage,
    title: "The file is another program's database",
    hint: 'It was left as it is. Give Signalbox a data folder of its own.',
  },
  store_closed: {
    status: 503,
    exit: EXIT.unavailable,
    title: 'The store is closed',
    hint: 'The daemon is stopping. Send it again when it is back.',
    retryable: true,
  },
  tape_conflict: {
    status: 500,
    exit: EXIT.failed,
    title: 'A tape was written by two',
    hint: 'A second writer, or a defect of ours: report it with the tape.',
  },
  task_conflict: {
    status: 500,
    exit: EXIT.failed,
    title: 'A task id stands for two tasks',
    hint: 'A defect of ours, or of the ids that the library was given: report it.',
  },
  status_backward: {
    status: 500,
    exit: EXIT.failed,
    title: 'A status was to move backward',
    hint: 'A defect of ours, and nothing was written: report it with the tape.',
  },
} as const satisfies { readonly [code: string]: ErrorEntry };
