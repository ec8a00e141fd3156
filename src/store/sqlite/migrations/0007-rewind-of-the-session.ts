/**
 * The turn that is to be taken out of the conversation is owed by the session, in place of the task that rolled it back.
 * Immutable: a change is a new migration.
 */
export const rewindOfTheSession = `
DROP TRIGGER tasks_ended_stay;

UPDATE sessions SET row = json_set(row, '$.rewind', (
  SELECT min(tasks.row ->> 'rewind') FROM tasks WHERE tasks.session = sessions.n AND tasks.ended_at IS NULL))
WHERE row IS NOT NULL;

UPDATE tasks SET row = json_remove(row, '$.rewind');

CREATE TRIGGER tasks_ended_stay BEFORE UPDATE ON tasks
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the task has ended'); END;
`;
