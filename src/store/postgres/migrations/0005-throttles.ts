/** What nodes know of the providers of models. Of a schema that one daemon has for itself nothing is there. */
export const throttles = `
CREATE TABLE %.throttles (
  provider text COLLATE "C" PRIMARY KEY,
  -- Counts the changes.
  version bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- JSON.
  state text NOT NULL
);
`;
