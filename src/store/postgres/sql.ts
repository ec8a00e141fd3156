/**
 * Every statement of the Postgres store, once, in the words of one schema. Names are qualified: behind a pooler a
 * connection's settings are not ours.
 */
import { eras } from './sql-eras.ts';
import { outbox } from './sql-outbox.ts';
import { sharing } from './sql-nodes.ts';

/** The columns of the totals, in the order in which a commit gives them. */
export const figures = ['sessions', 'queued', 'running', 'completed', 'failed', 'cancelled', 'late', 'events'] as const;
export type Figure = (typeof figures)[number];

const openStatuses = "('queued', 'running')";

const added = figures.map((figure) => `more_${figure}`);

/** `s`: the schema, quoted. */
export const statements = (s: string) => ({
  ...owning(s),
  ...listing(s),
  ...reading(s),
  ...keeping(s),
  ...joining(s),
  ...sharing(s),
  ...eras(s),
  ...outbox(s),
});

export type Statements = ReturnType<typeof statements>;

/** Number of the last event of a tape. */
const lastSeq = (s: string, session: string, tape: string): string =>
  `coalesce((SELECT last_seq FROM ${s}.runs WHERE session = ${session} AND tape = ${tape} ORDER BY first_seq DESC LIMIT 1), 0)`;

/** Claims, commits, and what the ledger knows. */
const owning = (s: string) => ({
  /** $1 key, $2 node. Nothing for a node that is not alive: its row is held until the claim is there, or is gone already. */
  claim: `
    WITH me AS (SELECT inc FROM ${s}.nodes WHERE inc = $2 AND state = 'alive' FOR KEY SHARE)
    INSERT INTO ${s}.sessions (key, lease) SELECT $1, 1 FROM me
    ON CONFLICT (key) DO UPDATE SET lease = sessions.lease + 1, owner = NULL, free = false
    RETURNING n, lease, version, xid::text AS xid, tasks, row, row IS NOT NULL AS stored`,
  ownSeq: `SELECT ${lastSeq(s, '$1', '0')} AS seq`,
  openTasks: `
    SELECT t.id, t.tape, t.status, t.lane, t.row, ${lastSeq(s, 't.session', 't.tape')} AS seq
    FROM ${s}.tasks t WHERE t.session = $1 AND t.status IN ${openStatuses} ORDER BY t.tape`,
  sessionEntries: `
    SELECT s.key, s.n, s.lease, s.version, s.xid::text AS xid, s.tasks, s.row IS NOT NULL AS stored, ${lastSeq(s, 's.n', '0')} AS seq
    FROM ${s}.sessions s WHERE s.key = ANY($1::text[])`,
  taskEntries: `
    SELECT t.id, t.session, t.tape, t.status, coalesce(t.seq, ${lastSeq(s, 't.session', 't.tape')}) AS seq
    FROM ${s}.tasks t WHERE t.id = ANY($1::text[])`,
  takenKeys: `
    SELECT t.source, t.idempotency_key, t.id FROM ${s}.tasks t
      JOIN unnest($1::text[], $2::text[]) AS k (source, key) ON t.source = k.source AND t.idempotency_key = k.key`,
  versions: `SELECT n, lease, owner, version, xid::text AS xid FROM ${s}.sessions WHERE n = ANY($1::bigint[])`,
  commit: commitOf(s, noLetters),
  /** A commit that takes letters out. */
  commitApplied: commitOf(s, lettersOf(s)),
});

