/**
 * Rows of tasks learn the model and the retries, rows of sessions that a conversation was lost and what the agent asks for.
 * Immutable: a change is a new migration.
 *
 * A task of before asked for no model and had no failure counted; a turn of before could ask for nothing. Ended tasks have
 * their row too, so the trigger that keeps them as they are is away meanwhile.
 */
export const rowsOfSupervisedAgents = `
DROP TRIGGER tasks_ended_stay;

UPDATE tasks SET row = json_insert(row, '$.model', NULL, '$.retries', 0);

CREATE TRIGGER tasks_ended_stay BEFORE UPDATE ON tasks
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the task has ended'); END;

UPDATE sessions SET row = json_insert(row, '$.lost', json('false')) WHERE row IS NOT NULL;
UPDATE sessions SET row = json_insert(row, '$.hold.asks', json('[]')) WHERE json_type(row, '$.hold') = 'object';
`;
