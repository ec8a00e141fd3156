/**
 * The statements of nodes that share a schema. $1 is this node's number, where nothing else is said.
 *
 * The table says `alive` where the port says `up`: daemons of before look for that word. A session is free when it has no owner, or when its
 * owner has left or is dead, which never changes. That a node is not in the table proves nothing: it may have joined a moment ago.
 */
import { isEra, isSettled, ofEra } from './sql-eras.ts';

const up = "('alive', 'draining')";
const gone = "('left', 'dead')";
const open = "('queued', 'running')";

const isUp = (s: string, inc: string): string =>
  `EXISTS (SELECT FROM ${s}.nodes o WHERE o.inc = ${inc} AND o.state IN ${up})`;
/** Of the session `s`. A scalar: of an EXISTS the planner makes a hash of all that is open. */
const isWaiting = (s: string): string =>
  `(s.parked OR coalesce((SELECT true FROM ${s}.tasks t WHERE t.session = s.n AND t.status IN ${open} LIMIT 1), false))`;
const isFree = (s: string, owner: string): string =>
  `(${owner} IS NULL OR EXISTS (SELECT FROM ${s}.nodes o WHERE o.inc = ${owner} AND o.state IN ${gone}))`;

/** As above, or a letter is there for it. */
const hasWork = (s: string): string => `(
  ${isWaiting(s)} OR EXISTS (SELECT FROM ${s}.letters l WHERE l.session = s.n)
)`;

/** $1 node, $2 its beat. Waits for claims, which hold its row, and compares the beat after that. */
const dead = (s: string, also: string): string => `
    WITH held AS (SELECT inc FROM ${s}.nodes WHERE inc = $1 AND beat = $2 AND state IN ${up} AND ${also} FOR UPDATE)
    UPDATE ${s}.nodes AS n SET state = 'dead' FROM held WHERE n.inc = held.inc RETURNING n.inc`;

/** Nodes that are gone and still own sessions. Owners are found by one step in the index for each. */
const goneOwners = (s: string): string => `
    WITH RECURSIVE owners (inc) AS (
      SELECT min(s.owner) FROM ${s}.sessions s WHERE s.owner IS NOT NULL
      UNION ALL SELECT (SELECT min(s.owner) FROM ${s}.sessions s WHERE s.owner > o.inc) FROM owners o WHERE o.inc IS NOT NULL
    ), gone AS MATERIALIZED (
      SELECT o.inc FROM owners o JOIN ${s}.nodes n ON n.inc = o.inc WHERE n.state IN ${gone}
    )`;

/** Who they are. */
const members = (s: string) => ({
  /** $1 number, $2 host, $3 pid, $4 process, $5 space, $6 started, $7 name, $8 version, $9 address, $10 time-to-live, $11 labels. */
  joinShared: `
    INSERT INTO ${s}.nodes (inc, host, pid, process, space, started, name, version, address, ttl_ms, labels, shared)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, true)`,
  /** $2 agents, $3 at most, $4 address, $5 starts that wait, $6 idle agents, $7 the era that is settled by now, or null. */
  renew: `
    WITH settling AS (
      UPDATE ${s}.eras SET settled = true WHERE token = $7 AND started = pg_postmaster_start_time() AND NOT settled
    )
    UPDATE ${s}.nodes AS n SET beat = n.beat + 1, agents = $2, max_agents = $3, address = $4, waiting = $5, idle = $6
    FROM ${ofEra(s)} WHERE n.inc = $1 AND n.state IN ${up} RETURNING n.state, e.*`,
  /** Those that are up or draining, by name. A row without a node: there is none. */
  nodes: `
    SELECT e.token, e.now, n.inc, coalesce(n.name, 'the daemon with pid ' || n.pid || ' on ' || n.host) AS name, n.host, n.pid,
      coalesce(n.version, '') AS version, n.address, n.ttl_ms, n.state, n.beat, n.agents, n.max_agents, n.waiting, n.idle, n.labels
    FROM ${ofEra(s)} LEFT JOIN ${s}.nodes n ON n.state IN ${up} ORDER BY 4`,
  sessionCounts: `SELECT s.owner, count(*) AS sessions FROM ${s}.sessions s WHERE s.owner IS NOT NULL GROUP BY s.owner`,
  /** $1 node, $2 its beat. For a node whose process is gone, or beside a daemon that has the schema for itself. */
  buryNode: dead(s, 'true'),
  /** $3 the era in which the beat was seen. */
  declareNodeDead: dead(s, isEra(s, '$3')),
  /** $1 node, $2 state. */
  drain: `UPDATE ${s}.nodes SET state = $2 WHERE inc = $1 AND state IN ${up} RETURNING inc`,
  leaveShared: `UPDATE ${s}.nodes SET state = 'left' WHERE inc = $1 AND state IN ${up} RETURNING inc`,
  /** $1 channel, $2 payload. */
  notify: 'SELECT pg_notify($1, $2)',
});

