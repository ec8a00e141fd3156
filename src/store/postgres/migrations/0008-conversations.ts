/** What is kept of the conversations of agents, so that another node can resume them. */
export const conversations = `
CREATE TABLE %.conversations (
  session bigint PRIMARY KEY,
  conversation text NOT NULL,
  -- Name of the node that had it last.
  node text NOT NULL,
  -- The folder of its files, as all see it that share the folder.
  place text,
  -- Its agent was not seen to end.
  open boolean NOT NULL,
  -- The last turn in the files; -1: none.
  turn bigint NOT NULL,
  -- Compressed, in base64.
  files text,
  -- Why there are none, for a person.
  lack text
);
`;
