CREATE TABLE sessions (
  n INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  lease INTEGER NOT NULL,
  parked INTEGER NOT NULL DEFAULT 0,
  changed_at REAL NOT NULL DEFAULT 0,
  row TEXT
) STRICT;

CREATE INDEX sessions_parked ON sessions (parked) WHERE parked = 1;

CREATE TABLE tasks (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  session INTEGER NOT NULL REFERENCES sessions (n),
  status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
  lane TEXT NOT NULL,
  admitted_at REAL NOT NULL,
  ended_at REAL,
  seq INTEGER,
  reason TEXT,
  source TEXT NOT NULL,
  idempotency_key TEXT,
  row TEXT NOT NULL,
  payload TEXT,
  result TEXT,
  CHECK ((status IN ('queued', 'running')) = (ended_at IS NULL)),
  CHECK ((ended_at IS NULL) = (seq IS NULL))
) STRICT;

CREATE INDEX tasks_status ON tasks (status);

CREATE INDEX tasks_status_session ON tasks (status, session);

CREATE TABLE events (
  tape INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  at REAL NOT NULL,
  type TEXT NOT NULL CHECK (type <> 'final'),
  data TEXT,
  PRIMARY KEY (tape, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  pos INTEGER PRIMARY KEY,
  session INTEGER NOT NULL,
  tape INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  ends INTEGER NOT NULL
) STRICT;

CREATE TABLE session_runs (
  session INTEGER NOT NULL,
  pos INTEGER NOT NULL,
  PRIMARY KEY (session, pos)
) STRICT, WITHOUT ROWID;

CREATE TABLE totals (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  sessions INTEGER NOT NULL DEFAULT 0,
  queued INTEGER NOT NULL DEFAULT 0,
  running INTEGER NOT NULL DEFAULT 0,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  late INTEGER NOT NULL DEFAULT 0,
  indexed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE processes (
  pid INTEGER NOT NULL,
  start_time TEXT NOT NULL,
  session TEXT NOT NULL,
  incarnation INTEGER NOT NULL,
  cookie TEXT NOT NULL,
  PRIMARY KEY (pid, start_time)
) STRICT, WITHOUT ROWID;

CREATE INDEX tasks_merged_into ON tasks (json_extract(row, '$.mergedInto'))
WHERE json_extract(row, '$.mergedInto') IS NOT NULL;

CREATE TABLE opener (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  -- The process to signal, and the one that has the file open.
  pid INTEGER,
  process INTEGER,
  -- Of that process, so that a stranger who got its pid is not taken for it.
  started TEXT,
  path TEXT
) STRICT;

CREATE TABLE tokens (
  name TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  sessions TEXT,
  made_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX tasks_idempotency_key ON tasks (source, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE outbox (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  door TEXT NOT NULL,
  address TEXT NOT NULL,
  scope TEXT NOT NULL,
  session TEXT NOT NULL,
  task TEXT,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  at INTEGER NOT NULL,
  data TEXT,
  state TEXT NOT NULL DEFAULT 'due'
    CHECK (state IN ('due', 'sending', 'posted', 'unclear', 'failed', 'expired', 'dropped')),
  version INTEGER NOT NULL DEFAULT 1,
  attempts INTEGER NOT NULL DEFAULT 0,
  since INTEGER NOT NULL,
  begun_at INTEGER,
  not_before INTEGER NOT NULL,
  held_until INTEGER,
  paused_until INTEGER,
  owner TEXT,
  reference TEXT,
  problem TEXT,
  changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_due ON outbox (address, n) WHERE state = 'due';

CREATE INDEX outbox_times ON outbox (not_before, n) WHERE state = 'due';

CREATE UNIQUE INDEX outbox_held ON outbox (address) WHERE held_until IS NOT NULL;

CREATE INDEX outbox_paused ON outbox (scope, paused_until) WHERE paused_until IS NOT NULL;

CREATE INDEX outbox_states ON outbox (state, changed_at);

CREATE INDEX outbox_sessions ON outbox (session, n);

CREATE TABLE outbox_consumers (
  name TEXT NOT NULL PRIMARY KEY,
  position TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW tape_events AS
  SELECT tape, seq, at, type, data FROM events
  UNION ALL
  SELECT n, seq, ended_at, 'final', result FROM tasks WHERE ended_at IS NOT NULL;

CREATE TRIGGER sessions_lease_grows BEFORE UPDATE OF lease ON sessions
WHEN NEW.lease <= OLD.lease
BEGIN SELECT RAISE(ABORT, 'a lease only grows'); END;

CREATE TRIGGER tasks_status_forward BEFORE UPDATE OF status ON tasks
WHEN OLD.status = 'running' AND NEW.status = 'queued'
BEGIN SELECT RAISE(ABORT, 'a status only moves forward'); END;

CREATE TRIGGER tasks_final_is_last BEFORE UPDATE OF ended_at ON tasks
WHEN NEW.ended_at IS NOT NULL
  AND NEW.seq IS NOT 1 + (SELECT coalesce(max(seq), 0) FROM events WHERE tape = NEW.n)
BEGIN SELECT RAISE(ABORT, 'final is the last event of its tape'); END;

CREATE TRIGGER events_before_final BEFORE INSERT ON events
WHEN (SELECT ended_at FROM tasks WHERE n = NEW.tape) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'nothing is appended after final'); END;

CREATE TRIGGER tasks_ended_stay BEFORE UPDATE ON tasks
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the task has ended'); END;

CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'a tape is append-only'); END;