/** Whose a session is. */
const owners = (s: string) => ({
  /**
   * $1 key, $2 node. Its row is held until the claim is there, so that it is not declared dead before. Nothing for a node that is not up, or
   * when another one has the session: `holder` says which. None claims before the era is settled, also not what it owns: it may have given
   * that away in what is lost.
   */
  claimShared: `
    WITH me AS (SELECT inc, state FROM ${s}.nodes WHERE inc = $2 AND state IN ${up} AND ${isSettled(s)} FOR KEY SHARE)
    INSERT INTO ${s}.sessions AS s (key, lease, owner)
    SELECT $1, 1, me.inc FROM me
    WHERE me.state = 'alive' OR EXISTS (SELECT FROM ${s}.sessions own WHERE own.key = $1 AND own.owner = me.inc)
    ON CONFLICT (key) DO UPDATE SET lease = s.lease + 1, owner = excluded.owner, free = false
    WHERE s.owner = excluded.owner OR ((SELECT state FROM me) = 'alive' AND ${isFree(s, 's.owner')})
    RETURNING s.n, s.lease, s.version, s.xid::text AS xid, s.tasks, s.row, s.row IS NOT NULL AS stored`,
  /** $1 key, $2 node. */
  holder: `
    SELECT me.state, me.name, ${isSettled(s)} AS settled, o.inc AS other, o.name AS other_name
    FROM ${s}.nodes me LEFT JOIN ${s}.sessions s ON s.key = $1
      LEFT JOIN ${s}.nodes o ON o.inc = s.owner AND o.inc <> me.inc AND o.state IN ${up}
    WHERE me.inc = $2`,
  /** $2 keys, $3 leases, $4 channel, $5 payload. */
  release: `
    WITH freed AS (
      UPDATE ${s}.sessions AS s SET owner = NULL, free = ${isWaiting(s)} FROM unnest($2::text[], $3::bigint[]) AS g (key, lease)
      WHERE s.key = g.key AND s.lease = g.lease AND s.owner = $1 RETURNING s.n
    )
    SELECT pg_notify($4, $5) FROM freed LIMIT 1`,
  /** $2 keys, $3 leases, $4 versions. */
  lost: `
    SELECT g.key FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS g (key, lease, version)
      LEFT JOIN ${s}.sessions s ON s.key = g.key AND s.lease = g.lease AND s.owner = $1 AND s.version >= g.version
    WHERE s.n IS NULL`,
  owned: `SELECT s.key FROM ${s}.sessions s WHERE s.owner = $1 AND ${hasWork(s)}`,
  /** $1 limit. Begins with what waits for a node, with owners that are gone, and with letters: what living nodes own, and what has ended, is not read. */
  orphans: `
    ${goneOwners(s)}
    (SELECT s.key FROM ${s}.sessions s WHERE s.free AND s.owner IS NULL LIMIT $1)
    UNION (
      SELECT found.key FROM gone, LATERAL (
        SELECT s.key FROM ${s}.sessions s WHERE s.owner = gone.inc AND ${isWaiting(s)} LIMIT $1
      ) AS found LIMIT $1)
    UNION (
      SELECT s.key FROM ${s}.letters l JOIN ${s}.sessions s ON s.n = l.session WHERE ${isFree(s, 's.owner')} LIMIT $1)
    LIMIT $1`,
  /** $1 limit. What a daemon left that has had the schema for itself, or a node of the version before. Once a minute it reads what is open. */
  markFree: `
    WITH waiting AS MATERIALIZED (
      SELECT session AS n FROM ${s}.tasks WHERE status = 'queued'
      UNION SELECT session FROM ${s}.tasks WHERE status = 'running'
      UNION SELECT n FROM ${s}.sessions WHERE parked
    ), found AS MATERIALIZED (
      SELECT s.n FROM waiting, LATERAL (
        SELECT s.n FROM ${s}.sessions s WHERE s.n = waiting.n AND s.owner IS NULL AND NOT s.free FOR UPDATE SKIP LOCKED
      ) AS s LIMIT $1
    )
    UPDATE ${s}.sessions s SET free = true FROM found WHERE s.n = found.n RETURNING s.n`,
  /** $1 limit. Idle sessions of nodes that are gone: the look for orphans would read them each time. */
  freeIdle: `
    ${goneOwners(s)}, found AS MATERIALIZED (
      SELECT s.n FROM gone, LATERAL (
        SELECT s.n FROM ${s}.sessions s WHERE s.owner = gone.inc AND NOT ${isWaiting(s)} FOR UPDATE SKIP LOCKED
      ) AS s LIMIT $1
    )
    UPDATE ${s}.sessions s SET owner = NULL FROM found WHERE s.n = found.n RETURNING s.n`,
});

