/**
 * Applies a group of session commits to a disk.
 *
 * Owns: the undo list of the running group. Called by: `MemoryStore`.
 *  memory-commit/1 Every change is noted with its opposite before the next one is made; `undo` takes all of them back,
 *                  newest first.
 *  memory-commit/2 A session is checked whole before its first change; a fenced or duplicate one leaves no trace.
 *  memory-commit/3 What breaks a rule of the port throws the error that the SQLite store throws.
 */
import type { Event } from '../../core/model/events.ts';
import type { TaskId } from '../../core/model/ids.ts';
import type { Record as CoreRecord } from '../../core/model/records.ts';
import { makePosition } from '../cursor.ts';
import { statusBackward, tapeConflict, taskConflict } from '../errors.ts';
import type { CommitOutcome, FeedEvent, SessionCommit } from '../port.ts';
import { admissionOf, isTerminal, movesForward } from '../rules.ts';
import { toText, type DiskEvent, type DiskSession, type DiskTask, type MemoryDisk } from './disk.ts';

type RecordOf<T extends CoreRecord['type']> = Extract<CoreRecord, { type: T }>;

export class MemoryGroup {
  readonly #disk: MemoryDisk;
  readonly #undo: (() => void)[] = [];

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  apply(commits: readonly SessionCommit[]): CommitOutcome[] {
    return commits.map((commit) => this.#session(commit));
  }

  undo(): void {
    for (let back = this.#undo.pop(); back !== undefined; back = this.#undo.pop()) {
      back();
    }
  }

  #session(commit: SessionCommit): CommitOutcome {
    const session = this.#disk.sessions.get(commit.session);
    if (session === undefined || session.lease !== commit.lease) {
      return { kind: 'fenced' };
    }
    const duplicate = this.#duplicate(commit);
    if (duplicate !== null) {
      return duplicate;
    }
    const events: FeedEvent[] = [];
    let late = 0;
    for (const record of commit.records) {
      if (!this.#record(session, record, events)) {
        late += 1;
      }
    }
    const before = this.#disk.late;
    this.#undo.push(() => (this.#disk.late = before));
    this.#disk.late += late;
    return { kind: 'committed', late, events };
  }

  #duplicate(commit: SessionCommit): CommitOutcome | null {
    const own = new Map<string, TaskId>();
    for (const record of commit.records) {
      if (record.type !== 'admit') {
        continue;
      }
      const { idempotencyKey } = admissionOf(record.payload);
      if (idempotencyKey === null) {
        continue;
      }
      const task = this.#disk.keys.get(idempotencyKey) ?? own.get(idempotencyKey);
      if (task !== undefined) {
        return { kind: 'duplicate', idempotencyKey, task };
      }
      own.set(idempotencyKey, record.task.id);
    }
    return null;
  }

  /** False: dropped, its task has ended. */
  #record(session: DiskSession, record: CoreRecord, events: FeedEvent[]): boolean {
    switch (record.type) {
      case 'admit':
        this.#admit(session, record);
        return true;
      case 'task': {
        const task = this.#task(session, record.task.id);
        if (isTerminal(task.status)) {
          return true;
        }
        const { status, lane } = record.task;
        if (!movesForward(task.status, status)) {
          throw statusBackward(session.key, task.id, task.status, status);
        }
        this.#keep(task);
        Object.assign(task, { status, lane, row: toText(record.task) });
        return true;
      }
      case 'payload': {
        const task = this.#task(session, record.task);
        if (isTerminal(task.status)) {
          return true;
        }
        this.#keep(task);
        task.payload = toText(record.payload);
        return true;
      }
      case 'event':
        return this.#event(session, record, events);
      case 'end':
        return this.#end(session, record, events);
      case 'session': {
        const { row, parked } = session;
        this.#undo.push(() => Object.assign(session, { row, parked }));
        session.row = toText(record.session);
        session.parked = record.session.parked !== null;
        this.#changed(session, record.at);
        return true;
      }
    }
  }

  #task(session: DiskSession, id: TaskId): DiskTask {
    const task = this.#disk.tasks.get(id);
    if (task === undefined) {
      throw taskConflict(session.key, id, 'was never admitted');
    }
    if (task.session !== session.key) {
      throw taskConflict(session.key, id, 'belongs to another session');
    }
    return task;
  }

  #changed(session: DiskSession, at: number): void {
    const { changedAt } = session;
    this.#undo.push(() => (session.changedAt = changedAt));
    session.changedAt = at;
  }

  #keep(task: DiskTask): void {
    const { status, lane, row, payload, reason, endedAt, result } = task;
    this.#undo.push(() => Object.assign(task, { status, lane, row, payload, reason, endedAt, result }));
  }

  #admit(session: DiskSession, record: RecordOf<'admit'>): void {
    const disk = this.#disk;
    const { id, status, lane } = record.task;
    if (disk.tasks.has(id)) {
      throw taskConflict(session.key, id, 'was admitted before');
    }
    const { source, idempotencyKey } = admissionOf(record.payload);
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
      result: 'null',
      tape: [],
    };
    this.#changed(session, record.at);
    disk.tasks.set(id, task);
    disk.taskList.push(task);
    session.tasks.push(task);
    session.open.set(id, task);
    if (idempotencyKey !== null) {
      disk.keys.set(idempotencyKey, id);
    }
    this.#undo.push(() => {
      disk.tasks.delete(id);
      disk.taskList.pop();
      session.tasks.pop();
      session.open.delete(id);
      if (idempotencyKey !== null) {
        disk.keys.delete(idempotencyKey);
      }
    });
  }

  #event(session: DiskSession, record: RecordOf<'event'>, events: FeedEvent[]): boolean {
    const task = record.task === null ? null : this.#task(session, record.task);
    if (task !== null && isTerminal(task.status)) {
      return false;
    }
    this.#append(session, task, record, record.event, events);
    return true;
  }

  #end(session: DiskSession, record: RecordOf<'end'>, events: FeedEvent[]): boolean {
    const task = this.#task(session, record.task);
    if (isTerminal(task.status)) {
      return false;
    }
    this.#append(session, task, record, { type: 'final', data: record.final }, events);
    this.#keep(task);
    const { at, final } = record;
    const { status, reason } = final;
    Object.assign(task, { status, reason, endedAt: at, result: toText(final) });
    this.#undo.push(() => session.open.set(task.id, task));
    session.open.delete(task.id);
    this.#changed(session, at);
    return true;
  }

  #append(
    session: DiskSession,
    task: DiskTask | null,
    record: RecordOf<'event'> | RecordOf<'end'>,
    { type, data }: Event,
    events: FeedEvent[],
  ): void {
    const { feed } = this.#disk;
    const tape = task === null ? session.tape : task.tape;
    const { seq, at } = record;
    if (seq !== tape.length + 1) {
      throw tapeConflict(session.key, task === null ? 'the session' : task.id, tape.length + 1, seq);
    }
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
    const stamp = { session: session.key, task: record.task, seq, at, position: makePosition(position) };
    events.push({ ...stamp, type, data } as FeedEvent);
  }
}
