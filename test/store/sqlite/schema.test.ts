/** The schema: as committed, as migrated, and what its triggers refuse whoever writes. */
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { admit, end, owner, running, taskEvent } from '../../../src/testing/store/records.ts';
import { dumpSchema, migrate, migrations } from '../../../src/store/sqlite/migrate.ts';
import { order } from '../../../src/store/sqlite/migrations/0008-order.ts';
import * as sql from '../../../src/store/sqlite/sql.ts';
import { read, sourcesUnder } from '../../tidy/files.ts';
import { sqliteHarness } from '../harness.ts';

interface Numbers {
  readonly admission: number;
  readonly position: number;
}

const pragma = (db: DatabaseSync, name: string): unknown => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];

describe('migrations', () => {
  test('give the committed schema (write it with `node test/store/sqlite/dump.ts`)', () => {
    using db = new DatabaseSync(':memory:');
    migrate(db, 0);
    expect(dumpSchema(db)).toBe(read('src/store/sqlite/schema.sql'));
  });

  /** A migration that somebody's file has had can never change again. A new one adds a line here. */
  test('never change', () => {
    const files = sourcesUnder('src/store/sqlite/migrations');
    const texts = migrations.map((migration, at) =>
      typeof migration === 'string' ? migration : read(files[at] ?? ''),
    );
    const digests = texts.map((text) => createHash('sha256').update(text).digest('hex').slice(0, 16));
    expect(digests).toEqual([
      '843e2bcd4051a8db',
      'd38cddbde6f49702',
      '3bef29b75c0fdbfd',
      '5e87b5459aa14677',
      '56b5a4e3cd2dc2b9',
      '23e5d97d5eafd9c1',
      'b83c60b7d5ee9f34',
      'a17e76dafd10ba5c',
      '96ff6aecdcfe0176',
      '0adb8d5b688613bd',
      '5fb08e8162405464',
      '36b09c06883f4dcc',
      '7fba18ee40a02ddc',
      'd3b899c2f2187d47',
      '1f4efcf7a5e97202',
    ]);
  });

  test('bring an older file up to date: either all of them run, or none', () => {
    const harness = sqliteHarness();
    try {
      harness.open().close();
      using db = new DatabaseSync(harness.path);
      const now = migrations.length;
      const more = [...migrations, 'CREATE TABLE second (a)', 'CREATE TABLE third (a)'];
      expect(() => migrate(db, now, [...more, 'CREATE TABLE third (b)'])).toThrow(/already exists/);
      expect([pragma(db, 'user_version'), dumpSchema(db).includes('second')]).toEqual([now, false]);
      migrate(db, now, more);
      expect([pragma(db, 'user_version'), dumpSchema(db).includes('third')]).toEqual([now + 2, true]);
    } finally {
      harness.dispose();
    }
  });

  test('0002 gives older rows the values that their tasks, sessions and turns had', () => {
    using db = new DatabaseSync(':memory:');
    migrate(db, 0, migrations.slice(0, 1));
    db.exec(`
      INSERT INTO sessions (n, key, lease, row) VALUES (1, 'never committed', 1, NULL), (2, 'free', 1, '{"hold":null}'),
        (3, 'held', 1, '{"hold":{"task":"b","epoch":1,"sent":4}}');
      INSERT INTO tasks (n, id, session, status, lane, admitted_at, source, row)
        VALUES (1, 'a', 3, 'queued', 'background', 1, 'api', '{"id":"a"}'), (2, 'b', 3, 'running', 'background', 1, 'api', '{"id":"b"}');
      INSERT INTO tasks (n, id, session, status, lane, admitted_at, source, row, ended_at, seq)
        VALUES (3, 'c', 3, 'completed', 'background', 1, 'api', '{"id":"c"}', 2, 1)`);
    migrate(db, 1, migrations.slice(0, 2));
    const rows = (table: string): unknown[] =>
      db
        .prepare(`SELECT row FROM ${table} ORDER BY n`)
        .all()
        .map((one) => JSON.parse(String(one['row'])) as unknown);
    expect(rows('tasks')).toEqual(['a', 'b', 'c'].map((id) => ({ id, model: null, retries: 0 })));
    expect(rows('sessions')).toEqual([
      null,
      { hold: null, lost: false },
      { hold: { task: 'b', epoch: 1, sent: 4, asks: [] }, lost: false },
    ]);
    expect(() => db.exec("UPDATE tasks SET lane = 'interactive' WHERE id = 'c'")).toThrow(/has ended/);
  });

  test('0009 knows who has worked before, and what a settlement charges', () => {
    using db = new DatabaseSync(':memory:');
    migrate(db, 0, migrations.slice(0, 8));
    const rows = [
      { conversation: null, settling: [] },
      {
        conversation: 'c',
        settling: [
          { kind: 'begin', entry: 'a' },
          { kind: 'steered', loss: 'agent_lost' },
        ],
      },
      { conversation: 'c', settling: [{ kind: 'steered', loss: null }] },
    ];
    rows.forEach((row, at) =>
      db
        .prepare('INSERT INTO sessions (n, key, lease, row) VALUES (?1, ?2, 1, ?3)')
        .run(at + 1, `s${at}`, JSON.stringify(row)),
    );
    migrate(db, 8, migrations.slice(0, 9));
    const now = db.prepare('SELECT row FROM sessions ORDER BY n').all();
    expect(now.map((one) => JSON.parse(String(one['row'])) as unknown)).toEqual([
      { conversation: null, settling: [], answered: false },
      {
        conversation: 'c',
        settling: [
          { kind: 'begin', entry: 'a' },
          { kind: 'steered', loss: 'agent_lost', burns: true },
        ],
        answered: true,
      },
      { conversation: 'c', settling: [{ kind: 'steered', loss: null, burns: false }], answered: true },
    ]);
  });

  test('0010 knows nothing of what older conversations have', () => {
    using db = new DatabaseSync(':memory:');
    migrate(db, 0, migrations.slice(0, 9));
    const row = { conversation: 'c', settling: [{ kind: 'begin' }, { kind: 'steered' }] };
    db.prepare("INSERT INTO sessions (n, key, lease, row) VALUES (1, 's', 1, ?1)").run(JSON.stringify(row));
    const event = db.prepare('INSERT INTO events (tape, seq, at, type, data) VALUES (1, ?1, 1, ?2, ?3)');
    event.run(1, 'turn-sent', '{"turn":1}');
    event.run(2, 'agent-ready', '{"caps":{"acks":true}}');
    event.run(3, 'turn-started', '{"turn":1}');
    migrate(db, 9, migrations.slice(0, 10));
    const parsed = (column: string, table: string): readonly unknown[] =>
      db
        .prepare(`SELECT ${column} AS text FROM ${table}`)
        .all()
        .map(({ text }) => JSON.parse(String(text)) as unknown);
    expect(parsed('row', 'sessions')).toEqual([
      { conversation: 'c', settling: [{ kind: 'begin' }, { kind: 'steered', textIn: null }], firstTurn: 0 },
    ]);
    expect(parsed('data', 'events')).toEqual([
      { turn: 1, delivered: false },
      { caps: { acks: true, keepsPrompts: false } },
      { turn: 1 },
    ]);
    expect(() => db.exec('UPDATE events SET seq = 4 WHERE seq = 3')).toThrow(/append-only/);
  });

  test('0003 turns older events, ends and verdicts into the shapes of the event union', () => {
    using db = new DatabaseSync(':memory:');
    migrate(db, 0, migrations.slice(0, 2));
    const held = { ord: 4, lost: true, parked: 'closing', hold: { task: 'open', asks: ['r'] } };
    db.prepare("INSERT INTO sessions (n, key, lease, row) VALUES (1, 's', 1, ?1)").run(JSON.stringify(held));
    const task = db.prepare(`
      INSERT INTO tasks (n, id, session, status, lane, admitted_at, source, row, payload, ended_at, seq, result)
      VALUES (?1, ?2, 1, ?3, 'background', 1, 'api', ?4, '{"prompt":" one\\ntwo","source":"api","author":"ada"}', ?5, ?6, ?7)`);
    const event = db.prepare('INSERT INTO events (tape, seq, at, type, data) VALUES (?1, ?2, 1, ?3, ?4)');
    const row = (mode: string, verdict: unknown = null): string =>
      JSON.stringify({
        mode,
        attempts: 2,
        party: 'g',
        ord: 3,
        place: 'holding',
        begun: true,
        cut: false,
        verdict,
        rewind: 3,
      });
    const verdict = { status: 'cancelled', reason: 'cancelled', by: 'ada', data: null };
    task.run(1, 'open', 'running', row('prompt', verdict), null, null, null);
    const answer = { text: 'hi', usage: { inputTokens: 1, outputTokens: 2, costUsd: 0.5 } };
    const ends = [
      ['answered', 'prompt', { status: 'completed', reason: 'completed', by: null, result: answer }],
      ['replaced', 'prompt', { status: 'cancelled', reason: 'replaced', by: 'open', result: null }],
      ['returned', 'code', { status: 'completed', reason: 'completed', by: 'runner', result: { text: 'mine' } }],
      ['worn-out', 'code', { status: 'failed', reason: 'node_restarted', by: null, result: { attempts: 2 } }],
    ] as const;
    const told = [
      ['queued', { lane: 'background', whenBusy: 'enqueue', priority: 0, fallback: false }],
      ['interrupt', { turn: 1, why: 'preempt', by: 'answered', wire: true }],
      ['interrupt', { turn: 1, why: 'verdict', by: 'ada', wire: false }],
      ['turn-ended', { turn: 1, outcome: 'agent-lost', data: { reason: 'agent_lost' } }],
      [
        'turn-ended',
        { turn: 2, outcome: 'failed', data: { text: 'oh', failure: { class: 'overloaded', status: 529 } } },
      ],
      ['retried', { attempt: 2, reason: 'agent_lost' }],
      ['retried', { attempt: 2, reason: 'overloaded', retry: 1 }],
      ['permission-decided', { turn: 2, request: 'r', decision: 'withdrawn', by: 'turn-ended', note: null }],
      ['permission-decided', { turn: 2, request: 's', decision: 'deny', by: 'deadline', note: null }],
      ['output', { turn: 2, kind: 'text', data: 'so' }],
    ] as const;
    told.forEach(([type, data], at) => event.run(1, at + 1, type, JSON.stringify(data)));
    const ownTold = [
      ['unparked', { reason: 'closing', by: 'start' }],
      ['parked', { reason: 'closing', by: 'close' }],
      ['unparked', { reason: 'closing', by: 'start' }],
      ['parked', { reason: 'fault: of the disk', by: 'ada' }],
      ['unparked', { reason: 'fault: of the disk', by: 'ada' }],
      ['fault', { reason: 'a defect' }],
      ['unparked', { reason: 'fault: a defect', by: 'ada' }],
      ['parked', { reason: 'closing', by: 'ada' }],
      ['hang-reported', { report: '1', class: 'agent-silent' }],
      ['agent-ending', { incarnation: 1, reason: 'restart' }],
    ] as const;
    ownTold.forEach(([type, data], at) => event.run(-1, at + 1, type, JSON.stringify(data)));
    ends.forEach(([id, mode, final], at) => {
      task.run(at + 2, id, final.status, row(mode), 2, 1, JSON.stringify(final));
    });
    migrate(db, 2);
    const events = db.prepare('SELECT type, data FROM events WHERE tape = ?1 ORDER BY seq').all(1);
    expect(events.map(({ type, data }) => [type, JSON.parse(String(data)) as unknown])).toMatchObject([
      ['queued', { mode: 'prompt', title: 'one', source: 'api', author: 'ada' }],
      ['interrupt-requested', { by: { kind: 'task', name: 'answered' }, sent: true }],
      ['interrupt-requested', { by: { kind: 'person', name: 'ada' }, sent: false }],
      ['turn-ended', { textLength: null, failure: null, reason: 'agent_lost' }],
      ['turn-ended', { textLength: 2, failure: { class: 'overloaded', transient: true, message: '' }, reason: null }],
      ['attempt-retried', { attempt: 2, reason: 'agent_lost' }],
      ['turn-retried', { retry: 1 }],
      ['permission-resolved', { by: null }],
      ['permission-resolved', { by: { kind: 'deadline', name: 'permission' } }],
      ['output', { turn: 2, part: { kind: 'text', text: 'so' } }],
    ]);
    const own = db.prepare('SELECT type, data FROM events WHERE tape = -1 ORDER BY seq').all();
    const ada = { kind: 'person', name: 'ada' };
    expect(own.map(({ type, data }) => [type, JSON.parse(String(data)) as unknown])).toEqual([
      ['unparked', { kind: 'closing', reason: 'closing', by: { kind: 'daemon', name: 'start' } }],
      ['parked', { kind: 'closing', reason: 'closing', by: { kind: 'daemon', name: 'close' } }],
      ['unparked', { kind: 'closing', reason: 'closing', by: { kind: 'daemon', name: 'start' } }],
      ['parked', { kind: 'operator', reason: 'fault: of the disk', by: ada }],
      ['unparked', { kind: 'operator', reason: 'fault: of the disk', by: ada }],
      ['fault', { reason: 'a defect' }],
      ['unparked', { kind: 'fault', reason: 'a defect', by: ada }],
      ['parked', { kind: 'operator', reason: 'closing', by: ada }],
      ['hang-reported', { report: '1', class: 'agent-silent', summary: '' }],
      ['agent-ending', { incarnation: 1, reason: 'restart', by: null }],
    ]);
    const json = (column: string): unknown[] =>
      db
        .prepare(`SELECT ${column} AS json FROM tasks ORDER BY n`)
        .all()
        .map((one) => JSON.parse(String(one['json'])) as unknown);
    expect(json('row')[0]).toEqual({
      mode: 'prompt',
      attempts: 2,
      mergeGroup: 'g',
      admission: 1,
      position: 131_072,
      stage: 'owner',
      started: true,
      interruptedMidTurn: false,
      mergedInto: null,
      leads: null,
      delivered: false,
      verdict: {
        status: 'cancelled',
        reason: 'cancelled',
        by: { kind: 'person', name: 'ada' },
        result: null,
        scope: 'task',
      },
    });
    const session = db.prepare('SELECT row FROM sessions').get()?.['row'];
    expect(JSON.parse(String(session))).toEqual({
      admissions: 5,
      answered: false,
      parked: { kind: 'operator', reason: 'closing', by: ada },
      conversationReset: 'lost',
      conversationEnding: null,
      firstTurn: null,
      hold: { task: 'open', permissionRequests: ['r'] },
      passedOver: null,
      settling: [],
      rewind: 3,
    });
    const cost = { amount: 0.5, currency: 'USD' };
    expect(json('result')).toMatchObject([
      null,
      { attempts: 2, answer: { text: 'hi', usage: { inputTokens: 1, outputTokens: 2 }, cost }, result: null },
      { by: { kind: 'task', name: 'open' }, answer: null, result: null },
      { by: { kind: 'runner' }, answer: null, result: { text: 'mine' } },
      { attempts: 2, answer: null, result: null },
    ]);
    expect(() => db.exec("UPDATE events SET type = 'x'")).toThrow(/append-only/);
    expect(() => db.exec("UPDATE tasks SET lane = 'interactive' WHERE id = 'answered'")).toThrow(/has ended/);
  });

  test('0008 gives each task an admission and a position, and keeps the order, whatever number it had', () => {
    const before = migrations.slice(0, migrations.indexOf(order));
    using db = new DatabaseSync(':memory:');
    migrate(db, 0, before);
    db.exec(
      `INSERT INTO sessions (n, key, lease, row) VALUES (1, 's', 1, '{"nextPosition":9,"passedOver":{"task":"s2","position":1.5,"times":2}}'), (2, 't', 1, NULL)`,
    );
    const task = db.prepare(`
      INSERT INTO tasks (id, session, status, lane, admitted_at, source, row, ended_at, seq)
      VALUES (?1, ?2, ?3, 'background', 1, 'api', ?4, ?5, ?6)`);
    const places = [0, -4, 1.5, 1, 2];
    places.forEach((position, at) => task.run(`s${at}`, 1, 'queued', JSON.stringify({ position }), null, null));
    task.run('t0', 2, 'completed', JSON.stringify({ position: 7 }), 1, 1);
    migrate(db, before.length, [...before, order]);
    const rows = db.prepare('SELECT id, row FROM tasks ORDER BY n').all();
    const found = rows.map(({ id, row }) => ({ id: String(id), ...(JSON.parse(String(row)) as Numbers) }));
    const mine = found.filter(({ id }) => id.startsWith('s'));
    expect(mine.map(({ admission }) => admission)).toEqual([1, 2, 3, 4, 5]);
    expect(mine.toSorted((a, b) => a.position - b.position).map(({ id }) => id)).toEqual([
      's1',
      's0',
      's3',
      's2',
      's4',
    ]);
    expect(mine.map(({ position }) => position)).toEqual([2, 1, 4, 3, 5].map((place) => place * 65_536));
    expect(found.at(-1)).toEqual({ id: 't0', admission: 1, position: 65_536 });
    const session = String(db.prepare('SELECT row FROM sessions WHERE n = 1').get()?.['row']);
    expect(JSON.parse(session)).toEqual({ passedOver: { task: 's2', admission: 3, times: 2 }, admissions: 5 });
  });
});

