/**
 * From rows to a session and back. `rebuild` is what a restarted node does; `foldRecord` is what a store does with a record,
 * on values, so that the checker and the simulator can prove that the records alone give the session back.
 */
import type { TaskId } from './model/ids.ts';
import type { Hold, Limits, Session } from './model/session.ts';
import type { Task } from './model/task.ts';
import type { Record as StepRecord, SessionRow, TaskRow } from './model/records.ts';
import { sessionRow, taskRow } from './draft.ts';
import { newSession, reindex } from './queue.ts';
import { treeEntries, treePut } from './tree.ts';
import { newTurn } from './rules/turn.ts';

/** The durable part of a session. */
export interface Durable {
  readonly row: SessionRow;
  /** Last `seq` of the session's own tape. */
  readonly seq: number;
  readonly open: readonly { readonly row: TaskRow; readonly seq: number }[];
}

export function durableOf(session: Session): Durable {
  const open: { row: TaskRow; seq: number }[] = [];
  for (const [, task] of treeEntries(session.tasks)) {
    open.push({ row: taskRow(task), seq: task.seq });
  }
  return { row: sessionRow(session), seq: session.seq, open };
}

/** Effects in flight are forgotten: the agent, live code runners, timers, and how far a sent turn had come. */
export function rebuild(durable: Durable, limits: Limits): Session {
  const {
    hold,
    conversation: id,
    conversationReset: reset,
    conversationEnding: ending,
    firstTurn,
    rewind,
    assigned = null,
    assigning = null,
    ...row
  } = durable.row;
  const empty = newSession(row.key, limits);
  const indexes = { ...empty.indexes };
  let { tasks } = empty;
  for (const { row: taskOf, seq } of durable.open) {
    const task: Task = { ...taskOf, seq, overdue: false, call: null };
    tasks = treePut(tasks, task.id, task);
    reindex(indexes, null, task);
  }
  return {
    ...empty,
    ...row,
    conversation: { id, reset, firstTurn, rewind, ending },
    assigned,
    assigning,
    tasks,
    indexes,
    seq: durable.seq,
    hold: hold === null ? null : rebuiltHold(hold),
  };
}

/** A turn that may have reached the agent is there again, and nothing is known of how far it came. */
function rebuiltHold({ task, epoch, sent, permissionRequests }: NonNullable<SessionRow['hold']>): Hold {
  const turn =
    sent === null
      ? null
      : newTurn(sent, { phase: 'sent', call: null, model: null, permissionRequests, protected: false });
  return { task, epoch, turn };
}

/** Applies records to the durable part, as a store does. */
export function foldRecords(durable: Durable, records: readonly StepRecord[]): Durable {
  let row = durable.row;
  let seq = durable.seq;
  const open = new Map<TaskId, { row: TaskRow; seq: number }>();
  for (const entry of durable.open) {
    open.set(entry.row.id, { row: entry.row, seq: entry.seq });
  }
  for (const record of records) {
    switch (record.type) {
      case 'admit':
        open.set(record.task.id, { row: record.task, seq: 0 });
        break;
      case 'task':
        open.set(record.task.id, { row: record.task, seq: open.get(record.task.id)?.seq ?? 0 });
        break;
      case 'end':
        open.delete(record.task);
        break;
      case 'event':
        if (record.task === null) {
          seq = record.seq;
        } else {
          const entry = open.get(record.task);
          if (entry !== undefined) {
            open.set(record.task, { row: entry.row, seq: record.seq });
          }
        }
        break;
      case 'payload':
        break;
      case 'session':
        row = record.session;
        break;
    }
  }
  return { row, seq, open: [...open.values()] };
}