/** Tasks and sessions, for readers. */
function listing(s: string) {
  const taskColumns = `
    t.n, t.id, s.key AS session, t.status, t.lane, t.reason, t.result, t.admitted_at, t.ended_at, t.row, t.payload,
    coalesce(t.seq, ${lastSeq(s, 't.session', 't.tape')}) AS seq`;
  const sessionColumns = `
    s.n, s.key, s.row, s.changed_at,
    (SELECT count(*) FROM ${s}.tasks t WHERE t.session = s.n AND t.status = 'queued') AS queued,
    (SELECT count(*) FROM ${s}.tasks t WHERE t.session = s.n AND t.status = 'running') AS running`;
  // A text of Postgres has no NUL.
  const payload = `replace(t.payload, '\\u0000', '\\ufffd')::json`;
  const tasksWhere = (where: string): string => `
    SELECT ${taskColumns} FROM ${s}.tasks t JOIN ${s}.sessions s ON s.n = t.session
    WHERE ${where} AND t.n < $1 AND ($3::text IS NULL OR t.lane = $3) AND ($4::text IS NULL OR t.source = $4)
    ORDER BY t.n DESC LIMIT $2`;
  return {
    openSessions: `
      SELECT n, key FROM ${s}.sessions WHERE n IN (
        (SELECT DISTINCT session FROM ${s}.tasks WHERE status IN ${openStatuses} AND session > $1 ORDER BY session LIMIT $2)
        UNION (SELECT n FROM ${s}.sessions WHERE parked AND n > $1 ORDER BY n LIMIT $2))
      ORDER BY n LIMIT $2`,
    task: `SELECT ${taskColumns} FROM ${s}.tasks t JOIN ${s}.sessions s ON s.n = t.session WHERE t.id = $1`,
    /** $1 before, $2 limit, $3 lane or null, $4 source or null; newest first. */
    tasks: tasksWhere('true'),
    /** As `tasks`, of one status ($5). */
    tasksByStatus: tasksWhere('t.status = $5'),
    /** As `tasksByStatus`, of one session ($6). */
    tasksByStatusAndSession: tasksWhere(`t.status = $5 AND t.session = (SELECT n FROM ${s}.sessions WHERE key = $6)`),
    /**
     * $1 before, $2 limit, $3 lane or null, $4 source or null, $5 session or null, $6 statuses or null, $7 text or null, $8 JSON object
     * of labels or null, $9 since or null, $10 until or null, $11 the first id and $12 the one behind the last, or both null.
     */
    searchTasks: tasksWhere(`
      ($5::text IS NULL OR s.key = $5) AND ($6::text[] IS NULL OR t.status = ANY($6))
      AND ($9::float8 IS NULL OR t.admitted_at >= $9) AND ($10::float8 IS NULL OR t.admitted_at < $10)
      AND ($11::text IS NULL OR (t.id >= $11 AND t.id < $12))
      AND ($7::text IS NULL OR position(lower($7 COLLATE "C") IN lower((${payload} ->> 'prompt') COLLATE "C")) > 0)
      AND ($8::text IS NULL OR NOT EXISTS (SELECT 1 FROM json_each_text($8::json) l
        WHERE ${payload} -> 'labels' ->> l.key IS DISTINCT FROM l.value))`),
    mergedTasks: `SELECT id FROM ${s}.tasks WHERE merged_into = $1 ORDER BY session, tape`,
    taskByKey: `SELECT id FROM ${s}.tasks WHERE source = $1 AND idempotency_key = $2`,
    /** All of it, oldest first, for an export. $1 after, $2 limit. */
    sessionsFrom: `SELECT n, key, row FROM ${s}.sessions WHERE row IS NOT NULL AND n > $1 ORDER BY n LIMIT $2`,
    tasksFrom: `
      SELECT ${taskColumns} FROM ${s}.tasks t JOIN ${s}.sessions s ON s.n = t.session WHERE t.n > $1 ORDER BY t.n LIMIT $2`,
    session: `SELECT ${sessionColumns} FROM ${s}.sessions s WHERE s.key = $1 AND s.row IS NOT NULL`,
    sessions: `
      SELECT ${sessionColumns} FROM ${s}.sessions s WHERE s.row IS NOT NULL AND s.n < $1 ORDER BY s.n DESC LIMIT $2`,
  };
}