describe('another writer', () => {
  const opened: { dispose(): void }[] = [];
  afterEach(() => {
    for (const one of opened.splice(0)) {
      one.dispose();
    }
  });

  /** A store with one running and one ended task, closed, and a connection that knows nothing of the store's rules. */
  async function stranger(): Promise<DatabaseSync> {
    const harness = sqliteHarness();
    const store = harness.open();
    const { commit } = await owner(store, 'a');
    await commit(admit('open'), taskEvent('open', 1), running('open'), admit('ended'), taskEvent('ended', 1));
    await commit(end('ended', 2));
    store.close();
    const db = new DatabaseSync(harness.path);
    opened.push(harness, { dispose: () => db.close() });
    return db;
  }

  const open = "(SELECT n FROM tasks WHERE id = 'open')";
  const ended = "(SELECT n FROM tasks WHERE id = 'ended')";

  test.each([
    ['T08 running to queued', `UPDATE tasks SET status = 'queued' WHERE n = ${open}`, /only moves forward/],
    ['T08 completed to queued', `UPDATE tasks SET status = 'queued' WHERE n = ${ended}`, /has ended/],
    [
      'T08 completed to queued, with all that belongs to it',
      `UPDATE tasks SET status = 'queued', ended_at = NULL, seq = NULL WHERE n = ${ended}`,
      /has ended/,
    ],
    ['T03 completed to failed', `UPDATE tasks SET status = 'failed' WHERE n = ${ended}`, /has ended/],
    ['T04 a terminal status without its final', `UPDATE tasks SET status = 'failed' WHERE n = ${open}`, /CHECK/],
    ['T04 a final without a terminal status', `UPDATE tasks SET ended_at = 1, seq = 2 WHERE n = ${open}`, /CHECK/],
    [
      'a final that leaves a gap',
      `UPDATE tasks SET status = 'failed', ended_at = 1, seq = 3 WHERE n = ${open}`,
      /final is the last event/,
    ],
    [
      'a final among the events',
      `UPDATE tasks SET status = 'failed', ended_at = 1, seq = 1 WHERE n = ${open}`,
      /final is the last event/,
    ],
    ['T01 an event after the end', `INSERT INTO events VALUES (${ended}, 3, 1, 'output', NULL)`, /nothing is appended/],
    ['an event under a number that is taken', `INSERT INTO events VALUES (${open}, 1, 1, 'output', NULL)`, /UNIQUE/],
    ['a final that is not the task’s own row', `INSERT INTO events VALUES (${open}, 2, 1, 'final', NULL)`, /CHECK/],
    ['a changed event', `UPDATE events SET data = '1' WHERE tape = ${open}`, /append-only/],
    ['a smaller lease', "UPDATE sessions SET lease = 0 WHERE key = 'a'", /lease only grows/],
    ['an unknown status', `UPDATE tasks SET status = 'lost' WHERE n = ${open}`, /CHECK/],
  ])('cannot write: %s', async (_, statement, message) => {
    const db = await stranger();
    expect(() => db.exec(statement)).toThrow(message);
  });

  test('can read a whole tape from one view', async () => {
    const db = await stranger();
    const rows = db.prepare(`SELECT seq, type FROM tape_events WHERE tape = ${ended} ORDER BY seq`).all();
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { seq: 1, type: 'progress' },
      { seq: 2, type: 'final' },
    ]);
  });
});

