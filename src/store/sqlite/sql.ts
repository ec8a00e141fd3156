/** Every statement of the SQLite store, once. `?N` are bound in the order of the comment or the name's plain reading. */

// Transactions and fences.
export const begin = 'BEGIN IMMEDIATE';
export const commit = 'COMMIT';
export const rollback = 'ROLLBACK';
/** Differs from its last value on this connection if and only if another connection has committed in between. */
export const dataVersion = 'PRAGMA data_version';

// What the ledger knows.
export const sessionByKey = `
  SELECT n, lease, row IS NOT NULL AS stored,
    (SELECT coalesce(max(seq), 0) FROM events WHERE tape = -sessions.n) AS seq
  FROM sessions WHERE key = ?1`;
export const taskById = `
  SELECT n, session, status,
    coalesce(seq, (SELECT coalesce(max(seq), 0) FROM events WHERE tape = tasks.n)) AS seq
  FROM tasks WHERE id = ?1`;
export const lastRun = 'SELECT pos + last_seq - first_seq AS last FROM runs ORDER BY pos DESC LIMIT 1';
export const indexed = 'SELECT indexed FROM totals';
export const mergedTasks = "SELECT id FROM tasks WHERE json_extract(row, '$.mergedInto') = ?1 ORDER BY n";
export const taskByKey = 'SELECT id FROM tasks WHERE source = ?1 AND idempotency_key = ?2';

// Writes of a commit.
export const claimSession = 'UPDATE sessions SET lease = lease + 1 WHERE key = ?1 RETURNING lease, row';
export const newSession = 'INSERT INTO sessions (key, lease) VALUES (?1, 1)';
export const insertTask = `
  INSERT INTO tasks (id, session, status, lane, admitted_at, source, idempotency_key, row, payload)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`;
export const updateTask = 'UPDATE tasks SET status = ?2, lane = ?3, row = ?4 WHERE n = ?1';
export const updatePayload = 'UPDATE tasks SET payload = ?2 WHERE n = ?1';
/** The terminal status and `final`, which are one row. The lane and row of an earlier record of the same group, if any. */
export const endTask = `
  UPDATE tasks SET status = ?2, reason = ?3, ended_at = ?4, seq = ?5, result = ?6,
    lane = coalesce(?7, lane), row = coalesce(?8, row)
  WHERE n = ?1`;
export const insertEvent = 'INSERT INTO events (tape, seq, at, type, data) VALUES (?1, ?2, ?3, ?4, ?5)';
export const insertRun = `
  INSERT INTO runs (pos, session, tape, first_seq, last_seq, ends) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`;
/** The fence a second time, in the statement that writes. */
export const updateSession = `
  UPDATE sessions SET row = ?3, parked = ?4, changed_at = ?5 WHERE n = ?1 AND lease = ?2`;
/** What changes a session without its row: an admission, an end. */
export const touchSession = 'UPDATE sessions SET changed_at = ?3 WHERE n = ?1 AND lease = ?2';
/** ?1 the runs up to here are indexed. In order of the index, so that every page of it is written once. */
export const indexRuns = `
  INSERT INTO session_runs (session, pos) SELECT session, pos FROM runs WHERE pos > ?1 ORDER BY session, pos`;
export const setIndexed = 'UPDATE totals SET indexed = ?1';
export const addTotals = `
  UPDATE totals SET sessions = sessions + ?1, queued = queued + ?2, running = running + ?3,
    completed = completed + ?4, failed = failed + ?5, cancelled = cancelled + ?6, late = late + ?7`;

// Recovery.
export const openTasks = `
  SELECT id, lane, row, (SELECT coalesce(max(seq), 0) FROM events WHERE tape = tasks.n) AS seq
  FROM tasks WHERE status IN ('queued', 'running') AND session = ?1 ORDER BY n`;
export const openSessions = `
  SELECT n, key FROM sessions WHERE n IN (
    SELECT session FROM (
      SELECT DISTINCT session FROM tasks WHERE status = 'queued' AND session > ?1 ORDER BY session LIMIT ?2)
    UNION SELECT session FROM (
      SELECT DISTINCT session FROM tasks WHERE status = 'running' AND session > ?1 ORDER BY session LIMIT ?2)
    UNION SELECT n FROM (SELECT n FROM sessions WHERE parked = 1 AND n > ?1 ORDER BY n LIMIT ?2))
  ORDER BY n LIMIT ?2`;

