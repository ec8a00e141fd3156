/** The outbox in memory; the twin of the one in SQLite. Owns nothing: rows and positions are on the disk. */
import { checkLimit, readCursor, toPage } from '../cursor.ts';
import {
  abandonedProblem,
  droppable,
  expiredProblem,
  prunable,
  resendable,
  settleable,
  settledFields,
  type Outbox,
  type OutboxCopy,
  type OutboxDue,
  type OutboxFigures,
  type OutboxFilter,
  type OutboxIntent,
  type OutboxOutcome,
  type OutboxRow,
  type OutboxState,
} from '../outbox.ts';
import { invariant } from '../../core/errors.ts';
import { outboxStates } from '../../protocol/replies.ts';
import type { FeedPosition, Page } from '../port.ts';
import type { DiskMessage, MemoryDisk } from './disk.ts';

/** `owner`: who this store is; `isGone`: whether who began a row is there no more. */
interface OutboxParts {
  readonly disk: () => MemoryDisk;
  readonly owner: () => number | null;
  readonly isGone: (owner: number | null) => boolean;
}

export class MemoryOutbox implements Outbox {
  readonly #parts: OutboxParts;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  start(consumer: string, at: FeedPosition | null): FeedPosition | null {
    const { positions } = this.#parts.disk();
    const known = positions.get(consumer);
    if (known !== undefined) {
      return known;
    }
    positions.set(consumer, at);
    return at;
  }

  advance(consumer: string, from: FeedPosition | null, to: FeedPosition, rows: readonly OutboxIntent[]): boolean {
    const { positions } = this.#parts.disk();
    if (positions.get(consumer) !== from) {
      return false;
    }
    positions.set(consumer, to);
    this.#add(rows);
    return true;
  }

  #add(rows: readonly OutboxIntent[]): void {
    const disk = this.#parts.disk();
    for (const intent of rows) {
      if (!disk.messages.has(intent.id)) {
        disk.messageCount += 1;
        disk.messages.set(intent.id, fresh(disk.messageCount, intent));
      }
    }
  }

  due(doors: readonly string[], now: number, limit: number): OutboxDue {
    checkLimit(limit);
    const all = [...this.#parts.disk().messages.values()];
    const open = all.filter(({ row }) => row.state === 'due' || row.heldUntil !== null);
    const paused = all.filter(({ pausedUntil }) => (pausedUntil ?? 0) > now);
    const waiting = open.filter(({ row }) => doors.includes(row.door) && row.state !== 'sending');
    const timeOf = ({ row }: DiskMessage): number => row.heldUntil ?? row.notBefore;
    const rows = waiting
      .filter(
        (message) =>
          timeOf(message) <= now &&
          !open.some((other) => blocks(other, message)) &&
          !paused.some((other) => other.row.scope === message.row.scope),
      )
      .sort((a, b) => timeOf(a) - timeOf(b) || a.n - b.n)
      .slice(0, limit)
      .map(({ row }) => row);
    const times = [
      ...waiting.map(timeOf),
      ...paused.filter(({ row }) => doors.includes(row.door)).map(({ pausedUntil }) => pausedUntil ?? 0),
    ].filter((time) => time > now);
    return { rows, next: times.length === 0 ? null : Math.min(...times) };
  }

  begin(id: string, version: number, at: number, heldUntil: number): OutboxRow | null {
    const { disk, owner, isGone } = this.#parts;
    const message = this.#version(id, version, ['due']);
    if (message === null) {
      return null;
    }
    const { address } = message.row;
    if (
      isGone(owner()) ||
      [...disk().messages.values()].some(({ row }) => row.address === address && row.heldUntil !== null)
    ) {
      return null;
    }
    message.owner = owner();
    const attempts = message.row.attempts + 1;
    return change(message, { state: 'sending', attempts, begunAt: at, heldUntil, changedAt: at });
  }

  settle(id: string, version: number, outcome: OutboxOutcome, more: readonly OutboxIntent[] = []): OutboxRow | null {
    const message = this.#version(id, version, settleable);
    if (message === null) {
      return null;
    }
    const { notBefore, pausedUntil, ...fields } = settledFields(outcome);
    message.pausedUntil = pausedUntil;
    this.#add(more);
    return change(message, {
      ...fields,
      state: outcome.state,
      notBefore: notBefore ?? message.row.notBefore,
      changedAt: outcome.at,
    });
  }

  recover(at: number): number {
    const left = [...this.#parts.disk().messages.values()].filter(
      ({ row, owner }) => row.state === 'sending' && this.#parts.isGone(owner),
    );
    for (const message of left) {
      change(message, { state: 'unclear', problem: abandonedProblem, changedAt: at });
    }
    return left.length;
  }

  expire(before: number, at: number): number {
    const old = [...this.#parts.disk().messages.values()].filter(
      ({ row }) => row.state === 'due' && row.since < before,
    );
    for (const message of old) {
      change(message, { state: 'expired', problem: message.row.problem ?? expiredProblem, changedAt: at });
    }
    return old.length;
  }

  resend(id: string, at: number): OutboxRow | null {
    const message = this.#inState(id, resendable);
    return message === null
      ? null
      : change(message, { state: 'due', since: at, notBefore: at, heldUntil: null, changedAt: at });
  }

  drop(id: string, at: number): OutboxRow | null {
    const message = this.#inState(id, droppable);
    return message === null ? null : change(message, { state: 'dropped', heldUntil: null, changedAt: at });
  }

  row(id: string): OutboxRow | null {
    return this.#parts.disk().messages.get(id)?.row ?? null;
  }

  list(filter: OutboxFilter, cursor: string | null, limit: number): Page<OutboxRow> {
    checkLimit(limit);
    const before = cursor === null ? Number.POSITIVE_INFINITY : readCursor('r', cursor);
    const rows = [...this.#parts.disk().messages.values()]
      .filter(
        ({ n, row }) =>
          n < before &&
          (filter.state === undefined || filter.state.includes(row.state)) &&
          (filter.session === undefined || filter.session === row.session),
      )
      .reverse();
    return toPage(
      rows,
      limit,
      'r',
      ({ n }) => n,
      ({ row }) => row,
    );
  }

  figures(): OutboxFigures {
    const rows = Object.fromEntries(outboxStates.map((state) => [state, 0])) as { [state in OutboxState]: number };
    let oldestDue: number | null = null;
    for (const { row } of this.#parts.disk().messages.values()) {
      rows[row.state] += 1;
      if (row.state === 'due') {
        oldestDue = Math.min(row.since, oldestDue ?? row.since);
      }
    }
    return { rows, oldestDue };
  }

  restore(copies: readonly OutboxCopy[]): void {
    const disk = this.#parts.disk();
    const added = copies.filter(({ row }) => !disk.messages.has(row.id));
    const rows = [...[...disk.messages.values()].map(({ row }) => row), ...added.map(({ row }) => row)];
    const held = rows.flatMap(({ address, heldUntil }) => (heldUntil === null ? [] : [address]));
    invariant(new Set(held).size === held.length, 'one row holds an address');
    for (const { row, pausedUntil } of added) {
      disk.messageCount += 1;
      disk.messages.set(row.id, { n: disk.messageCount, owner: null, pausedUntil, row: copyOf(row) });
    }
  }

  prune(before: number, limit: number): number {
    checkLimit(limit);
    const { messages } = this.#parts.disk();
    const old = [...messages.values()]
      .filter(({ row }) => prunable.includes(row.state) && row.changedAt < before)
      .slice(0, limit);
    for (const { row } of old) {
      messages.delete(row.id);
    }
    return old.length;
  }

  #inState(id: string, states: readonly OutboxState[]): DiskMessage | null {
    const message = this.#parts.disk().messages.get(id);
    return message !== undefined && states.includes(message.row.state) ? message : null;
  }

  #version(id: string, version: number, states: readonly OutboxState[]): DiskMessage | null {
    const message = this.#inState(id, states);
    return message?.row.version === version ? message : null;
  }
}

const blocks = (other: DiskMessage, message: DiskMessage): boolean =>
  other !== message &&
  other.row.address === message.row.address &&
  (other.row.heldUntil !== null || other.n < message.n);

function change(message: DiskMessage, changed: Partial<OutboxRow>): OutboxRow {
  message.row = { ...message.row, ...changed, version: message.row.version + 1 };
  return message.row;
}

/** In a file it is text, so nothing is shared with the caller here either. */
const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const fresh = (n: number, intent: OutboxIntent): DiskMessage => ({
  n,
  owner: null,
  pausedUntil: null,
  row: {
    ...copyOf(intent),
    state: 'due',
    version: 1,
    attempts: 0,
    since: intent.at,
    begunAt: null,
    notBefore: intent.at,
    heldUntil: null,
    reference: null,
    problem: null,
    changedAt: intent.at,
  },
});
