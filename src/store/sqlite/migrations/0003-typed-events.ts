/**
 * Rows of tasks and sessions get new names of fields. Events, ends and verdicts get the shapes of one typed union: names of
 * types and fields, an actor in place of a free text, a typed part in place of an output's kind and data, a turn's report in
 * place of its result's data.
 * Immutable: a change is a new migration. It imports nothing of the product, so that what it does never changes.
 *
 * What an old event does not tell is null. Old texts for "who" are names of persons, except those that the core wrote itself.
 */
import type { DatabaseSync } from 'node:sqlite';

type Fields = Readonly<{ [name: string]: unknown }>;
type Actor = Readonly<{ kind: string; name: string }> | null;

/** What an event does not say of its task. */
interface Owner {
  readonly row: Fields;
  readonly payload: Fields;
}

type Parked = Readonly<{ kind: string; reason: unknown; by: Actor }>;

export function typedEvents(db: DatabaseSync): void {
  db.exec('DROP TRIGGER events_stay; DROP TRIGGER tasks_ended_stay');
  const isTask = taskFinder(db);
  migrateEvents(db, isTask);
  migrateTasks(db, isTask);
  migrateSessions(db);
  db.exec(triggers);
}

const triggers = `
CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'a tape is append-only'); END;

CREATE TRIGGER tasks_ended_stay BEFORE UPDATE ON tasks
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the task has ended'); END;
`;

/** Rows read at a time. */
const pageSize = 1000;

function migrateEvents(db: DatabaseSync, isTask: (id: string) => boolean): void {
  const read = db.prepare(
    `SELECT tape, seq, type, data FROM events WHERE (tape, seq) > (?1, ?2) ORDER BY tape, seq LIMIT ${pageSize}`,
  );
  const write = db.prepare('UPDATE events SET type = ?3, data = ?4 WHERE tape = ?1 AND seq = ?2');
  const owner = db.prepare('SELECT row, payload FROM tasks WHERE n = ?1');
  const parkedBefore = parkedFinder(db);
  const ownerOf = (tape: number): Owner => {
    const found = owner.get(tape);
    return { row: parsed(found?.['row']), payload: parsed(found?.['payload']) };
  };
  for (let last: readonly [number, number] = [Number.MIN_SAFE_INTEGER, 0]; ;) {
    const rows = read.all(...last);
    for (const row of rows) {
      const [tape, seq] = [Number(row['tape']), Number(row['seq'])];
      const old = parsed(row['data']);
      const [type, data] =
        row['type'] === 'unparked'
          ? unparkedOf(old, parkedBefore(tape, seq), isTask)
          : eventOf(String(row['type']), old, () => ownerOf(tape), isTask);
      write.run(tape, seq, type, JSON.stringify(data));
      last = [tape, seq];
    }
    if (rows.length < pageSize) {
      return;
    }
  }
}

function migrateTasks(db: DatabaseSync, isTask: (id: string) => boolean): void {
  const read = db.prepare(`SELECT n, row, result, ended_at FROM tasks WHERE n > ?1 ORDER BY n LIMIT ${pageSize}`);
  const write = db.prepare('UPDATE tasks SET row = ?2, result = ?3 WHERE n = ?1');
  for (let last = 0; ;) {
    const rows = read.all(last);
    for (const found of rows) {
      last = Number(found['n']);
      const row = parsed(found['row']);
      const result = found['ended_at'] === null ? null : JSON.stringify(finalOf(parsed(found['result']), row, isTask));
      write.run(last, JSON.stringify(rowOf(row, isTask)), result);
    }
    if (rows.length < pageSize) {
      return;
    }
  }
}

function migrateSessions(db: DatabaseSync): void {
  const write = db.prepare('UPDATE sessions SET row = ?2 WHERE n = ?1');
  const parkedBefore = parkedFinder(db);
  for (const { n, row } of db.prepare('SELECT n, row FROM sessions WHERE row IS NOT NULL').all()) {
    const { ord, lost, parked, hold, ...kept } = parsed(row);
    const session = {
      ...kept,
      nextPosition: ord,
      parked:
        typeof parked === 'string' ? (parkedBefore(-Number(n), Number.MAX_SAFE_INTEGER) ?? parkedAs(parked)) : null,
      conversationReset: lost === true,
      hold: holdOf(hold ?? null),
    };
    write.run(n ?? null, JSON.stringify(session));
  }
}

