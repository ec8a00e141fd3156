/** Tasks and sessions: refused as things stand. */
import type { ErrorEntry } from './entry.ts';
import { EXIT } from './entry.ts';

export const domainErrors = {
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
  nothing_asked: {
    status: 409,
    exit: EXIT.refused,
    title: 'Nothing of that name waits for an answer',
    hint: 'It was answered, withdrawn or never asked; `signalbox asks` lists what waits.',
  },
  unknown_provider: {
    status: 404,
    exit: EXIT.notFound,
    title: 'No such provider',
    hint: 'List them with `signalbox providers`.',
  },
  not_throttled: {
    status: 409,
    exit: EXIT.refused,
    title: 'Nothing holds its sessions back',
    hint: 'There is nothing to resume.',
  },
  folder_in_use: {
    status: null,
    exit: EXIT.refused,
    title: 'Another session works in the folder',
    hint: 'Let it end, or give each session a folder of its own under `workspaces`.',
    retryable: true,
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
  session_moved: {
    status: 409,
    exit: EXIT.refused,
    title: 'Another node owns the session now',
    hint: 'Send it again; the owning node will answer.',
    retryable: true,
  },
  turn_in_progress: {
    status: 409,
    exit: EXIT.refused,
    title: 'The runner has a turn that is not over',
    hint: 'Await one turn before the next.',
  },
  bad_session_key: {
    status: 400,
    exit: EXIT.usage,
    title: 'The key means no session',
    hint: 'Use 1 to 200 characters, such as github:acme/app.',
  },
} as const satisfies { readonly [code: string]: ErrorEntry };
