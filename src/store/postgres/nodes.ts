/**
 * The nodes port on a Postgres database.
 *
 * Owns: who this store is, its hints, the letters that wait to be sent. Called by: the runtime; and by the store, for which it is the member
 * that claims and commits.
 *  postgres-nodes/1 A claim holds the row of its node, which must be up; a declaration of death waits for that, or comes first.
 *  postgres-nodes/2 What got no answer is asked again where that changes nothing. A withdrawal without an answer is looked up until there is
 *                   one: a letter that is not there and has no reply was withdrawn by it.
 *  postgres-nodes/3 Letters that are given while others are under way go together in the next statement.
 */
import { invariant, type AppError } from '../../core/errors.ts';
import { sessionKey, type SessionKey } from '../../core/model/ids.ts';
import { leaseTimes } from '../../protocol/lease-times.ts';
import { nameTaken, storeLost, storeShared } from '../errors.ts';
import type {
  Applied,
  Era,
  EraState,
  HeldBy,
  Hint,
  KeptConversation,
  Letter,
  LetterReply,
  Look,
  NodeFacts,
  NodeId,
  NodeLoad,
  Nodes,
  Renewal,
  StoredNode,
  StoredThrottle,
} from '../nodes.ts';
import { processSpace, startOf } from '../process.ts';
import { num, text, textOrNull, toJson, type Row } from '../row.ts';
import type { Database, Query, Value } from './database.ts';
import type { Eras } from './eras.ts';
import { isAnswerLost, NotSent } from './failure.ts';
import { Hints } from './hints.ts';
import type { Ledger } from './ledger.ts';
import { bury, otherOf, type Member } from './membership.ts';
import type { Statements } from './sql.ts';

interface NodesParts {
  readonly database: Database;
  readonly sql: Statements;
  readonly schema: string;
  readonly eras: Eras;
  /** Versions of the sessions of this node. */
  readonly ledger: Ledger;
  /** Throws `closing` once the store is closed, and gives errors their codes. */
  readonly guard: <T>(work: () => Promise<T>) => Promise<T>;
  /** Resolves after a pause before the next try; throws when the store was closed in the meantime. */
  readonly pause: (tries: number) => Promise<void>;
  /** As `guard`, after all claims and commits before. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

interface OwnedSession {
  readonly session: SessionKey;
  readonly lease: number;
}

const triesMax = 5;
/** Rows that a sweep changes at a time. */
const pageMax = 1_000;

export class PostgresNodes implements Nodes, Member {
  readonly #parts: NodesParts;
  readonly #hints: Hints;
  readonly #outbox: Outbox;
  #me: { readonly id: NodeId; readonly statementMs: number } | null = null;

  constructor(parts: NodesParts) {
    this.#parts = parts;
    this.#hints = new Hints(parts);
    this.#outbox = new Outbox((letters) => this.#post(letters));
  }