/** What parked a session last before an event of its tape, as the migrated tape says: a row had one text for all of it. */
function parkedFinder(db: DatabaseSync): (tape: number, seq: number) => Parked | null {
  const last = db.prepare(
    `SELECT type, data FROM events WHERE tape = ?1 AND seq < ?2 AND type IN ('parked', 'fault') ORDER BY seq DESC LIMIT 1`,
  );
  return (tape, seq) => {
    const found = last.get(tape, seq);
    const { kind, reason, by } = parsed(found?.['data']);
    if (found === undefined) {
      return null;
    }
    return found['type'] === 'fault'
      ? { kind: 'fault', reason, by: null }
      : { kind: String(kind), reason, by: by as Actor };
  };
}

/** A daemon that closed wrote this reason, as itself. */
const parkKindOf = (reason: unknown, by: Actor): string =>
  reason === 'closing' && (by === null || by.kind === 'daemon') ? 'closing' : 'operator';

const faultPrefix = 'fault: ';

/** Where the tape does not say what parked the session: the text that the earlier version wrote and compared. */
function parkedAs(text: string): Parked {
  if (text.startsWith(faultPrefix)) {
    return { kind: 'fault', reason: text.slice(faultPrefix.length), by: null };
  }
  return { kind: parkKindOf(text, null), reason: text, by: null };
}

function unparkedOf(
  data: Fields,
  before: Parked | null,
  isTask: (id: string) => boolean,
): readonly [type: string, data: Fields] {
  const { kind, reason } = before ?? parkedAs(textAt(data, 'reason') ?? '');
  return ['unparked', { kind, reason, by: actorOf(data['by'], isTask) }];
}

function holdOf(hold: unknown): Fields | null {
  const { asks, ...kept } = fieldsOf(hold);
  return hold === null ? null : { ...kept, permissionRequests: asks ?? [] };
}

function taskFinder(db: DatabaseSync): (id: string) => boolean {
  const statement = db.prepare('SELECT 1 FROM tasks WHERE id = ?1');
  return (id) => statement.get(id) !== undefined;
}

function eventOf(
  type: string,
  data: Fields,
  owner: () => Owner,
  isTask: (id: string) => boolean,
): readonly [type: string, data: Fields] {
  const by = actorOf(data['by'], isTask);
  switch (type) {
    case 'queued':
      return [type, queuedOf(data, owner())];
    case 'steered':
      return [type, { into: data['into'], turn: data['turn'], delivered: data['taken'] === true }];
    case 'returned':
      return ['requeued', data];
    case 'edited':
      return [type, { title: titleOf(textAt(owner().payload, 'prompt') ?? ''), by }];
    case 'parked':
      return [type, { kind: parkKindOf(data['reason'], by), reason: data['reason'], by }];
    case 'moved':
    case 'evicted':
    case 'cancel-requested':
      return [type, { ...data, by }];
    case 'turn-sent':
      return [type, sentOf(data)];
    case 'output':
      return [type, { turn: data['turn'], part: partOf(data['kind'], data['data']) }];
    case 'permission-asked':
      return ['permission-requested', { turn: data['turn'], request: data['request'], action: data['ask'] }];
    case 'permission-decided':
      return ['permission-resolved', { ...data, by: deciderOf(data['by']) }];
    case 'interrupt':
      return ['interrupt-requested', { turn: data['turn'], why: data['why'], by, sent: data['wire'] === true }];
    case 'interrupt-acked':
      return [type, { turn: data['turn'], noResult: data['none'] === true }];
    case 'deadline':
      return [
        'deadline-reached',
        {
          name: data['name'] === 'ask' ? 'permission' : data['name'],
          turn: data['turn'] ?? null,
          epoch: data['epoch'] ?? null,
        },
      ];
    case 'turn-ended':
      return [type, endedOf(data)];
    case 'preempted':
      return [type, { by, preemptionsInRow: data['streak'], epoch: data['epoch'] }];
    case 'lost':
      return ['attempt-lost', data];
    case 'retried':
      return [data['retry'] === undefined ? 'attempt-retried' : 'turn-retried', data];
    default:
      return sessionEventOf(type, data);
  }
}

