/** From what the runtime gives to what the API shows. */
import { originOf } from '../runtime/origin.ts';
import type { SessionSummary as StoredSummary, StoredTask } from '../store/port.ts';
import type { SessionNow, SessionView as RuntimeSession, TaskNow } from '../runtime/api.ts';
import type { SessionSummary, SessionView, TaskSummary, TaskView } from '../protocol/index.ts';

export function taskSummary(task: StoredTask, { state, lastWords }: TaskNow): TaskSummary {
  const { row, payload } = task;
  return {
    id: row.id,
    session: task.session,
    status: task.status,
    state,
    lane: row.lane,
    mode: row.mode,
    stage: task.endedAt === null ? row.stage : null,
    priority: row.priority,
    ...originOf(payload),
    reason: task.reason,
    attempts: row.attempts,
    lastWords,
    seq: task.seq,
    admittedAt: task.admittedAt,
    endedAt: task.endedAt,
  };
}

export function taskView(task: StoredTask, now: TaskNow, mergedTasks: readonly string[]): TaskView {
  const { row, payload } = task;
  const { requestDigest: _, sentBy = null, ...shown } = payload;
  return {
    ...shown,
    sentBy,
    whenBusy: row.whenBusy,
    onLost: row.onLost,
    maxAttempts: row.maxAttempts,
    conversation: row.conversation,
    expiresIn: row.expiresAt === null ? null : row.expiresAt - task.admittedAt,
    expiresAt: row.expiresAt,
    model: row.model,
    ...taskSummary(task, now),
    mergedInto: row.mergedInto,
    mergedTasks,
    interruptedMidTurn: row.interruptedMidTurn,
    holder: holderOf(task),
    final: task.final,
  };
}

/** The row of an ended task is the last one that it had. */
function holderOf({ row: { holder, run }, endedAt }: StoredTask): TaskView['holder'] {
  return holder === null || run === null || endedAt !== null
    ? null
    : { name: holder.name, epoch: run, leaseMs: holder.leaseMs };
}

export function sessionSummary(session: StoredSummary, { state, ownedSince, lastWords }: SessionNow): SessionSummary {
  const { row } = session;
  return {
    key: session.key,
    state,
    open: session.open,
    queued: session.queued,
    epoch: row.epoch,
    turns: row.turns,
    incarnations: row.incarnations,
    owner: row.hold === null ? null : { task: row.hold.task, epoch: row.hold.epoch },
    ownedSince,
    lastWords,
    conversation: row.conversation,
    parked: row.parked,
    changedAt: session.changedAt,
  };
}

export function sessionView(session: RuntimeSession): SessionView {
  return {
    ...sessionSummary(session, session),
    owner: session.owner,
    agent: session.agent,
    model: session.model,
    assigned: session.row.assigned ?? null,
    queue: session.queue,
    throttle: session.throttle,
    permissionRequests: session.permissionRequests,
  };
}
