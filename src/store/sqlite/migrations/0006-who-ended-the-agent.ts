/** The end of an agent names who asked for it. Immutable: a change is a new migration. */
export const whoEndedTheAgent = `
DROP TRIGGER events_stay;

UPDATE events SET data = json_set(data, '$.by', NULL) WHERE type = 'agent-ending';

CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'a tape is append-only'); END;
`;