function sessionEventOf(type: string, data: Fields): readonly [type: string, data: Fields] {
  switch (type) {
    case 'agent-starting':
      return [type, { model: null, ...data }];
    case 'agent-ready':
      return [type, { ...data, caps: { models: false, ...fieldsOf(data['caps']) } }];
    case 'conversation-lost':
      return ['conversation-reset', data];
    case 'unsolicited':
      return ['unsolicited-turn', data];
    case 'raw':
      return ['unexpected-output', { incarnation: data['incarnation'], part: partOf(data['kind'], data['data']) }];
    case 'hang-reported':
      return [type, { summary: '', ...data }];
    case 'recovered':
      return [type, { owner: data['hold'] ?? null }];
    default:
      // Those that keep their shape: merged, granted, resumed, turn-started, progress, agent-ending, agent-exited, …
      return [type, data];
  }
}

function queuedOf(data: Fields, { row, payload }: Owner): Fields {
  return {
    lane: data['lane'],
    mode: row['mode'] ?? 'prompt',
    whenBusy: data['whenBusy'],
    priority: data['priority'],
    title: titleOf(textAt(payload, 'prompt') ?? ''),
    source: textAt(payload, 'source') ?? '',
    author: textAt(payload, 'author'),
    fallback: data['fallback'] === true,
  };
}

function sentOf(data: Fields): Fields {
  const { cut, riders, ...kept } = data;
  return { model: null, ...kept, interruptedMidTurn: cut === true, mergedTasks: riders ?? [] };
}

/** Data of `{ reason }` alone: the turn was lost, and its agent gave no result. */
function endedOf(data: Fields): Fields {
  const inner = fieldsOf(data['data']);
  const lost = Object.keys(inner).length === 1 ? textAt(inner, 'reason') : null;
  const report = lost === null ? reportOf(data['data']) : null;
  return {
    turn: data['turn'],
    outcome: data['outcome'],
    textLength: report === null ? null : report.text.length,
    usage: report?.usage ?? null,
    cost: report?.cost ?? null,
    failure: report?.failure ?? null,
    error: report?.error ?? null,
    reason: lost,
  };
}

function finalOf(data: Fields, row: Fields, isTask: (id: string) => boolean): Fields {
  const result = data['result'] ?? null;
  const inner = fieldsOf(result);
  // A task out of attempts ended with their number, and with nothing else.
  const counted = Object.keys(inner).length === 1 && typeof inner['attempts'] === 'number';
  const isCode = row['mode'] === 'code';
  return {
    status: data['status'],
    reason: data['reason'],
    by: actorOf(data['by'], isTask),
    attempts: counted ? inner['attempts'] : (row['attempts'] ?? 0),
    answer: isCode || counted ? null : reportOf(result),
    result: isCode && !counted ? result : null,
  };
}

function rowOf(row: Fields, isTask: (id: string) => boolean): Fields {
  const { party, ord, place, begun, cut, verdict, ...kept } = row;
  return {
    ...kept,
    mergeGroup: party ?? null,
    position: ord,
    stage: stageOf(place),
    started: begun === true,
    interruptedMidTurn: cut === true,
    verdict: verdictOf(verdict ?? null, isTask),
  };
}

const stageOf = (place: unknown): unknown => (place === 'holding' ? 'owner' : place === 'riding' ? 'merged' : place);

function verdictOf(verdict: unknown, isTask: (id: string) => boolean): Fields | null {
  const { status, reason, by, data } = fieldsOf(verdict);
  return verdict === null ? null : { status, reason, by: actorOf(by, isTask), result: data ?? null };
}