// Tasks and sessions, for readers.
const taskColumns = `
  t.n, t.id, s.key AS session, t.status, t.lane, t.reason, t.result, t.admitted_at, t.ended_at, t.row, t.payload,
  coalesce(t.seq, (SELECT coalesce(max(seq), 0) FROM events WHERE tape = t.n)) AS seq`;
export const task = `SELECT ${taskColumns} FROM tasks t JOIN sessions s ON s.n = t.session WHERE t.id = ?1`;
/** ?1 before, ?2 limit, ?3 lane or NULL, ?4 source or NULL; newest first. */
export const tasks = `
  SELECT ${taskColumns} FROM tasks t JOIN sessions s ON s.n = t.session
  WHERE t.n < ?1 AND (?3 IS NULL OR t.lane = ?3) AND (?4 IS NULL OR t.source = ?4)
  ORDER BY t.n DESC LIMIT ?2`;
/** As `tasks`, of one status (?5). */
export const tasksByStatus = `
  SELECT ${taskColumns} FROM tasks t INDEXED BY tasks_status JOIN sessions s ON s.n = t.session
  WHERE t.status = ?5 AND t.n < ?1 AND (?3 IS NULL OR t.lane = ?3) AND (?4 IS NULL OR t.source = ?4)
  ORDER BY t.n DESC LIMIT ?2`;
/** As `tasksByStatus`, of one session (?6). */
export const tasksByStatusAndSession = `
  SELECT ${taskColumns} FROM tasks t INDEXED BY tasks_status_session JOIN sessions s ON s.n = t.session
  WHERE t.status = ?5 AND t.session = ?6 AND t.n < ?1 AND (?3 IS NULL OR t.lane = ?3) AND (?4 IS NULL OR t.source = ?4)
  ORDER BY t.n DESC LIMIT ?2`;

/**
 * ?1 before, ?2 limit, ?3 lane or NULL, ?4 source or NULL, ?5 at this number or after, ?6 session or NULL, ?7 JSON list of
 * statuses or NULL, ?8 text or NULL, ?9 JSON object of labels or NULL, ?10 since or NULL, ?11 until or NULL, ?12 the least id or NULL, ?13 before
 * this id; newest first.
 */
export const searchTasks = `
  SELECT ${taskColumns} FROM tasks t JOIN sessions s ON s.n = t.session
  WHERE t.n < ?1 AND (?3 IS NULL OR t.lane = ?3) AND (?4 IS NULL OR t.source = ?4) AND t.n >= ?5
  AND (?6 IS NULL OR t.session = ?6) AND (?7 IS NULL OR t.status IN (SELECT value FROM json_each(?7)))
  AND (?10 IS NULL OR t.admitted_at >= ?10) AND (?11 IS NULL OR t.admitted_at < ?11)
  AND (?12 IS NULL OR (t.id >= ?12 AND t.id < ?13))
  AND (?8 IS NULL OR instr(lower(json_extract(t.payload, '$.prompt')), lower(?8)) > 0)
  AND (?9 IS NULL OR NOT EXISTS (
    SELECT 1 FROM json_each(?9) l WHERE json_extract(t.payload, '$.labels."' || l.key || '"') IS NOT l.value))
  ORDER BY t.n DESC LIMIT ?2`;
/** Numbers of the tasks with an id from ?1 to before ?2, in the order of the ids; ?3 limit. */
export const tasksWithPrefix = `
  SELECT n FROM tasks INDEXED BY sqlite_autoindex_tasks_1 WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3`;
export const lastTask = 'SELECT coalesce(max(n), 0) AS n FROM tasks';

/** `changed_at` moves with all but output; the newest output is the last event of an open task, or of the session's tape. */
const sessionColumns = `
  s.n, s.key, s.row,
  (SELECT count(*) FROM tasks WHERE status = 'queued' AND session = s.n) AS queued,
  (SELECT count(*) FROM tasks WHERE status = 'running' AND session = s.n) AS running,
  max(
    s.changed_at,
    coalesce((SELECT at FROM events WHERE tape = -s.n ORDER BY seq DESC LIMIT 1), 0),
    coalesce((
      SELECT max((SELECT at FROM events WHERE tape = t.n ORDER BY seq DESC LIMIT 1))
      FROM tasks t WHERE t.status IN ('queued', 'running') AND t.session = s.n), 0)) AS changed_at`;