  get inc(): NodeId {
    invariant(this.#me !== null, 'a shared store has joined before it claims');
    return this.#me.id;
  }

  get owner(): NodeId {
    return this.inc;
  }

  get mailbox(): { readonly prefix: string; readonly payload: string } {
    return { prefix: this.#hints.prefix, payload: this.#hints.payload('letters') };
  }

  check(): void {}

  /** Who keeps this node from the session; null: nobody any more. Throws `store_lost` for a node that is dead. */
  async holderOf(session: SessionKey): Promise<HeldBy | null> {
    const { database, sql } = this.#parts;
    const [row] = await database.write(sql.holder, [session, this.inc]);
    const state = row === undefined ? 'dead' : text(row, 'state');
    if (row === undefined || (state !== 'alive' && state !== 'draining')) {
      throw this.declaredDead();
    }
    if (row['other'] !== null) {
      return { node: num(row, 'other'), name: text(row, 'other_name') };
    }
    const claims = state === 'alive' && row['settled'] === true;
    return claims ? null : { node: this.inc, name: text(row, 'name') };
  }

  declaredDead(): AppError {
    return storeLost('another node has declared this one dead');
  }

  async join(id: NodeId, facts: NodeFacts): Promise<EraState> {
    const { guard, database, sql } = this.#parts;
    const { statementMs } = leaseTimes(facts.ttlMs);
    await guard(() => database.transaction((query) => enter(query, sql, { id, facts, before: this.#me?.id ?? null })));
    this.#me = { id, statementMs };
    await this.#inPages(sql.markFree);
    this.#hints.join(id);
    this.#hints.send('nodes');
    const met = await guard(() => this.#meet(statementMs, sql.era));
    invariant(met !== null, 'there is an era');
    return met;
  }

  async renew(
    { agents, idle, maxAgents, waiting }: NodeLoad,
    address: string | null,
    settles: Era | null,
  ): Promise<Renewal | null> {
    const { guard, sql } = this.#parts;
    const me = this.#me;
    if (me === null) {
      return null;
    }
    const met = await guard(() =>
      this.#meet(me.statementMs, sql.renew, [me.id, agents, maxAgents, address, waiting, idle, settles]),
    );
    return met === null ? null : { state: stateOf(met.row), era: met.era, settled: met.settled };
  }

  /** By a statement that tells the newest era too. */
  #meet(limitMs: number, statement: string, values: readonly Value[] = []): ReturnType<Eras['meet']> {
    const { database, sql, eras } = this.#parts;
    return eras.meet(
      async () => (await database.beat(statement, values, limitMs))[0],
      async () => void (await database.beat(sql.beginEra, [], limitMs)),
    );
  }

  leave(): Promise<void> {
    return this.#parts.guard(() => this.#leave());
  }

  async #leave(): Promise<void> {
    const { database, sql } = this.#parts;
    if (this.#me !== null && (await database.write(sql.leaveShared, [this.#me.id])).length > 0) {
      await database.mail(sql.notify, [this.#hints.toAll, this.#hints.payload('nodes')]);
    }
  }

  async look(): Promise<Look> {
    const rows = await this.#read(this.#parts.sql.nodes);
    const [first] = rows;
    return {
      era: first?.['now'] === true ? text(first, 'token') : null,
      nodes: rows.filter((row) => row['inc'] !== null).map(nodeOf),
    };
  }

  async sessionCounts(): Promise<ReadonlyMap<NodeId, number>> {
    const rows = await this.#read(this.#parts.sql.sessionCounts);
    return new Map(rows.map((row) => [num(row, 'owner'), num(row, 'sessions')]));
  }

  declareDead(id: NodeId, beat: number, era: Era): Promise<boolean> {
    return this.#change(this.#parts.sql.declareNodeDead, [id, beat, era]);
  }

  drain(id: NodeId, draining: boolean): Promise<boolean> {
    return this.#change(this.#parts.sql.drain, [id, draining ? 'draining' : 'alive']);
  }

  async #change(statement: string, values: readonly Value[]): Promise<boolean> {
    const rows = await this.#parts.guard(() => this.#parts.database.mail(statement, values));
    if (rows.length > 0) {
      this.#hints.send('nodes');
    }
    return rows.length > 0;
  }

  async release(sessions: readonly OwnedSession[]): Promise<void> {
    const { inTurn, database, sql } = this.#parts;
    if (sessions.length > 0) {
      const values = [this.inc, ...columnsOf(sessions), this.#hints.toAll, this.#hints.payload('nodes')];
      await inTurn(() => again(() => database.write(sql.release, values)));
    }
  }

  async orphans(limit: number): Promise<readonly SessionKey[]> {
    return (await this.#read(this.#parts.sql.orphans, [limit])).map(keyOf);
  }

  async lost(sessions: readonly OwnedSession[]): Promise<readonly SessionKey[]> {
    const { sql, ledger } = this.#parts;
    const versions = sessions.map(({ session }) => ledger.get(session)?.version ?? 0);
    return (await this.#read(sql.lost, [this.inc, ...columnsOf(sessions), versions])).map(keyOf);
  }

  async owned(): Promise<readonly SessionKey[]> {
    return (await this.#read(this.#parts.sql.owned, [this.inc])).map(keyOf);
  }

  send(letters: readonly Letter[]): Promise<void> {
    return letters.length === 0 ? Promise.resolve() : this.#parts.guard(() => this.#outbox.send(letters));
  }

  async #post(letters: readonly Letter[]): Promise<void> {
    const { database, sql } = this.#parts;
    const values = [
      this.inc,
      letters.map(({ id }) => id),
      letters.map(({ from }) => from),
      letters.map((letter) => ('session' in letter ? letter.session : null)),
      letters.map((letter) => ('node' in letter ? letter.node : null)),
      letters.map(({ body }) => toText(body)),
      this.#hints.prefix,
      this.#hints.payload('letters'),
    ];
    await again(() => database.mail(sql.send, values));
  }

  async receive(limit: number): Promise<readonly Letter[]> {
    return (await this.#read(this.#parts.sql.receive, [this.inc, limit])).map(letterOf);
  }

  async answer(answers: readonly Applied[]): Promise<void> {
    const { guard, database, sql } = this.#parts;
    const values = [
      this.inc,
      answers.map(({ id }) => id),
      answers.map(({ from }) => from),
      answers.map(({ reply }) => toText(reply)),
      this.#hints.prefix,
      this.#hints.payload('letters'),
    ];
    await guard(() => again(() => database.mail(sql.answer, values)));
  }

  /** Read first, then removed: an answer that gets lost must not take replies with it. What stays is swept. */
  async replies(ids: readonly string[]): Promise<readonly LetterReply[]> {
    const { guard, database, sql } = this.#parts;
    const rows = ids.length === 0 ? [] : await this.#read(sql.replies, [ids]);
    const found = rows.map((row) => ({ id: text(row, 'id'), reply: fromText(row, 'reply') }));
    if (found.length > 0) {
      await guard(() => database.mail(sql.takeReplies, [found.map(({ id }) => id)])).catch(() => {});
    }
    return found;
  }

  withdraw(ids: readonly string[]): Promise<readonly string[]> {
    return this.#parts.guard(() => this.#withdraw(ids));
  }

  async #withdraw(ids: readonly string[]): Promise<readonly string[]> {
    const { database, sql, pause } = this.#parts;
    const withdrawn: string[] = [];
    let asked = ids;
    let unknown = false;
    for (let tries = 0; ; tries += 1) {
      try {
        if (unknown) {
          const there = await database.mail(sql.lettersAndReplies, [asked]);
          const waits = new Map(there.map((row) => [text(row, 'id'), row['waits'] === true]));
          withdrawn.push(...asked.filter((id) => !waits.has(id)));
          asked = asked.filter((id) => waits.get(id) === true);
        }
        const rows = asked.length === 0 ? [] : await database.mail(sql.withdraw, [asked]);
        return [...withdrawn, ...rows.map((row) => text(row, 'id'))];
      } catch (error) {
        unknown ||= isAnswerLost(error);
        if (!unknown || (!isAnswerLost(error) && !(error instanceof NotSent))) {
          throw error;
        }
        await pause(tries);
      }
    }
  }

  async sweep(): Promise<void> {
    const { guard, database, sql } = this.#parts;
    await guard(() => database.mail(sql.sweep));
    await this.#inPages(sql.freeIdle);
    await this.#inPages(sql.markFree);
  }

  /** A statement that changes as many rows as it is asked to, until there are no more. */
  async #inPages(statement: string): Promise<void> {
    const { guard, database } = this.#parts;
    for (let found = pageMax; found === pageMax;) {
      found = (await guard(() => again(() => database.mail(statement, [pageMax])))).length;
    }
  }

  async throttles(): Promise<readonly StoredThrottle[]> {
    const rows = await this.#read(this.#parts.sql.throttles);
    return rows.map((row) => ({
      provider: text(row, 'provider'),
      version: num(row, 'version'),
      state: fromText(row, 'state'),
      ageMs: num(row, 'age_ms'),
    }));
  }

  async putThrottle(provider: string, seen: number, state: unknown): Promise<number | null> {
    const { guard, database, sql } = this.#parts;
    const [row] = await guard(() => database.mail(sql.putThrottle, [provider, seen, toText(state)]));
    if (row === undefined) {
      return null;
    }
    this.#hints.send('throttles');
    return num(row, 'version');
  }

  async conversation(session: SessionKey): Promise<KeptConversation | null> {
    const [row] = await this.#read(this.#parts.sql.conversation, [session]);
    return row === undefined
      ? null
      : {
          conversation: text(row, 'conversation'),
          node: text(row, 'node'),
          place: textOrNull(row, 'place'),
          open: row['open'] === true,
          turn: num(row, 'turn'),
          files: textOrNull(row, 'files'),
          lack: textOrNull(row, 'lack'),
        };
  }

  openConversation(
    session: SessionKey,
    lease: number,
    { conversation, node, place }: Pick<KeptConversation, 'conversation' | 'node' | 'place'>,
  ): Promise<boolean> {
    return this.#keep([session, lease, this.inc, conversation, node, true, -1, null, null, true, place]);
  }

  keepConversation(session: SessionKey, lease: number, kept: KeptConversation): Promise<boolean> {
    const { conversation, node, place, open, turn, files, lack } = kept;
    return this.#keep([session, lease, this.inc, conversation, node, open, turn, files, lack, false, place]);
  }

  async #keep(values: readonly Value[]): Promise<boolean> {
    const { guard, database, sql } = this.#parts;
    return (await guard(() => again(() => database.mail(sql.keepConversation, values)))).length > 0;
  }

  onHint(listener: (hint: Hint) => void): () => void {
    return this.#hints.onHint(listener);
  }

  hintEvents(): void {
    this.#hints.events();
  }

  /** With the store. */
  async end(): Promise<void> {
    await this.#hints.close();
    await this.#leave().catch(() => {});
  }

  #read(statement: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#parts.guard(() => this.#parts.database.read(statement, values));
  }
}

interface Entrant {
  readonly id: NodeId;
  readonly facts: NodeFacts;
  /** Who this store was before: it has left. */
  readonly before: NodeId | null;
}

/** Joins; one transaction at a time does so. Throws `store_locked`. */
async function enter(query: Query, sql: Statements, { id, facts, before }: Entrant): Promise<void> {
  await query(sql.lockNodes);
  if (before !== null) {
    await query(sql.leaveShared, [before]);
  }
  for (const row of await query(sql.aliveNodes)) {
    const other = otherOf(row);
    const shares = row['shared'] === true;
    if (shares && text(row, 'name') !== facts.name) {
      continue;
    }
    if (!other.gone) {
      throw shares
        ? nameTaken({ name: facts.name, host: text(row, 'host'), pid: num(row, 'pid') })
        : storeShared(other.name);
    }
    await bury(query, sql, other);
  }
  const { pid: own } = process;
  const { name, host, pid, version, address, ttlMs, labels } = facts;
  const started = startOf(own);
  const row = [id, host, pid, own, processSpace(), started, name, version, address, ttlMs, toText(labels)];
  await query(sql.joinShared, row);
}

/** Sends letters, those of many callers in one statement. */
class Outbox {
  readonly #post: (letters: readonly Letter[]) => Promise<void>;
  #waiting: Letter[] = [];
  #next: Promise<void> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(post: (letters: readonly Letter[]) => Promise<void>) {
    this.#post = post;
  }

  /** Resolves when they are there. */
  send(letters: readonly Letter[]): Promise<void> {
    this.#waiting.push(...letters);
    if (this.#next === null) {
      this.#next = this.#last.then(() => {
        const group = this.#waiting;
        this.#waiting = [];
        this.#next = null;
        return this.#post(group);
      });
      this.#last = this.#next.catch(() => {});
    }
    return this.#next;
  }
}

/** For statements that change nothing when they are carried out twice. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === triesMax || !isAnswerLost(error)) {
        throw error;
      }
    }
  }
}

const toText = (value: unknown): string => toJson(value) ?? 'null';

const fromText = (row: Row, column: string): unknown => JSON.parse(text(row, column)) as unknown;

const columnsOf = (sessions: readonly OwnedSession[]): readonly [readonly string[], readonly number[]] => [
  sessions.map(({ session }) => session),
  sessions.map(({ lease }) => lease),
];

const keyOf = (row: Row): SessionKey => sessionKey(text(row, 'key'));

export const stateOf = (row: Row): 'up' | 'draining' => (text(row, 'state') === 'draining' ? 'draining' : 'up');

/** Of a daemon that shares the schema with none, and says nothing of its time-to-live. */
const aloneTtlMs = 60_000;

const ttlOf = (row: Row): number => (row['ttl_ms'] === null ? aloneTtlMs : num(row, 'ttl_ms'));

const nodeOf = (row: Row): StoredNode => ({
  id: num(row, 'inc'),
  name: text(row, 'name'),
  host: text(row, 'host'),
  pid: num(row, 'pid'),
  version: text(row, 'version'),
  address: textOrNull(row, 'address'),
  ttlMs: ttlOf(row),
  state: stateOf(row),
  beat: num(row, 'beat'),
  agents: num(row, 'agents'),
  maxAgents: num(row, 'max_agents'),
  waiting: num(row, 'waiting'),
  idle: num(row, 'idle'),
  labels: row['labels'] === null ? [] : (fromText(row, 'labels') as readonly string[]),
});

function letterOf(row: Row): Letter {
  const letter = { id: text(row, 'id'), from: num(row, 'from_inc'), body: fromText(row, 'body') };
  return row['to_inc'] === null ? { ...letter, session: keyOf(row) } : { ...letter, node: num(row, 'to_inc') };
}