/** Tapes and feeds. */
function reading(s: string) {
  /** Runs with an event after the position ($1 era, $2 xid, $3 number); $4 limit. A final comes out of the row of its task. */
  const feedOf = (where: string): string => `
    SELECT s.key AS session, t.id AS task, r.first_seq, r.last_seq, r.ends, r.era, r.xid::text AS xid, r.ord, r.events,
      CASE WHEN r.ends THEN t.ended_at END AS ended_at, CASE WHEN r.ends THEN t.result END AS result
    FROM ${s}.runs r JOIN ${s}.sessions s ON s.n = r.session
      LEFT JOIN ${s}.tasks t ON t.session = r.session AND t.tape = r.tape
    WHERE ${where} AND (r.era, r.xid, r.ord) >= ($1::integer, $2::xid8, 0)
      AND NOT (r.era = $1 AND r.xid = $2 AND r.ord + r.last_seq - r.first_seq <= $3)
    ORDER BY r.era, r.xid, r.ord LIMIT $4`;
  const feedEndOf = (where: string): string => `
    SELECT r.era, r.xid::text AS xid, r.ord + r.last_seq - r.first_seq AS ord FROM ${s}.runs r WHERE ${where}
    ORDER BY r.era DESC, r.xid DESC, r.ord DESC LIMIT 1`;
  /** No transaction that may still bring earlier runs is open. */
  const settled = `(r.era, r.xid, r.ord) < ((SELECT max(era) FROM ${s}.eras), pg_snapshot_xmin(pg_current_snapshot()), 0)`;
  return {
    /** The tape of a task: $1 session key, $2 task id. */
    tapeOfTask: `
      SELECT t.session, t.tape, t.ended_at, t.seq FROM ${s}.tasks t
      WHERE t.id = $2 AND t.session = (SELECT n FROM ${s}.sessions WHERE key = $1)`,
    tapeOfSession: `SELECT n AS session, 0 AS tape, NULL AS ended_at, NULL AS seq FROM ${s}.sessions WHERE key = $1`,
    /** $1 session, $2 tape, $3 after, $4 limit (of runs; each has at least one event). */
    tape: `
      SELECT first_seq, last_seq, ends, events FROM ${s}.runs
      WHERE session = $1 AND tape = $2 AND last_seq > $3 AND first_seq >= coalesce(
        (SELECT first_seq FROM ${s}.runs WHERE session = $1 AND tape = $2 AND first_seq <= $3 + 1 ORDER BY first_seq DESC LIMIT 1), 0)
      ORDER BY first_seq LIMIT $4`,
    final: `SELECT ended_at, result FROM ${s}.tasks WHERE session = $1 AND tape = $2`,
    feed: feedOf(settled),
    /** $5: session key. The commits of one session come one after the other, so none is missing behind a later one. */
    feedOfSession: feedOf(`r.session = (SELECT n FROM ${s}.sessions WHERE key = $5)`),
    feedEnd: feedEndOf(settled),
    feedEndOfSession: feedEndOf(`r.session = (SELECT n FROM ${s}.sessions WHERE key = $1)`),
    /** For a snapshot, in which every transaction that is not there never will be. */
    feedOfSnapshot: feedOf('true'),
    /** The newest, whether all before it is settled or not. */
    newest: feedEndOf('true'),
  };
}

/** Nodes. $1 is a node's number, $2 its beat. */
const joining = (s: string) => ({
  /** Waits for whoever else joins or buries, to the end of the transaction. Beats go on. */
  lockNodes: `LOCK TABLE ${s}.nodes IN SHARE UPDATE EXCLUSIVE MODE`,
  /** Also read before the migration that adds the last three. */
  aliveNodes: `
    SELECT inc, beat, host, pid, process, space, started, coalesce((to_jsonb(n) ->> 'shared')::boolean, false) AS shared,
      coalesce(to_jsonb(n) ->> 'name', '') AS name, (to_jsonb(n) ->> 'ttl_ms')::double precision AS ttl_ms
    FROM ${s}.nodes n WHERE state IN ('alive', 'draining') ORDER BY inc`,
  join: `INSERT INTO ${s}.nodes (host, pid, process, space, started) VALUES ($1, $2, $3, $4, $5) RETURNING inc`,
  beat: `UPDATE ${s}.nodes SET beat = beat + 1 WHERE inc = $1 AND state = 'alive' RETURNING beat`,
  leave: `UPDATE ${s}.nodes SET state = 'left' WHERE inc = $1 AND state = 'alive'`,
});

