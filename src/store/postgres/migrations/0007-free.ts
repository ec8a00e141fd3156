/**
 * Which sessions wait for a node, so that a look for them reads those and not all that is open.
 *
 * A node of the version before gives sessions back without the mark; it is set when a node joins, and each minute.
 */
export const free = `
-- It has no owner, and an open task or a parked mark: a node takes it up.
ALTER TABLE %.sessions ADD COLUMN free boolean NOT NULL DEFAULT false;

CREATE INDEX sessions_free ON %.sessions (n) WHERE free;
`;
