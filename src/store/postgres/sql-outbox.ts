/** The statements of the outbox. Each is one transaction. */

const columns = `
  n, id, door, address, scope, session, task, seq, type, at, data, state, version, attempts, since, begun_at, not_before, held_until,
  reference, problem, changed_at`;

const fields =
  'id text, door text, address text, scope text, session text, task text, seq integer, type text, at double precision, data text';
const saved = `${fields}, state text, version integer, attempts integer, since double precision, begun_at double precision,
  not_before double precision, held_until double precision, paused_until double precision, reference text, problem text,
  changed_at double precision`;
const namesOf = (columns: string): string => columns.replaceAll(/ (?:text|integer|double precision)/g, '');
const given = namesOf(fields);

const up = "('alive', 'draining')";

/** Adds the rows of a JSON list, in its order, where `from` has a row. */
const addOf = (s: string, list: string, from: string): string => `
  INSERT INTO ${s}.outbox (${given}, since, not_before, changed_at)
  SELECT ${given}, at, at, at
  FROM (SELECT FROM ${from} LIMIT 1) AS go CROSS JOIN ROWS FROM (json_to_recordset(${list}::json) AS (${fields})) WITH ORDINALITY AS g
  ORDER BY ordinality
  ON CONFLICT (id) DO NOTHING`;

/** Changes rows; what it returns is all of the new ones. */
const changeOf = (s: string, set: string, where: string): string => `
  UPDATE ${s}.outbox AS o SET version = o.version + 1, ${set} WHERE ${where} RETURNING ${columns}`;

/** Exports and imports. */
const copying = (s: string) => ({
  /** $1 JSON list of rows of another store, in their order. */
  restoreMessages: `
    INSERT INTO ${s}.outbox (${namesOf(saved)})
    SELECT ${namesOf(saved)} FROM ROWS FROM (json_to_recordset($1::json) AS (${saved})) WITH ORDINALITY AS g ORDER BY ordinality
    ON CONFLICT (id) DO NOTHING`,
  /** All of it, oldest first, for an export. $1 after, $2 limit. */
  messagesFrom: `SELECT ${columns}, paused_until FROM ${s}.outbox WHERE n > $1 ORDER BY n LIMIT $2`,
  consumers: `SELECT name, position FROM ${s}.outbox_consumers ORDER BY name`,
});

export const outbox = (s: string) => ({
  ...copying(s),
  /** $1 name, $2 position. */
  startConsumer: `
    WITH made AS (
      INSERT INTO ${s}.outbox_consumers (name, position) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING position
    )
    SELECT position FROM made UNION ALL SELECT position FROM ${s}.outbox_consumers WHERE name = $1`,
  /** $1 name, $2 from, $3 to, $4 JSON list of rows. */
  advanceConsumer: `
    WITH moved AS (
      UPDATE ${s}.outbox_consumers SET position = $3 WHERE name = $1 AND position = $2 RETURNING name
    ), added AS (${addOf(s, '$4', 'moved')})
    SELECT name FROM moved`,
  /** $1 doors, $2 now, $3 limit. */
  dueMessages: `
    SELECT ${columns} FROM ${s}.outbox o
    WHERE ((o.state = 'due' AND o.not_before <= $2) OR (o.state = 'unclear' AND o.held_until <= $2)) AND o.door = ANY($1::text[])
      AND NOT EXISTS (SELECT FROM ${s}.outbox h WHERE h.address = o.address AND h.held_until IS NOT NULL AND h.n <> o.n)
      AND NOT EXISTS (SELECT FROM ${s}.outbox h WHERE h.address = o.address AND h.state = 'due' AND h.n < o.n)
      AND NOT EXISTS (SELECT FROM ${s}.outbox p WHERE p.scope = o.scope AND p.paused_until > $2)
    ORDER BY coalesce(o.held_until, o.not_before), o.n LIMIT $3`,
  /** $1 doors, $2 now. */
  nextMessage: `
    SELECT min(time) AS time FROM (
      SELECT not_before AS time, door FROM ${s}.outbox WHERE state = 'due' AND not_before > $2
      UNION ALL SELECT held_until, door FROM ${s}.outbox WHERE state = 'unclear' AND held_until > $2
      UNION ALL SELECT paused_until, door FROM ${s}.outbox WHERE paused_until > $2
    ) AS times WHERE door = ANY($1::text[])`,
  /** $1 id, $2 version, $3 at, $4 held until, $5 node. */
  beginMessage: changeOf(
    s,
    "state = 'sending', attempts = o.attempts + 1, begun_at = $3, held_until = $4, owner = $5, changed_at = $3",
    `o.id = $1 AND o.version = $2 AND o.state = 'due' AND EXISTS (SELECT FROM ${s}.nodes m WHERE m.inc = $5 AND m.state IN ${up})
      AND NOT EXISTS (SELECT FROM ${s}.outbox h WHERE h.address = o.address AND h.held_until IS NOT NULL)`,
  ),
  /** $1 id, $2 version, $3 state, $4 at, $5 not before or null, $6 held until, $7 paused until, $8 reference, $9 problem, $10 JSON list. */
  settleMessage: `
    WITH settled AS (${changeOf(
      s,
      `state = $3, changed_at = $4, not_before = coalesce($5::double precision, o.not_before), held_until = $6, paused_until = $7,
        reference = $8, problem = $9`,
      "o.id = $1 AND o.version = $2 AND o.state IN ('due', 'sending', 'unclear')",
    )}), added AS (${addOf(s, '$10', 'settled')})
    SELECT * FROM settled`,
  /** $1 at, $2 problem. */
  recoverMessages: changeOf(
    s,
    "state = 'unclear', changed_at = $1, problem = $2",
    `o.state = 'sending' AND NOT EXISTS (SELECT FROM ${s}.nodes m WHERE m.inc = o.owner AND m.state IN ${up})`,
  ),
  /** $1 before, $2 at, $3 problem. */
  expireMessages: changeOf(
    s,
    "state = 'expired', changed_at = $2, problem = coalesce(o.problem, $3)",
    "o.state = 'due' AND o.since < $1",
  ),
  /** $1 id, $2 at. */
  resendMessage: changeOf(
    s,
    "state = 'due', changed_at = $2, since = $2, not_before = $2, held_until = NULL",
    "o.id = $1 AND o.state IN ('unclear', 'failed', 'expired', 'dropped')",
  ),
  /** $1 id, $2 at. */
  dropMessage: changeOf(
    s,
    "state = 'dropped', changed_at = $2, held_until = NULL",
    "o.id = $1 AND o.state IN ('due', 'unclear', 'failed', 'expired')",
  ),
  message: `SELECT ${columns} FROM ${s}.outbox WHERE id = $1`,
  /** $1 before, $2 limit, $3 states or null, $4 session or null. */
  messages: `
    SELECT ${columns} FROM ${s}.outbox
    WHERE n < $1 AND ($3::text[] IS NULL OR state = ANY($3)) AND ($4::text IS NULL OR session = $4) ORDER BY n DESC LIMIT $2`,
  messageFigures: `SELECT state, count(*) AS count FROM ${s}.outbox GROUP BY state`,
  oldestDue: `SELECT min(since) AS since FROM ${s}.outbox WHERE state = 'due'`,
  /** $1 before, $2 limit. */
  pruneMessages: `
    DELETE FROM ${s}.outbox WHERE n IN (
      SELECT n FROM ${s}.outbox WHERE state IN ('posted', 'failed', 'expired', 'dropped') AND changed_at < $1 ORDER BY n LIMIT $2
    ) RETURNING n`,
});