/** Processes, tokens, figures, the server. */
const keeping = (s: string) => ({
  look: `
    SELECT pg_snapshot_xmin(now)::text AS oldest, pg_snapshot_xmax(now)::text AS next,
      current_setting('server_version') AS server, pg_is_in_recovery() AS standby,
      current_setting('synchronous_commit') <> 'off' AND current_setting('fsync') = 'on' AS durable
    FROM pg_current_snapshot() AS now`,
  /** Writes what is there already. */
  touch: `
    UPDATE ${s}.eras SET system_identifier = system_identifier WHERE era = (SELECT max(era) FROM ${s}.eras)`,
  /** Of a daemon that has the schema for itself. */
  recordProcess: `
    INSERT INTO ${s}.processes (pid, start_time, session, incarnation, cookie) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (pid, start_time) DO UPDATE SET session = $3, incarnation = $4, cookie = $5`,
  /** $1 space. */
  processes: `
    SELECT pid, start_time, session, incarnation, cookie FROM ${s}.processes
    UNION ALL
    SELECT p.pid, p.start_time, p.session, p.incarnation, p.cookie FROM ${s}.node_processes p
    WHERE p.space = $1 AND NOT EXISTS (SELECT FROM ${s}.nodes o WHERE o.inc = p.inc AND o.state IN ('alive', 'draining'))
    ORDER BY pid, start_time`,
  addToken: `
    INSERT INTO ${s}.tokens (name, digest, scopes, sessions, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (name) DO NOTHING RETURNING name`,
  removeToken: `DELETE FROM ${s}.tokens WHERE name = $1 RETURNING name`,
  tokens: `SELECT name, digest, scopes, sessions, made_at, expires_at FROM ${s}.tokens ORDER BY name`,
  totals: `
    SELECT ${figures.map((figure) => `coalesce(sum(${figure}), 0)::bigint AS ${figure}`).join(', ')},
      (SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind = 'r') AS bytes
    FROM ${s}.totals`,
});

/**
 * One statement is one commit: the fence, what it fences, and the figures. A session whose row is not what its owner
 * knows is not written at all, and not answered.
 *
 * $1 admitted tasks, $2 changed tasks, $3 runs, as JSON. $4 era, $5 part of the totals. Of the sessions: $6 number, $7 lease, $8 version,
 * $9 row or null, $10 parked or null, $11 changed at or null, $12 tasks so far. $13 owner, from $14 on, of the sessions, by what each of the
 * figures changes.
 */
