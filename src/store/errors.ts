/** What the stores throw. Codes are stable; `docs/errors.md` lists them. */
import { AppError, type AppErrorOptions } from '../core/errors.ts';
import type { SessionKey } from '../core/model/ids.ts';
import type { NodeFacts } from './nodes.ts';
import type { HeldSession, StoredSession } from './port.ts';

/**
 * A session's records break a rule that its owner should have kept, so nothing of the whole group was written. The caller
 * takes `session` out of the group, commits the others again, and stops that session: trying again cannot help.
 */
export class CommitRejected extends AppError {
  override readonly name: string = 'CommitRejected';
  readonly session: SessionKey;

  constructor(session: SessionKey, options: AppErrorOptions) {
    super(options);
    this.session = session;
  }
}

/** A `seq` that is taken, or leaves a gap: another writer wrote this tape, or its owner lost count. */
export const tapeConflict = (session: SessionKey, tape: string, expected: number, got: number): CommitRejected =>
  new CommitRejected(session, {
    code: 'tape_conflict',
    message: `the next event of ${tape} is number ${expected}, not ${got}`,
  });

export const statusBackward = (session: SessionKey, task: string, from: string, to: string): CommitRejected =>
  new CommitRejected(session, {
    code: 'status_backward',
    message: `task ${task} is ${from} and cannot become ${to}`,
  });

export const taskConflict = (session: SessionKey, task: string, what: string): CommitRejected =>
  new CommitRejected(session, {
    code: 'task_conflict',
    message: `task ${task} ${what}`,
  });

export const badCursor = (cursor: string): AppError =>
  new AppError({
    code: 'bad_cursor',
    message: `not a cursor of this list: ${JSON.stringify(cursor.slice(0, 64))}`,
  });

/** For whoever cannot do without the session. Throws `session_moved`. */
export function ownedOf(claimed: StoredSession | HeldSession, session: SessionKey): StoredSession {
  if ('held' in claimed) {
    throw new AppError({ code: 'session_moved', message: `node ${claimed.held.name} owns session ${session}` });
  }
  return claimed;
}

/** Beside a daemon that shares the store with nobody. */
export const storeShared = (other: string): AppError =>
  new AppError({ code: 'store_locked', message: `${other} works on this store` });

/** `other` has the name, and is up. */
export const nameTaken = ({ name, host, pid }: Pick<NodeFacts, 'name' | 'host' | 'pid'>): AppError =>
  new AppError({
    code: 'store_locked',
    message: `a node named ${name} is up already, with pid ${pid} on ${host}; give this one another name`,
  });

export const storeLost = (why: string): AppError => new AppError({ code: 'store_lost', message: why });

export const storeClosed = (): AppError =>
  new AppError({
    code: 'closing',
    message: 'the store is closed',
  });
