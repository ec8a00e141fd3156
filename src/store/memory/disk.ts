/**
 * What survives a crash of a memory store: committed data, as JSON text like in a file, so that nothing is shared with the
 * callers and what JSON cannot say is lost here too. Hand the same disk to the next store to reopen it.
 */
import type { SessionKey, TaskId } from '../../core/model/ids.ts';
import type { TaskStatus } from '../../core/model/task.ts';
import type { FeedEvent, ProcessRow, StoredEvent, TokenRow } from '../port.ts';

/** `position`: its number in the store, from 1. */
export interface DiskEvent {
  readonly session: SessionKey;
  readonly task: TaskId | null;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly json: string;
  readonly position: number;
}

export interface DiskSession {
  readonly n: number;
  readonly key: SessionKey;
  lease: number;
  row: string | null;
  parked: boolean;
  changedAt: number;
  /** Its own tape; and all events of all its tapes in commit order. */
  readonly tape: DiskEvent[];
  readonly feed: DiskEvent[];
  /** Its tasks in order of admission, and the open ones in no order. */
  readonly tasks: DiskTask[];
  readonly open: Map<TaskId, DiskTask>;
}

export interface DiskTask {
  readonly n: number;
  readonly id: TaskId;
  readonly session: SessionKey;
  readonly source: string;
  readonly admittedAt: number;
  status: TaskStatus;
  lane: string;
  row: string;
  payload: string;
  reason: string | null;
  endedAt: number | null;
  final: string;
  readonly tape: DiskEvent[];
}

export class MemoryDisk {
  readonly sessions = new Map<SessionKey, DiskSession>();
  readonly tasks = new Map<TaskId, DiskTask>();
  /** In order of admission. */
  readonly taskList: DiskTask[] = [];
  /** By `sourceKey`. */
  readonly keys = new Map<string, TaskId>();
  readonly feed: DiskEvent[] = [];
  readonly processes = new Map<string, ProcessRow>();
  readonly tokens = new Map<string, TokenRow>();
  late = 0;
  /** The store that has it open. The next one to open it takes it: the one before has crashed, or is refused from then on. */
  owner: object | null = null;
}

export const toText = (value: unknown): string => {
  const json: string | undefined = JSON.stringify(value);
  return json ?? 'null';
};

export const toStored = ({ session, task, seq, at, type, json }: DiskEvent): StoredEvent =>
  ({ session, task, seq, at, type, data: JSON.parse(json) as unknown }) as StoredEvent;

export const toFeed = (event: DiskEvent): FeedEvent => ({ ...toStored(event), position: String(event.position) });