/** What they write to each other. */
const mail = (s: string) => ({
  /**
   * $2 ids, $3 senders, $4 session keys, $5 nodes, $6 bodies, $7 channel, $8 payload. A letter that is there or has its reply is not sent again.
   * A session that another one makes at this moment is changed by nothing, so that its number is known.
   */
  send: `
    WITH given AS (
      SELECT * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[])
        WITH ORDINALITY AS g (id, from_inc, key, to_inc, body, ord)
    ), known AS (
      SELECT s.key, s.n, s.owner FROM ${s}.sessions s WHERE s.key IN (SELECT key FROM given)
    ), made AS (
      INSERT INTO ${s}.sessions AS s (key, lease)
      SELECT DISTINCT g.key, 0 FROM given g WHERE g.key IS NOT NULL AND NOT EXISTS (SELECT FROM known k WHERE k.key = g.key)
      ON CONFLICT (key) DO UPDATE SET lease = s.lease
      RETURNING s.key, s.n, s.owner
    ), target AS (
      SELECT * FROM known UNION ALL SELECT * FROM made
    ), sent AS (
      INSERT INTO ${s}.letters (id, from_inc, session, to_inc, body)
      SELECT g.id, g.from_inc, t.n, g.to_inc, g.body FROM given g LEFT JOIN target t ON t.key = g.key
      WHERE NOT EXISTS (SELECT FROM ${s}.letters l WHERE l.id = g.id) AND NOT EXISTS (SELECT FROM ${s}.replies r WHERE r.id = g.id)
      ORDER BY g.ord
      ON CONFLICT (id) DO NOTHING
      RETURNING session, to_inc
    ), called AS (
      SELECT DISTINCT coalesce(o.inc::text, 'all') AS who FROM sent LEFT JOIN target t ON t.n = sent.session
        LEFT JOIN ${s}.nodes o ON o.inc = coalesce(sent.to_inc, t.owner) AND o.state IN ${up}
      WHERE o.inc IS DISTINCT FROM $1::bigint
    )
    SELECT pg_notify($7::text || who, $8) FROM called`,
  /** $2 limit. */
  receive: `
    SELECT l.n, l.id, l.from_inc, l.to_inc, NULL AS key, l.body FROM ${s}.letters l WHERE l.to_inc = $1
    UNION ALL
    SELECT l.n, l.id, l.from_inc, NULL, s.key, l.body FROM ${s}.letters l JOIN ${s}.sessions s ON s.n = l.session WHERE s.owner = $1
    ORDER BY n LIMIT $2`,
  /** $2 ids, $3 senders, $4 replies, $5 channel, $6 payload. */
  answer: `
    WITH given AS (
      SELECT * FROM unnest($2::text[], $3::bigint[], $4::text[]) AS g (id, from_inc, reply)
    ), taken AS (
      DELETE FROM ${s}.letters l USING given g WHERE l.id = g.id RETURNING l.id
    ), replied AS (
      INSERT INTO ${s}.replies (id, to_inc, reply) SELECT g.id, g.from_inc, g.reply FROM given g JOIN taken t ON t.id = g.id
      ON CONFLICT (id) DO NOTHING
      RETURNING to_inc
    )
    SELECT pg_notify($5::text || to_inc, $6) FROM (SELECT DISTINCT to_inc FROM replied) AS called WHERE to_inc <> $1`,
  /** $1 ids. */
  replies: `SELECT id, reply FROM ${s}.replies WHERE id = ANY($1::text[])`,
  /** $1 ids. */
  takeReplies: `DELETE FROM ${s}.replies WHERE id = ANY($1::text[])`,
  /** $1 ids. */
  withdraw: `DELETE FROM ${s}.letters WHERE id = ANY($1::text[]) RETURNING id`,
  /** $1 ids: those of letters that are there, or have been answered. */
  lettersAndReplies: `
    SELECT id, true AS waits FROM ${s}.letters WHERE id = ANY($1::text[])
    UNION ALL SELECT id, false FROM ${s}.replies WHERE id = ANY($1::text[])`,
  /** $1 ids, $2 sessions. */
  lettersThere: `
    SELECT l.id FROM ${s}.letters l JOIN unnest($1::text[], $2::bigint[]) AS g (id, session) ON l.id = g.id AND l.session = g.session`,
  sweep: `
    WITH swept AS (
      DELETE FROM ${s}.replies WHERE at < now() - interval '10 minutes'
    )
    DELETE FROM ${s}.letters WHERE session IS NULL AND NOT (${isUp(s, 'to_inc')} AND ${isUp(s, 'from_inc')})`,
});

