/**
 * Writes groups of session commits, one at a time, each with one statement.
 *
 * Owns: the ledger. Called by: `PostgresStore`, which lets nothing else write to the sessions in between.
 *  postgres-commit/1 A group is checked against the ledger, and the ledger is checked by the statement that writes. Where that says no,
 *                    the session is fenced, or is read again and tried again.
 *  postgres-commit/2 Tasks and idempotency keys that another node may have made are not looked up before the write: the unique
 *                    index tells, and then they are.
 *  postgres-commit/3 A statement whose answer got lost is sent again until there is an answer. It writes at most once: the
 *                    version that it expects is there once.
 */
import { invariant } from '../../core/errors.ts';
import { taskId, type SessionKey, type TaskId } from '../../core/model/ids.ts';
import type { Record as CoreRecord, SessionRow } from '../../core/model/records.ts';
import { applyRecords } from '../apply-records.ts';
import { passAfterCommit, type Faults } from '../faults.ts';
import type { CommitOutcome, SessionCommit, StoredSession } from '../port.ts';
import { json, num, taskOf, text, type Row } from '../row.ts';
import { admissionOf, sourceKey } from '../rules.ts';
import { sqlState, type Database, type Value } from './database.ts';
import { isAnswerLost, NotSent } from './failure.ts';
import { Group, type Known } from './group.ts';
import { keyOf, Ledger, sessionEntryOf, taskEntryOf, type SessionEntry, type TaskEntry } from './ledger.ts';
import type { Membership } from './membership.ts';
import { makePosition } from './position.ts';
import type { Statements } from './sql.ts';

interface WriterParts {
  readonly database: Database;
  readonly sql: Statements;
  readonly faults: Faults;
  readonly era: number;
  readonly membership: Membership;
  /** Resolves after a pause before the next try; throws when the store was closed in the meantime. */
  readonly pause: (tries: number) => Promise<void>;
}

const uniqueViolation = '23505';
/** More would be a bug: each round learns what the one before did not know. */
const roundsMax = 8;
/** Deadlock, and serialization failure: rolled back, and worth another try at once. */
const transient: ReadonlySet<string | null> = new Set(['40P01', '40001']);

/** What became of a session's part of a group. `stale`: the ledger knew too little, and has forgotten it. */
type Fate =
  | { readonly kind: 'written'; readonly xid: string }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'stale' };
type Fates = ReadonlyMap<SessionKey, Fate>;

export class Writer {
  readonly #parts: WriterParts;
  readonly #ledger = new Ledger();

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  async claim(key: SessionKey): Promise<StoredSession> {
    const { database, sql, membership } = this.#parts;
    const [row] = await database.write(sql.claim, [key, membership.inc]);
    if (row === undefined) {
      throw membership.declaredDead();
    }
    const n = num(row, 'n');
    // Nothing of the session is written any more under an older lease: what these two read belongs together.
    const [own] = await database.write(sql.ownSeq, [n]);
    const open = await database.write(sql.openTasks, [n]);
    const entry = sessionEntryOf({ ...row, ...own });
    for (const task of open) {
      entry.known.set(...taskEntryOf({ ...task, session: n }));
    }
    this.#ledger.set(key, entry);
    return {
      lease: entry.lease,
      row: json(row, 'row') as SessionRow | null,
      seq: entry.seq,
      open: open.map((task) => ({ row: taskOf(task), seq: num(task, 'seq') })),
    };
  }

  /** Outcomes in the order of `commits`. */
  async commit(commits: readonly SessionCommit[]): Promise<readonly CommitOutcome[]> {
    const { faults } = this.#parts;
    faults.at('store.before-commit');
    const outcomes = new Map<SessionCommit, CommitOutcome>();
    let open = commits;
    let careful = false;
    for (let round = 0; open.length > 0; round += 1) {
      invariant(round < roundsMax, 'a group is judged in a few rounds');
      const known = await this.#look(open, careful);
      const group = new Group(known);
      const judged = applyRecords(group, open);
      if (round === 0) {
        faults.at('store.after-write');
      }
      const fates = await this.#write(group);
      careful = fates === null;
      if (fates === null) {
        continue;
      }
      const tried = open;
      open = tried.filter((commit, at) => {
        const outcome = this.#outcome(judged[at], commit, tried, fates);
        if (outcome !== null) {
          outcomes.set(commit, outcome);
        }
        return outcome === null;
      });
    }
    passAfterCommit(faults);
    return commits.map((commit) => outcomes.get(commit) ?? { kind: 'fenced' });
  }

