/** Named tokens, by the digest of their secrets. Immutable: a change is a new migration. */
export const namedTokens = `
CREATE TABLE tokens (
  name TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  sessions TEXT,
  made_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID;
`;
