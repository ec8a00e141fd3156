/** Who works on the database. A node is one start of a daemon; its row stays, so that its number is never another's. */
export const nodes = `
CREATE TABLE %.nodes (
  inc bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  state text COLLATE "C" NOT NULL DEFAULT 'alive' CHECK (state IN ('alive', 'left', 'dead')),
  -- Counts the signs of life. Watchers look at whether it moves; no clock is compared with another.
  beat bigint NOT NULL DEFAULT 0,
  host text NOT NULL,
  -- The process to signal.
  pid integer NOT NULL,
  -- The one that has the database open, where its number counts, and when it began: so that one on the same machine can be looked for.
  process integer NOT NULL,
  space text,
  started text
);

CREATE INDEX nodes_alive ON %.nodes (inc) WHERE state = 'alive';
`;