/** What they know of providers. The clock of the server alone is read. */
const providers = (s: string) => ({
  throttles: `
    SELECT provider, version, state, extract(epoch FROM clock_timestamp() - at)::float8 * 1000 AS age_ms FROM ${s}.throttles`,
  /** $1 provider, $2 version that was seen, $3 state. */
  putThrottle: `
    INSERT INTO ${s}.throttles AS t (provider, version, state)
    SELECT $1, $2::bigint + 1, $3 WHERE $2::bigint = 0 OR EXISTS (SELECT FROM ${s}.throttles known WHERE known.provider = $1)
    ON CONFLICT (provider) DO UPDATE SET version = t.version + 1, at = clock_timestamp(), state = excluded.state
    WHERE t.version = $2::bigint
    RETURNING version`,
});

/** The conversations of agents. */
const conversations = (s: string) => ({
  /** $1 key. */
  conversation: `
    SELECT c.conversation, c.node, c.place, c.open, c.turn, c.files, c.lack
    FROM ${s}.conversations c JOIN ${s}.sessions s ON s.n = c.session WHERE s.key = $1`,
  /** $1 key, $2 lease, $3 node, $4 conversation, $5 name of the node, $6 open, $7 turn, $8 files, $9 lack, $10: what is kept of it stays, $11 place. */
  keepConversation: `
    INSERT INTO ${s}.conversations AS c (session, conversation, node, place, open, turn, files, lack)
    SELECT s.n, $4, $5, $11, $6::boolean, $7::bigint, $8, $9 FROM ${s}.sessions s
    WHERE s.key = $1 AND s.lease = $2::bigint AND s.owner = $3::bigint
    ON CONFLICT (session) DO UPDATE SET conversation = excluded.conversation, node = excluded.node, place = excluded.place,
      open = excluded.open,
      turn = CASE WHEN $10::boolean AND c.conversation = excluded.conversation THEN c.turn ELSE excluded.turn END,
      files = CASE WHEN $10::boolean AND c.conversation = excluded.conversation THEN c.files ELSE excluded.files END,
      lack = CASE WHEN $10::boolean AND c.conversation = excluded.conversation THEN c.lack ELSE excluded.lack END
    RETURNING session`,
});

/** Agent processes. */
const agents = (s: string) => ({
  /** $1 space, $2 pid, $3 start time, $4 node, $5 session, $6 incarnation, $7 cookie. */
  recordNodeProcess: `
    INSERT INTO ${s}.node_processes (space, pid, start_time, inc, session, incarnation, cookie) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (space, pid, start_time) DO UPDATE SET inc = $4, session = $5, incarnation = $6, cookie = $7`,
  /** $1 pid, $2 start time, $3 space. */
  forgetNodeProcess: `
    WITH own AS (DELETE FROM ${s}.processes WHERE pid = $1 AND start_time = $2)
    DELETE FROM ${s}.node_processes WHERE pid = $1 AND start_time = $2 AND space = $3`,
});

export const sharing = (s: string) => ({
  ...members(s),
  ...owners(s),
  ...mail(s),
  ...providers(s),
  ...conversations(s),
  ...agents(s),
});
