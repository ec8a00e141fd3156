/**
 * The session counts who was passed over, in place of a count of preemptions at each task.
 * Immutable: a change is a new migration.
 */
export const fairness = `
DROP TRIGGER events_stay;
DROP TRIGGER tasks_ended_stay;

UPDATE tasks SET row = json_remove(row, '$.streak');

UPDATE events SET data = json_set(data, '$.passedOver', 0) WHERE type IN ('granted', 'resumed');
UPDATE events SET data = json_remove(data, '$.preemptionsInRow') WHERE type = 'preempted';

CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'a tape is append-only'); END;

CREATE TRIGGER tasks_ended_stay BEFORE UPDATE ON tasks
WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the task has ended'); END;

UPDATE sessions SET row = json_set(row, '$.passedOver', NULL) WHERE row IS NOT NULL;
`;
