/**
 * The file says which process has it open, so that the same file under another name, and a copy of it, say it too.
 * Immutable: a change is a new migration.
 */
export const whoHasItOpen = `
CREATE TABLE opener (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  -- The process to signal, and the one that has the file open.
  pid INTEGER,
  process INTEGER,
  -- Of that process, so that a stranger who got its pid is not taken for it.
  started TEXT,
  path TEXT
) STRICT;

INSERT INTO opener (one) VALUES (1);
`;