export const session = `SELECT ${sessionColumns} FROM sessions s WHERE s.key = ?1 AND s.row IS NOT NULL`;
/** ?1 before, ?2 limit; newest first. */
export const sessions = `
  SELECT ${sessionColumns} FROM sessions s WHERE s.row IS NOT NULL AND s.n < ?1 ORDER BY s.n DESC LIMIT ?2`;

// Tapes and feeds.
/** ?1 tape, ?2 after, ?3 limit. `final` is not among them: the task's row has it. */
export const tape = 'SELECT seq, at, type, data FROM events WHERE tape = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3';
/** Where the tape of a task ends, without the data of its `final`: with the answer these may be megabytes, and each page asks. */
export const tapeEnd = `
  SELECT n, seq, ended_at AS at FROM tasks WHERE id = ?1 AND session = (SELECT n FROM sessions WHERE key = ?2)`;
export const final = 'SELECT seq, ended_at AS at, result AS data FROM tasks WHERE n = ?1';
export const sessionNumber = 'SELECT n FROM sessions WHERE key = ?1';

/**
 * Runs with their events; a run that ends its task has `final` as its last event, which is in the task's row and comes
 * with the run's last stored event, or alone. So every row brings at least one event after ?3.
 * ?1 the first run to read, ?2 limit, ?3 the position to read after, ?4 session.
 */
const feedOf = (runs: string, where: string, pos: string): string => `
  SELECT r.pos, r.first_seq, r.last_seq, r.ends, s.key AS session, t.id AS task, e.seq, e.at, e.type, e.data,
    CASE WHEN r.ends THEN t.ended_at END AS ended_at,
    CASE WHEN r.ends AND coalesce(e.seq, r.last_seq - 1) = r.last_seq - 1 THEN t.result END AS result
  FROM ${runs}
  CROSS JOIN sessions s ON s.n = r.session
  LEFT JOIN tasks t ON t.n = r.tape
  LEFT JOIN events e ON e.tape = r.tape AND e.seq BETWEEN r.first_seq AND r.last_seq
  WHERE ${where} AND ${pos} >= ?1
    AND r.pos + coalesce(e.seq + (r.ends AND e.seq = r.last_seq - 1), r.last_seq) - r.first_seq > ?3
  ORDER BY ${pos}, e.seq LIMIT ?2`;
export const feedAll = feedOf('runs r', 'true', 'r.pos');
/** Up to `totals.indexed`. */
export const feedSession = feedOf('session_runs x CROSS JOIN runs r ON r.pos = x.pos', 'x.session = ?4', 'x.pos');
/** After it: every run of the tail is looked at. */
export const feedSessionTail = feedOf('runs r', 'r.session = ?4', 'r.pos');
export const runAt = 'SELECT max(pos) AS pos FROM runs WHERE pos <= ?1';
export const runAtSession = 'SELECT max(pos) AS pos FROM session_runs WHERE session = ?2 AND pos <= ?1';
/** ?1 session, ?2 `totals.indexed`. */
export const lastRunOfSession = `
  SELECT pos + last_seq - first_seq AS last FROM runs WHERE pos = coalesce(
    (SELECT max(pos) FROM runs WHERE pos > ?2 AND session = ?1),
    (SELECT max(pos) FROM session_runs WHERE session = ?1))`;

// All of it, oldest first, for an export. ?1 after, ?2 limit.
export const sessionsFrom = 'SELECT n, key, row FROM sessions WHERE row IS NOT NULL AND n > ?1 ORDER BY n LIMIT ?2';
export const tasksFrom = `
  SELECT ${taskColumns} FROM tasks t JOIN sessions s ON s.n = t.session WHERE t.n > ?1 ORDER BY t.n LIMIT ?2`;

// Processes and figures.
export const recordProcess = `
  INSERT OR REPLACE INTO processes (pid, start_time, session, incarnation, cookie) VALUES (?1, ?2, ?3, ?4, ?5)`;
export const forgetProcess = 'DELETE FROM processes WHERE pid = ?1 AND start_time = ?2';
export const processes = 'SELECT pid, start_time, session, incarnation, cookie FROM processes ORDER BY pid, start_time';

// Tokens.
export const addToken = `
  INSERT INTO tokens (name, digest, scopes, sessions, made_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  ON CONFLICT (name) DO NOTHING`;
export const removeToken = 'DELETE FROM tokens WHERE name = ?1';
export const tokens = 'SELECT name, digest, scopes, sessions, made_at, expires_at FROM tokens ORDER BY name';

export const totals = 'SELECT sessions, queued, running, completed, failed, cancelled, late FROM totals';
