/** Messages to be sent, and how far the feed was read for them. Immutable: a change is a new migration. */
export const outbox = `
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

-- A position of '' is the beginning of the feed.
CREATE TABLE outbox_consumers (
  name TEXT NOT NULL PRIMARY KEY,
  position TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
