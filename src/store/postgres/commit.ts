/**
 * Writes groups of session commits, one at a time, each with one statement.
 *
 * Owns: what the ledger says. Called by: `PostgresStore`, which lets nothing else write to the sessions in between.
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
import type { CommitOutcome, HeldSession, SessionCommit, StoredSession } from '../port.ts';
import { json, num, taskOf, text, type Row } from '../row.ts';
import { admissionOf, sourceKey } from '../rules.ts';
import { sqlState, type Database, type Value } from './database.ts';
import type { Eras } from './eras.ts';
import { isAnswerLost, NotSent } from './failure.ts';
import { Group, type Known } from './group.ts';
import { keyOf, type Ledger, sessionEntryOf, taskEntryOf, type SessionEntry, type TaskEntry } from './ledger.ts';
import type { Member } from './membership.ts';
import type { PostgresNodes } from './nodes.ts';
import { makePosition } from './position.ts';
import type { Statements } from './sql.ts';

interface WriterParts {
  readonly database: Database;
  readonly sql: Statements;
  readonly faults: Faults;
  readonly eras: Eras;
  readonly ledger: Ledger;
  readonly member: Member;
  /** Where nodes share the schema. */
  readonly nodes: PostgresNodes | null;
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
  /** Some of its commands are not there any more. */
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'stale' };
interface Fates {
  readonly of: ReadonlyMap<SessionKey, Fate>;
  /** Commands of sessions that were not written, which are not there any more. */
  readonly withdrawn: ReadonlySet<string>;
  /** In which the positions were written. */
  readonly era: number;
}

export class Writer {
  readonly #parts: WriterParts;
  readonly #ledger: Ledger;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#ledger = parts.ledger;
  }

  async claim(key: SessionKey): Promise<StoredSession | HeldSession> {
    const claimed = await this.#take(key);
    return 'held' in claimed ? claimed : this.#taken(key, claimed.row);
  }

  async #take(key: SessionKey): Promise<HeldSession | { readonly row: Row }> {
    const { database, sql, member, nodes } = this.#parts;
    for (let round = 0; ; round += 1) {
      invariant(round < roundsMax, 'a session is claimed, or a node holds it');
      const [row] = await database.write(nodes === null ? sql.claim : sql.claimShared, [key, member.inc]);
      if (row !== undefined) {
        return { row };
      }
      if (nodes === null) {
        throw member.declaredDead();
      }
      const held = await nodes.holderOf(key);
      // Null: its owner has gone in between.
      if (held !== null) {
        return { held };
      }
    }
  }

  async #taken(key: SessionKey, row: Row): Promise<StoredSession> {
    const { database, sql } = this.#parts;
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
    { session, applied = [] }: SessionCommit,
    group: readonly SessionCommit[],
    fates: Fates,
  ): CommitOutcome | null {
    invariant(outcome !== undefined, 'every commit is judged');
    if (outcome.kind === 'fenced') {
      return outcome;
    }
    invariant(outcome.kind !== 'withdrawn', 'the statement that writes tells what is withdrawn');
    if (outcome.kind === 'duplicate') {
      // The task with that key may have been one of this very group, of a session that was not written.
      const winner = group.find(({ records }) =>
        records.some((record) => record.type === 'admit' && record.task.id === outcome.task),
      );
      const fate = winner === undefined ? undefined : fates.of.get(winner.session);
      return fate === undefined || fate.kind === 'written' ? outcome : null;
    }
    const fate = fates.of.get(session);
    if (fate === undefined) {
      return outcome;
    }
    if (fate.kind === 'withdrawn') {
      const ids = applied.map(({ id }) => id).filter((id) => fates.withdrawn.has(id));
      // None: another commit of this session in the group was at fault.
      return ids.length === 0 ? null : { kind: 'withdrawn', ids };
    }
    if (fate.kind !== 'written') {
      return fate.kind === 'fenced' ? { kind: 'fenced' } : null;
    }
    const events = outcome.events.map((event) => ({
      ...event,
      position: makePosition({ era: fates.era, xid: fate.xid, ord: Number(event.position) }),
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
    const { member, eras } = this.#parts;
    const era = eras.number;
    if (sessions.size === 0) {
      return { of: new Map(), withdrawn: new Set(), era };
    }
    const answer = await this.#send(group, era);
    if (answer === null) {
      return null;
    }
    const written = new Map(answer.rows.map((row) => [num(row, 'n'), text(row, 'xid')]));
    const missing = [...sessions].filter(([, { n }]) => !written.has(n));
    const found = missing.length === 0 ? new Map<number, Row>() : await this.#versions(missing.map(([, { n }]) => n));
    const withdrawn = await this.#withdrawn(group, new Set(missing.map(([, { n }]) => n)));
    const fates = new Map<SessionKey, Fate>();
    for (const [key, draft] of sessions) {
      const row = found.get(draft.n);
      const sameLease = row !== undefined && num(row, 'lease') === draft.lease && row['owner'] === member.owner;
      const waits = sameLease && num(row, 'version') === draft.version;
      const before =
        answer.sentBefore && sameLease && num(row, 'version') === draft.version + 1 ? text(row, 'xid') : null;
      const xid = written.get(draft.n) ?? before;
      if (xid !== null) {
        fates.set(key, { kind: 'written', xid });
        this.#ledger.written(key, draft);
      } else if (waits && group.taken.some(({ id, session }) => session === draft.n && withdrawn.has(id))) {
        fates.set(key, { kind: 'withdrawn' });
      } else {
        // A lower one: a failover has lost what this node has committed.
        const isBehind = row !== undefined && num(row, 'version') < draft.version;
        fates.set(key, { kind: sameLease && !isBehind ? 'stale' : 'fenced' });
        this.#ledger.forget(key);
      }
    }
    return { of: fates, withdrawn, era };
  }

  /** Commands of these sessions that the group takes out, and that are not there. */
  async #withdrawn(group: Group, sessions: ReadonlySet<number>): Promise<ReadonlySet<string>> {
    const { sql } = this.#parts;
    const taken = group.taken.filter(({ session }) => sessions.has(session));
    if (taken.length === 0) {
      return new Set();
    }
    const ids = taken.map(({ id }) => id);
    const there = await this.#ask(sql.lettersThere, [ids, taken.map(({ session }) => session)]);
    return new Set(ids).difference(new Set(there.map((row) => text(row, 'id'))));
  }

  async #versions(numbers: readonly number[]): Promise<ReadonlyMap<number, Row>> {
    const rows = await this.#ask(this.#parts.sql.versions, [numbers]);
    return new Map(rows.map((row) => [num(row, 'n'), row]));
  }

  /** Reads until there is an answer. */
  async #ask(statement: string, values: readonly Value[]): Promise<readonly Row[]> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#parts.database.write(statement, values);
      } catch (error) {
        if (!isAnswerLost(error) && !(error instanceof NotSent)) {
          throw error;
        }
        await this.#parts.pause(tries);
      }
    }
  }

  /** `sentBefore`: an earlier one, whose answer got lost, may have written what this one did not. */
  async #send(group: Group, era: number): Promise<{ rows: readonly Row[]; sentBefore: boolean } | null> {
    const { database, sql, member, nodes } = this.#parts;
    const own = group.values(era, member);
    const takes = nodes !== null && group.taken.length > 0;
    const [statement, values] = takes
      ? [sql.commitApplied, [...own, ...group.letters(nodes.mailbox)]]
      : [sql.commit, own];
    let sentBefore = false;
    for (let tries = 0; ; tries += 1) {
      try {
        return { rows: await database.write(statement, values), sentBefore };
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
