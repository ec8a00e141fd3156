/** What sessions may need of a node, and how busy it is. A daemon of the version before has no labels, and says nothing of what waits. */
export const placement = `
ALTER TABLE %.nodes
  -- JSON.
  ADD COLUMN labels text,
  ADD COLUMN waiting integer NOT NULL DEFAULT 0,
  ADD COLUMN idle integer NOT NULL DEFAULT 0;
`;
