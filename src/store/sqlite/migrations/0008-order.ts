/**
 * A task has the number of its admission and its position, in place of one position that was both; an earlier `move` had made it
 * negative or a fraction. Positions are integers with room between them, in the order of the old ones.
 * Immutable: a change is a new migration.
 */
export const order = `
DROP TRIGGER tasks_ended_stay;

UPDATE tasks SET row = json_set(row, '$.admission', o.admission, '$.position', o.place * 65536)
FROM (
  SELECT n,
    row_number() OVER (PARTITION BY session ORDER BY n) AS admission,
    row_number() OVER (PARTITION BY session ORDER BY json_extract(row, '$.position'), id) AS place
  FROM tasks
) o
WHERE o.n = tasks.n;

CREATE TRIGGER tasks_ended_stay BEFORE UPDATE ON tasks
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the task has ended'); END;

UPDATE sessions SET row = json_remove(
  json_set(row, '$.admissions', (SELECT count(*) FROM tasks WHERE session = sessions.n)),
  '$.nextPosition'
) WHERE row IS NOT NULL;

UPDATE sessions SET row = json_remove(
  json_set(row, '$.passedOver.admission',
    (SELECT json_extract(row, '$.admission') FROM tasks WHERE id = sessions.row ->> '$.passedOver.task')),
  '$.passedOver.position'
) WHERE json_type(row, '$.passedOver') = 'object';
`;