  /** Null: it is to be tried again. */
  #outcome(
    outcome: CommitOutcome | undefined,
    { session }: SessionCommit,
    group: readonly SessionCommit[],
    fates: Fates,
  ): CommitOutcome | null {
    invariant(outcome !== undefined, 'every commit is judged');
    if (outcome.kind === 'fenced') {
      return outcome;
    }
    if (outcome.kind === 'withdrawn') {
      return outcome;
    }
    if (outcome.kind === 'duplicate') {
      // The task with that key may have been one of this very group, of a session that was not written.
      const winner = group.find(({ records }) =>
        records.some((record) => record.type === 'admit' && record.task.id === outcome.task),
      );
      const fate = winner === undefined ? undefined : fates.get(winner.session);
      return fate === undefined || fate.kind === 'written' ? outcome : null;
    }
    const fate = fates.get(session);
    if (fate === undefined) {
      return outcome;
    }
    if (fate.kind !== 'written') {
      return fate.kind === 'fenced' ? { kind: 'fenced' } : null;
    }
    const events = outcome.events.map((event) => ({
      ...event,
      position: makePosition({ era: this.#parts.era, xid: fate.xid, ord: Number(event.position) }),
    }));
    return { ...outcome, events };
  }

  /** What the records of the group name, out of the ledger or else the database. `careful`: also what they would make. */
  async #look(commits: readonly SessionCommit[], careful: boolean): Promise<Known> {
    const { database, sql } = this.#parts;
    const unknown = new Set(commits.map(({ session }) => session).filter((key) => this.#ledger.get(key) === undefined));
    if (unknown.size > 0) {
      for (const row of await database.write(sql.sessionEntries, [[...unknown]])) {
        this.#ledger.set(keyOf(row), sessionEntryOf(row));
      }
    }
    const sessions = new Map<SessionKey, SessionEntry>();
    const tasks = new Map<TaskId, TaskEntry>();
    const ids = new Set<TaskId>();
    for (const commit of commits) {
      const entry = this.#ledger.get(commit.session);
      if (entry !== undefined) {
        sessions.set(commit.session, entry);
      }
      for (const id of namedIn(commit, careful)) {
        const found = entry?.known.get(id);
        if (found === undefined) {
          ids.add(id);
        } else {
          tasks.set(id, found);
        }
      }
    }
    if (ids.size > 0) {
      for (const row of await database.write(sql.taskEntries, [[...ids]])) {
        tasks.set(...taskEntryOf(row));
      }
    }
    return { sessions, tasks, keys: careful ? await this.#takenKeys(commits) : new Map() };
  }

  async #takenKeys(commits: readonly SessionCommit[]): Promise<Map<string, TaskId>> {
    const { database, sql } = this.#parts;
    const sources: string[] = [];
    const keys: string[] = [];
    for (const record of commits.flatMap(({ records }) => records)) {
      const { source, idempotencyKey } = record.type === 'admit' ? admissionOf(record.payload) : noAdmission;
      if (idempotencyKey !== null) {
        sources.push(source);
        keys.push(idempotencyKey);
      }
    }
    const rows = keys.length === 0 ? [] : await database.write(sql.takenKeys, [sources, keys]);
    return new Map(
      rows.map((row) => [sourceKey(text(row, 'source'), text(row, 'idempotency_key')), taskId(text(row, 'id'))]),
    );
  }

  /** Null: a task or a key that it makes is there already, and nothing was written. */
  async #write(group: Group): Promise<Fates | null> {
    const sessions = group.written();
    if (sessions.size === 0) {
      return new Map();
    }
    const { era, membership } = this.#parts;
    const answer = await this.#send(group.values(era, membership.inc));
    if (answer === null) {
      return null;
    }
    const written = new Map(answer.rows.map((row) => [num(row, 'n'), text(row, 'xid')]));
    const missing = [...sessions].filter(([, { n }]) => !written.has(n));
    const found = missing.length === 0 ? new Map<number, Row>() : await this.#versions(missing.map(([, { n }]) => n));
    const fates = new Map<SessionKey, Fate>();
    for (const [key, draft] of sessions) {
      const row = found.get(draft.n);
      const sameLease = row !== undefined && num(row, 'lease') === draft.lease;
      const before =
        answer.sentBefore && sameLease && num(row, 'version') === draft.version + 1 ? text(row, 'xid') : null;
      const xid = written.get(draft.n) ?? before;
      if (xid !== null) {
        fates.set(key, { kind: 'written', xid });
        this.#ledger.written(key, draft);
      } else {
        fates.set(key, { kind: sameLease ? 'stale' : 'fenced' });
        this.#ledger.forget(key);
      }
    }
    return fates;
  }

  async #versions(numbers: readonly number[]): Promise<ReadonlyMap<number, Row>> {
    const { database, sql } = this.#parts;
    for (let tries = 0; ; tries += 1) {
      try {
        const rows = await database.write(sql.versions, [numbers]);
        return new Map(rows.map((row) => [num(row, 'n'), row]));
      } catch (error) {
        if (!isAnswerLost(error) && !(error instanceof NotSent)) {
          throw error;
        }
        await this.#parts.pause(tries);
      }
    }
  }

  /** `sentBefore`: an earlier one, whose answer got lost, may have written what this one did not. */
  async #send(values: readonly Value[]): Promise<{ rows: readonly Row[]; sentBefore: boolean } | null> {
    const { database, sql } = this.#parts;
    let sentBefore = false;
    for (let tries = 0; ; tries += 1) {
      try {
        return { rows: await database.write(sql.commit, values), sentBefore };
      } catch (error) {
        if (sqlState(error) === uniqueViolation) {
          return null;
        }
        const lost = isAnswerLost(error);
        if (!lost && !transient.has(sqlState(error)) && !(sentBefore && error instanceof NotSent)) {
          throw error;
        }
        sentBefore ||= lost;
        await this.#parts.pause(tries);
      }
    }
  }
}

const noAdmission = { source: '', idempotencyKey: null };

/** Tasks that the records speak of. One that they admit is known to them; `careful`: it may be there already. */
function namedIn({ records }: SessionCommit, careful: boolean): ReadonlySet<TaskId> {
  const named = new Set<TaskId>();
  const admitted = new Set<TaskId>();
  for (const record of records) {
    if (record.type === 'admit') {
      admitted.add(record.task.id);
    } else {
      const id = taskIn(record);
      if (id !== null && !admitted.has(id)) {
        named.add(id);
      }
    }
  }
  return careful ? named.union(admitted) : named;
}

const taskIn = (record: Exclude<CoreRecord, { type: 'admit' }>): TaskId | null =>
  record.type === 'session' ? null : record.type === 'task' ? record.task.id : record.task;
