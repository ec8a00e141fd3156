/** Records as the core makes them, short to write in tests. `Writer` is an owner that keeps count of its tapes. */
import { epoch, incarnation, sessionKey, taskId, turnId, type SessionKey, type TaskId } from '../../core/model/ids.ts';
import type { Parked } from '../../core/model/session.ts';
import type { TerminalStatus } from '../../core/model/task.ts';
import type { OpenTaskEvent, Record as CoreRecord, SessionRow, TaskRow } from '../../core/model/records.ts';
import { taskRow as rowOf } from '../../core/draft.ts';
import { newTask } from '../../core/rules/submit.ts';
import { ownedOf } from '../../store/errors.ts';
import type { CommitOutcome, Store, TaskPayload } from '../../store/port.ts';
import { payloadOf } from '../../store/rules.ts';

export const time = 1_700_000_000_000;

const asked = {
  lane: 'interactive',
  mode: 'prompt',
  priority: 0,
  mergeGroup: null,
  whenBusy: 'preempt',
  onLost: 'retry',
  maxAttempts: 3,
  conversation: 'current',
  expiresAt: null,
  model: null,
} as const;

/** As the core admits it, as the first of its session. */
export const taskRow = (id: TaskId, change: Partial<TaskRow> = {}): TaskRow => ({
  ...rowOf(newTask({ id, ...asked }, 1, 0)),
  ...change,
});

export const payload = (change: Partial<TaskPayload> = {}): TaskPayload => ({
  ...payloadOf({ prompt: 'hello', idempotencyKey: null }),
  ...change,
});

export const sessionRow = (key: SessionKey, change: Partial<SessionRow> = {}): SessionRow => ({
  key,
  epoch: epoch(0),
  admissions: 1,
  turns: turnId(0),
  incarnations: incarnation(0),
  parked: null,
  assigned: null,
  assigning: null,
  conversation: null,
  conversationReset: null,
  conversationEnding: null,
  firstTurn: null,
  rewind: null,
  answered: false,
  passedOver: null,
  settling: [],
  hold: null,
  ...change,
});

export const parkedBy = (reason: string): Parked => ({
  kind: 'operator',
  reason,
  by: { kind: 'person', name: 'ada' },
});

export const admit = (id: string, change: Partial<TaskPayload> = {}, row: Partial<TaskRow> = {}): CoreRecord => ({
  type: 'admit',
  at: time,
  task: taskRow(taskId(id), row),
  payload: payload(change),
});

export const running = (id: string): CoreRecord => ({
  type: 'task',
  at: time,
  task: taskRow(taskId(id), { status: 'running', stage: 'owner' }),
});

export const queuedEvent: OpenTaskEvent = {
  type: 'queued',
  data: {
    lane: 'interactive',
    mode: 'prompt',
    whenBusy: 'preempt',
    priority: 0,
    title: 'hello',
    source: 'api',
    author: null,
    fallback: false,
  },
};

export const grantedEvent: OpenTaskEvent = { type: 'granted', data: { epoch: epoch(1), attempt: 1, passedOver: 0 } };

/** An event with any JSON in it. */
export const progress = (data: unknown): OpenTaskEvent => ({ type: 'progress', data: { data } });

export const taskEvent = (id: string, seq: number, event: OpenTaskEvent = progress({ n: seq })): CoreRecord => ({
  type: 'event',
  at: time + seq,
  task: taskId(id),
  seq,
  event,
});

/** An event with any JSON in it, on the session's own tape. */
export const ownEvent = (seq: number, data: unknown = null): CoreRecord => ({
  type: 'event',
  at: time + seq,
  task: null,
  seq,
  event: { type: 'unsolicited-turn', data: { incarnation: incarnation(1), phase: 'began', data } },
});

export const end = (
  id: string,
  seq: number,
  status: TerminalStatus = 'completed',
  reason: string = status,
): CoreRecord => ({
  type: 'end',
  at: time + seq,
  task: taskId(id),
  seq,
  final: { status, reason, by: null, attempts: 1, answer: null, result: 'done' },
});

export const sessionRecord = (key: SessionKey, change: Partial<SessionRow> = {}): CoreRecord => ({
  type: 'session',
  at: time,
  session: sessionRow(key, change),
});

export const key = sessionKey;

/** Claims a session and commits for it alone. */
export async function owner(store: Store, name: string) {
  const session = sessionKey(name);
  const { lease } = ownedOf(await store.claim(session), session);
  return {
    session,
    lease,
    commit: async (...records: readonly CoreRecord[]): Promise<CommitOutcome | undefined> => {
      const [outcome] = await store.commit([{ session, lease, records }]);
      return outcome;
    },
  };
}

/** A task that was admitted, ran and ended: tape `queued`, `granted`, `final`. */
export const wholeTask = (id: string, status: TerminalStatus = 'completed'): readonly CoreRecord[] => [
  admit(id),
  taskEvent(id, 1, queuedEvent),
  running(id),
  taskEvent(id, 2, grantedEvent),
  end(id, 3, status),
];