describe('the statements of the store', () => {
  /** One row, a handful of rows, or the end of an index: reading these whole is no matter. */
  const small = new Set(['totals', 'indexed', 'setIndexed', 'addTotals', 'processes', 'tokens', 'lastRun']);
  /** Sorts one session's open tasks, three pages of keys, or one batch of runs. */
  const sorts = new Set(['openTasks', 'openSessions', 'indexRuns']);
  /** A subquery's rows, or the few values of a JSON list that the caller gave. */
  const given = /^SCAN (?:\(subquery|\S+ VIRTUAL TABLE)/;
  const statements = Object.entries(sql).filter(([, text]) => /^\s*(?:SELECT|UPDATE|INSERT|DELETE)/.test(text));

  test.each(statements)('%s reads only the rows that it returns', (name, text) => {
    using db = new DatabaseSync(':memory:');
    migrate(db, 0);
    const plan = db
      .prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all()
      .map((row) => String(row['detail']));
    const scans = plan.filter((line) => line.startsWith('SCAN') && !given.test(line));
    if (!small.has(name)) {
      expect(scans).toEqual([]);
    }
    if (!sorts.has(name)) {
      expect(plan.filter((line) => line.includes('TEMP B-TREE'))).toEqual([]);
    }
  });

  test('are caught when one of them scans a whole table', () => {
    expect(statements.length).toBeGreaterThan(25);
    using db = new DatabaseSync(':memory:');
    migrate(db, 0);
    const plan = db.prepare('EXPLAIN QUERY PLAN SELECT * FROM tasks ORDER BY source').all();
    expect(plan.map((row) => row['detail'])).toEqual(['SCAN tasks', 'USE TEMP B-TREE FOR ORDER BY']);
  });
});
