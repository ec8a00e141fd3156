/**
 * A part points to its entry, in place of a list at the task that it is merged into. A session keeps what is decided for its
 * parts and not yet recorded. Immutable: a change is a new migration.
 */
export const parts = `
DROP TRIGGER tasks_ended_stay;

UPDATE tasks SET row = json_set(
  json_remove(row, '$.carrier', '$.taken', '$.riders'),
  '$.mergedInto', json_extract(row, '$.carrier'),
  '$.leads', NULL,
  '$.delivered',
  json(iif(row ->> 'stage' = 'merged' AND row ->> 'whenBusy' = 'steer' AND row ->> 'taken', 'true', 'false')),
  '$.stage', iif(row ->> 'stage' = 'merged' AND row ->> 'whenBusy' = 'steer', 'steered', row ->> 'stage'));

UPDATE tasks SET row = json_set(row, '$.verdict.scope',
  CASE row ->> '$.verdict.reason' WHEN 'cancelled' THEN 'task' WHEN 'stopped' THEN 'all' ELSE 'turn' END)
WHERE json_type(row, '$.verdict') = 'object';

CREATE TRIGGER tasks_ended_stay BEFORE UPDATE ON tasks
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the task has ended'); END;

CREATE INDEX tasks_merged_into ON tasks (json_extract(row, '$.mergedInto'))
WHERE json_extract(row, '$.mergedInto') IS NOT NULL;

UPDATE sessions SET row = json_set(row, '$.settling', json('[]')) WHERE row IS NOT NULL;

UPDATE sessions SET row = json_set(row, '$.passedOver', NULL) WHERE row IS NOT NULL;
`;
