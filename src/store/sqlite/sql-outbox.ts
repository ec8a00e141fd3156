/** The statements of the outbox. */

const columns = `
  n, id, door, address, scope, session, task, seq, type, at, data, state, version, attempts, since, begun_at, not_before, held_until,
  reference, problem, changed_at`;

export const consumer = 'SELECT position FROM outbox_consumers WHERE name = ?1';
export const newConsumer = 'INSERT INTO outbox_consumers (name, position) VALUES (?1, ?2)';
/** ?2 from, ?3 to. */
export const advance = 'UPDATE outbox_consumers SET position = ?3 WHERE name = ?1 AND position = ?2';
export const add = `
  INSERT INTO outbox (id, door, address, scope, session, task, seq, type, at, data, since, not_before, changed_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9, ?9, ?9)
  ON CONFLICT (id) DO NOTHING`;

/** A row of another store. */
export const restore = `
  INSERT INTO outbox (id, door, address, scope, session, task, seq, type, at, data, state, version, attempts, since, begun_at,
    not_before, held_until, paused_until, reference, problem, changed_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
  ON CONFLICT (id) DO NOTHING`;

/** Of two parts, each by its index. ?1 JSON list of doors, ?2 now, ?3 limit. */
const dueOf = (index: string, state: string, time: string): string => `
  SELECT o.*, ${time} AS time FROM outbox o INDEXED BY ${index}
  WHERE ${state} AND ${time} <= ?2 AND o.door IN (SELECT value FROM json_each(?1))
    AND NOT EXISTS (SELECT 1 FROM outbox h WHERE h.address = o.address AND h.held_until IS NOT NULL AND h.n <> o.n)
    AND NOT EXISTS (SELECT 1 FROM outbox h WHERE h.address = o.address AND h.state = 'due' AND h.n < o.n)
    AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.scope = o.scope AND p.paused_until > ?2)`;
const held = "o.state = 'unclear' AND o.held_until IS NOT NULL";
export const due = `
  SELECT ${columns} FROM (
    ${dueOf('outbox_times', "o.state = 'due'", 'o.not_before')} UNION ALL ${dueOf('outbox_states', held, 'o.held_until')})
  ORDER BY time, n LIMIT ?3`;
/** ?1 JSON list of doors, ?2 now. */
export const nextTime = `
  SELECT min(time) AS time FROM (
    SELECT not_before AS time, door FROM outbox WHERE state = 'due' AND not_before > ?2
    UNION ALL SELECT held_until, door FROM outbox WHERE state = 'unclear' AND held_until > ?2
    UNION ALL SELECT paused_until, door FROM outbox WHERE paused_until > ?2)
  WHERE door IN (SELECT value FROM json_each(?1))`;

/** ?2 version, ?3 at, ?4 held until, ?5 owner. */
export const begin = `
  UPDATE outbox SET state = 'sending', version = version + 1, attempts = attempts + 1, begun_at = ?3, held_until = ?4, owner = ?5,
    changed_at = ?3
  WHERE id = ?1 AND version = ?2 AND state = 'due'
    AND NOT EXISTS (SELECT 1 FROM outbox h WHERE h.address = outbox.address AND h.held_until IS NOT NULL)
  RETURNING ${columns}`;
/** ?2 version, ?3 state, ?4 at, ?5 not before or null, ?6 held until, ?7 paused until, ?8 reference, ?9 problem. */
export const settle = `
  UPDATE outbox SET state = ?3, version = version + 1, changed_at = ?4, not_before = coalesce(?5, not_before), held_until = ?6,
    paused_until = ?7, reference = ?8, problem = ?9
  WHERE id = ?1 AND version = ?2 AND state IN ('due', 'sending', 'unclear')
  RETURNING ${columns}`;
/** ?1 owner, ?2 at, ?3 problem. */
export const recover = `
  UPDATE outbox SET state = 'unclear', version = version + 1, changed_at = ?2, problem = ?3
  WHERE state = 'sending' AND owner IS NOT ?1`;
/** ?1 before, ?2 at, ?3 problem. */
export const expire = `
  UPDATE outbox SET state = 'expired', version = version + 1, changed_at = ?2, problem = coalesce(problem, ?3)
  WHERE state = 'due' AND since < ?1`;
/** ?2 at. */
export const resend = `
  UPDATE outbox SET state = 'due', version = version + 1, changed_at = ?2, since = ?2, not_before = ?2, held_until = NULL
  WHERE id = ?1 AND state IN ('unclear', 'failed', 'expired', 'dropped')
  RETURNING ${columns}`;
/** ?2 at. */
export const drop = `
  UPDATE outbox SET state = 'dropped', version = version + 1, changed_at = ?2, held_until = NULL
  WHERE id = ?1 AND state IN ('due', 'unclear', 'failed', 'expired')
  RETURNING ${columns}`;

/** All of it, oldest first, for an export. ?1 after, ?2 limit. */
export const rowsFrom = `SELECT ${columns}, paused_until FROM outbox WHERE n > ?1 ORDER BY n LIMIT ?2`;
export const consumers = 'SELECT name, position FROM outbox_consumers ORDER BY name';
export const row = `SELECT ${columns} FROM outbox WHERE id = ?1`;
/** ?1 before, ?2 limit, ?3 JSON list of states or null, ?4 session or null. */
export const list = `
  SELECT ${columns} FROM outbox
  WHERE n < ?1 AND (?3 IS NULL OR state IN (SELECT value FROM json_each(?3))) AND (?4 IS NULL OR session = ?4)
  ORDER BY n DESC LIMIT ?2`;
export const figures = 'SELECT state, count(*) AS count FROM outbox GROUP BY state';
export const oldestDue = "SELECT min(since) AS since FROM outbox WHERE state = 'due'";
/** ?1 before, ?2 limit. */
export const prune = `
  DELETE FROM outbox WHERE n IN (
    SELECT n FROM outbox WHERE state IN ('posted', 'failed', 'expired', 'dropped') AND changed_at < ?1 ORDER BY n LIMIT ?2)`;
