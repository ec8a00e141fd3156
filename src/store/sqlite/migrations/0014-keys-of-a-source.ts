/** An idempotency key belongs to its source: two senders cannot take each other's. Immutable: a change is a new migration. */
export const keysOfASource = `
DROP INDEX tasks_idempotency_key;
CREATE UNIQUE INDEX tasks_idempotency_key ON tasks (source, idempotency_key) WHERE idempotency_key IS NOT NULL;
`;