const commitOf = (s: string, letters: Letters): string => `
  WITH ${letters.before} fence AS (
    UPDATE ${s}.sessions AS s SET
      version = s.version + 1, xid = pg_current_xact_id(), tasks = g.tasks,
      row = coalesce(g.row, s.row), parked = coalesce(g.parked, s.parked), changed_at = coalesce(g.changed_at, s.changed_at)
    FROM unnest($6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::boolean[], $11::double precision[], $12::integer[],
        ${figures.map((_, at) => `$${14 + at}::bigint[]`).join(', ')})
      AS g (n, lease, version, row, parked, changed_at, tasks, ${added.join(', ')}) ${letters.join}
    WHERE s.n = g.n AND s.lease = g.lease AND s.version = g.version AND s.owner IS NOT DISTINCT FROM $13::bigint ${letters.where}
    RETURNING s.n, s.xid, ${added.map((figure) => `g.${figure}`).join(', ')}
  ), admitted AS (
    INSERT INTO ${s}.tasks (session, tape, id, status, lane, admitted_at, ended_at, seq, reason, source, idempotency_key, merged_into,
      row, payload, result)
    SELECT a.session, a.tape, a.id, a.status, a.lane, a.admitted_at, a.ended_at, a.seq, a.reason, a.source, a.idempotency_key,
      a.merged_into, a.row, a.payload, a.result
    FROM fence JOIN ROWS FROM (json_to_recordset($1::json) AS (session bigint, tape integer, id text, status text, lane text,
      admitted_at double precision, ended_at double precision, seq integer, reason text, source text, idempotency_key text,
      merged_into text, row text, payload text, result text)) WITH ORDINALITY AS a ON a.session = fence.n
    ORDER BY a.ordinality
  ), changed AS (
    UPDATE ${s}.tasks AS t SET
      status = c.status, lane = coalesce(c.lane, t.lane), row = coalesce(c.row, t.row), payload = coalesce(c.payload, t.payload),
      merged_into = CASE WHEN c.row IS NULL THEN t.merged_into ELSE c.merged_into END,
      ended_at = c.ended_at, seq = c.seq, reason = c.reason, result = c.result
    FROM fence JOIN json_to_recordset($2::json) AS c (session bigint, tape integer, status text, lane text, row text, payload text,
      merged_into text, ended_at double precision, seq integer, reason text, result text) ON c.session = fence.n
    WHERE t.session = c.session AND t.tape = c.tape AND t.ended_at IS NULL
  ), runs AS (
    INSERT INTO ${s}.runs (session, tape, first_seq, last_seq, ends, era, xid, ord, events)
    SELECT r.session, r.tape, r.first_seq, r.last_seq, r.ends, $4::integer, fence.xid, r.ord, r.events
    FROM fence JOIN json_to_recordset($3::json) AS r (session bigint, tape integer, first_seq integer, last_seq integer, ends boolean,
      ord integer, events text) ON r.session = fence.n
  ), totals AS (
    INSERT INTO ${s}.totals AS t (part, ${figures.join(', ')})
    SELECT $5::bigint, ${added.map((figure) => `coalesce(sum(${figure}), 0)::bigint`).join(', ')}
    FROM fence HAVING count(*) > 0
    ON CONFLICT (part) DO UPDATE SET ${figures.map((figure) => `${figure} = t.${figure} + excluded.${figure}`).join(', ')}
  )
  ${letters.after} SELECT n, xid::text AS xid ${letters.select} FROM fence ${letters.last}`;

/** What a commit that takes letters out has more. */
interface Letters {
  /** Tables before the fence, and after all others. */
  readonly before: string;
  readonly after: string;
  /** Of the fence. */
  readonly join: string;
  readonly where: string;
  /** Of the answer. */
  readonly select: string;
  readonly last: string;
}

const noLetters: Letters = { before: '', after: '', join: '', where: '', select: '', last: '' };

/** After the figures: ids, sessions, senders, replies, channel, payload. */
const [ids, sessions, senders, replies, channel, told] = [14, 15, 16, 17, 18, 19].map(
  (at) => `$${at + figures.length}`,
);

/**
 * The letters that are there are locked first. A session that lacks one of its own is not written; what it has locked is free with the
 * transaction. The count stands in a join: a session's row that has changed in the meantime is judged anew, and a join keeps what it had.
 */
const lettersOf = (s: string): Letters => ({
  before: `
    given AS (
      SELECT * FROM unnest(${ids}::text[], ${sessions}::bigint[], ${senders}::bigint[], ${replies}::text[]) AS l (id, session, from_inc, reply)
    ), there AS (
      SELECT l.id FROM ${s}.letters l JOIN given ON l.id = given.id AND l.session = given.session ORDER BY l.n FOR UPDATE OF l
    ), counted AS (
      SELECT given.session, count(*) = count(there.id) AS complete FROM given LEFT JOIN there ON there.id = given.id GROUP BY given.session
    ),`,
  join: 'LEFT JOIN counted ON counted.session = g.n',
  where: 'AND counted.complete IS NOT FALSE',
  after: `, taken AS (
      DELETE FROM ${s}.letters l USING given, fence WHERE l.id = given.id AND l.session = given.session AND given.session = fence.n
    ), replied AS (
      INSERT INTO ${s}.replies (id, to_inc, reply) SELECT given.id, given.from_inc, given.reply
      FROM given JOIN fence ON fence.n = given.session
      ON CONFLICT (id) DO NOTHING
    )`,
  select: ', told',
  last: `
    LEFT JOIN (
      SELECT count(pg_notify(${channel}::text || from_inc, ${told})) AS told
      FROM (SELECT DISTINCT given.from_inc FROM given JOIN fence ON fence.n = given.session) AS called
      WHERE from_inc IS DISTINCT FROM $13::bigint
    ) AS notified ON true`,
});