/** The texts that the core and the runtime wrote themselves; any other is the id of a task or the name of a person. */
function actorOf(by: unknown, isTask: (id: string) => boolean): Actor {
  if (typeof by !== 'string') {
    return null;
  }
  if (by === 'runner') {
    return { kind: 'runner', name: 'runner' };
  }
  if (by === 'close' || by === 'start') {
    return { kind: 'daemon', name: by };
  }
  return { kind: isTask(by) ? 'task' : 'person', name: by };
}

function deciderOf(by: unknown): Actor {
  switch (by) {
    case 'policy':
    case 'agent':
      return { kind: by, name: by };
    case 'limit':
      return { kind: by, name: 'open-requests' };
    case 'deadline':
      return { kind: by, name: 'permission' };
    case 'interrupt':
    case 'turn-ended':
      return null;
    default:
      return typeof by === 'string' ? { kind: 'person', name: by } : null;
  }
}

function partOf(kind: unknown, data: unknown): Fields {
  const fields = fieldsOf(data);
  if (kind === 'text' && typeof data === 'string') {
    return { kind, text: data };
  }
  if (kind === 'tool' && typeof fields['name'] === 'string') {
    const { status, output } = fields;
    return {
      kind,
      id: textAt(fields, 'id'),
      name: fields['name'],
      action: 'other',
      title: textAt(fields, 'title') ?? '',
      status: status === 'completed' || status === 'failed' ? status : 'started',
      ...(typeof output === 'string' ? { output: { text: output } } : {}),
    };
  }
  const usage = kind === 'usage' ? usageOf(fields) : undefined;
  if (usage !== undefined) {
    return { kind, ...usage };
  }
  if (kind === 'notice') {
    return { kind, code: 'notice', message: textAt(fields, 'text') ?? textAt(fields, 'message') ?? '', detail: data };
  }
  return { kind: 'raw', data };
}

interface Report {
  readonly text: string;
  readonly usage?: Fields;
  readonly cost?: Fields;
  readonly failure?: Fields;
  readonly error?: unknown;
}

function reportOf(data: unknown): Report | null {
  if (data === null || data === undefined) {
    return null;
  }
  const fields = fieldsOf(data);
  const told = fieldsOf(fields['usage']);
  const usage = usageOf(told);
  const failure = failureOf(fieldsOf(fields['failure']));
  return {
    text: typeof data === 'string' ? data : (textAt(fields, 'text') ?? ''),
    ...(usage === undefined ? {} : { usage }),
    ...(typeof told['costUsd'] === 'number' ? { cost: { amount: told['costUsd'], currency: 'USD' } } : {}),
    ...(failure === undefined ? {} : { failure }),
    ...(fields['error'] === undefined ? {} : { error: fields['error'] }),
  };
}

function usageOf({ inputTokens, outputTokens, cachedInputTokens }: Fields): Fields | undefined {
  if (typeof inputTokens !== 'number' || typeof outputTokens !== 'number') {
    return undefined;
  }
  return { inputTokens, outputTokens, ...(typeof cachedInputTokens === 'number' ? { cachedInputTokens } : {}) };
}

const transientReasons: ReadonlySet<unknown> = new Set([
  'rate_limit',
  'overloaded',
  'server_error',
  'network',
  'quota',
  'auth',
]);

function failureOf({ class: name, message, hint, retryAfterMs }: Fields): Fields | undefined {
  if (typeof name !== 'string') {
    return undefined;
  }
  return {
    class: name,
    transient: transientReasons.has(name),
    message: typeof message === 'string' ? message : '',
    hint: typeof hint === 'string' ? hint : '',
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  };
}

const titleLength = 120;

function titleOf(prompt: string): string {
  const start = prompt.slice(0, titleLength * 2).trimStart();
  const characters = Array.from((start.split('\n', 1)[0] ?? '').trimEnd());
  return characters.length > titleLength ? `${characters.slice(0, titleLength - 1).join('')}…` : characters.join('');
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

const parsed = (json: unknown): Fields => (typeof json === 'string' ? fieldsOf(JSON.parse(json)) : {});

function textAt(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
}
