/**
 * A session knows by which turn its conversation began, so that a task can say which conversation has its text. One that was begun
 * before has turn 0, which is none, and is not known to have any text. Immutable: a change is a new migration.
 */
export const whatTheConversationHas = `
UPDATE sessions SET row = json_set(
  row,
  '$.firstTurn', iif(json_extract(row, '$.conversation') IS NULL, NULL, 0),
  '$.settling', (
    SELECT json_group_array(json(iif(
      json_extract(one.value, '$.kind') = 'steered',
      json_set(one.value, '$.textIn', NULL),
      one.value
    )))
    FROM json_each(row, '$.settling') AS one
  )
) WHERE row IS NOT NULL;

DROP TRIGGER events_stay;

UPDATE events SET data = json_set(data, '$.delivered', json('false')) WHERE type = 'turn-sent';

UPDATE events SET data = json_set(data, '$.caps.keepsPrompts', json('false')) WHERE type = 'agent-ready';

CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'a tape is append-only'); END;
`;
