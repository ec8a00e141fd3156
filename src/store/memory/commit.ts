/**
 * Carries out on a disk what the records of a group do.
 *
 * Owns: the undo list of the running group. Called by: `applyRecords`, for `MemoryStore`.
 *  memory-commit/1 Every change is noted with its opposite before the next one is made; `undo` takes all of them back,
 *                  newest first.
 */
import type { Event } from '../../core/model/events.ts';
import type { SessionKey, TaskId } from '../../core/model/ids.ts';
import type { SessionRow, TaskRow } from '../../core/model/records.ts';
import type { Admission, Admit, End, Line, RecordStore } from '../apply-records.ts';
import { makePosition } from '../cursor.ts';
import type { Applied } from '../nodes.ts';
import type { FeedPosition } from '../port.ts';
import { sourceKey } from '../rules.ts';
import { toText, type DiskEvent, type DiskSession, type DiskTask, type MemoryDisk } from './disk.ts';
import type { MemoryNodes } from './nodes.ts';

export class MemoryGroup implements RecordStore<DiskSession, DiskTask> {
  readonly #disk: MemoryDisk;
  readonly #nodes: MemoryNodes | null;
  readonly #undo: (() => void)[] = [];

  /** `nodes`: of the node that commits. */
  constructor(disk: MemoryDisk, nodes: MemoryNodes | null) {
    this.#disk = disk;
    this.#nodes = nodes;
  }

  undo(): void {
    for (let back = this.#undo.pop(); back !== undefined; back = this.#undo.pop()) {
      back();
    }
  }

  session(key: SessionKey): DiskSession | null {
    const session = this.#disk.sessions.get(key);
    const isOurs = session?.owner === (this.#nodes?.id ?? null) && this.#nodes?.isBehind(session) !== true;
    return isOurs ? session : null;
  }

  task(id: TaskId): DiskTask | null {
    return this.#disk.tasks.get(id) ?? null;
  }

  isOf(task: DiskTask, session: DiskSession): boolean {
    return task.session === session.key;
  }

  taskByKey(source: string, idempotencyKey: string): TaskId | null {
    return this.#disk.keys.get(sourceKey(source, idempotencyKey)) ?? null;
  }

  withdrawn(session: DiskSession, applied: readonly Applied[]): readonly string[] {
    const isThere = ({ id }: Applied): boolean => this.#disk.letters.get(id)?.session === session.key;
    return applied.filter((one) => !isThere(one)).map(({ id }) => id);
  }

  take(_: DiskSession, applied: readonly Applied[]): void {
    const { letters, replies } = this.#disk;
    const before = [...letters.values()];
    this.#undo.push(() => {
      letters.clear();
      before.forEach((letter) => letters.set(letter.id, letter));
      applied.forEach(({ id }) => replies.delete(id));
    });
    applied.forEach((one) => this.#disk.take(one));
  }

  lastSeq(session: DiskSession, task: DiskTask | null): number {
    return (task ?? session).tape.length;
  }

  admit(session: DiskSession, record: Admit, { source, idempotencyKey }: Admission): void {
    const disk = this.#disk;
    const { id, status, lane } = record.task;
    const task: DiskTask = {
      n: disk.taskList.length + 1,
      id,
      session: session.key,
      source,
      admittedAt: record.at,
      status,
      lane,
      row: toText(record.task),
      payload: toText(record.payload),
      reason: null,
      endedAt: null,
      final: 'null',
      tape: [],
    };
    this.#changed(session, record.at);
    disk.tasks.set(id, task);
    disk.taskList.push(task);
    session.tasks.push(task);
    session.open.set(id, task);
    if (idempotencyKey !== null) {
      disk.keys.set(sourceKey(source, idempotencyKey), id);
    }
    this.#undo.push(() => {
      disk.tasks.delete(id);
      disk.taskList.pop();
      session.tasks.pop();
      session.open.delete(id);
      if (idempotencyKey !== null) {
        disk.keys.delete(sourceKey(source, idempotencyKey));
      }
    });
  }

  setTask(task: DiskTask, row: TaskRow): void {
    this.#keep(task);
    const { status, lane } = row;
    Object.assign(task, { status, lane, row: toText(row) });
  }

  setPayload(task: DiskTask, payload: unknown): void {
    this.#keep(task);
    task.payload = toText(payload);
  }

  setSession(session: DiskSession, row: SessionRow, at: number): void {
    const { row: rowBefore, parked } = session;
    this.#undo.push(() => Object.assign(session, { row: rowBefore, parked }));
    session.row = toText(row);
    session.parked = row.parked !== null;
    this.#changed(session, at);
  }

  append(session: DiskSession, task: DiskTask | null, record: Line, { type, data }: Event): FeedPosition {
    const { feed } = this.#disk;
    const { tape } = task ?? session;
    const { seq, at } = record;
    const position = feed.length + 1;
    const event: DiskEvent = {
      session: session.key,
      task: record.task,
      seq,
      at,
      type,
      json: toText(data),
      position,
    };
    tape.push(event);
    session.feed.push(event);
    feed.push(event);
    this.#undo.push(() => {
      tape.pop();
      session.feed.pop();
      feed.pop();
    });
    return makePosition(position);
  }

  end(session: DiskSession, task: DiskTask, record: End): void {
    this.#keep(task);
    const { at, final } = record;
    const { status, reason } = final;
    Object.assign(task, { status, reason, endedAt: at, final: toText(final) });
    this.#undo.push(() => session.open.set(task.id, task));
    session.open.delete(task.id);
    this.#changed(session, at);
  }

  applied(late: number): void {
    const before = this.#disk.late;
    this.#undo.push(() => (this.#disk.late = before));
    this.#disk.late += late;
  }

  #changed(session: DiskSession, at: number): void {
    const { changedAt } = session;
    this.#undo.push(() => (session.changedAt = changedAt));
    session.changedAt = at;
  }

  #keep(task: DiskTask): void {
    const { status, lane, row, payload, reason, endedAt, final } = task;
    this.#undo.push(() => Object.assign(task, { status, lane, row, payload, reason, endedAt, final }));
  }
}
