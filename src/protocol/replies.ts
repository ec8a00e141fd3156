/** What Signalbox sends out, and what became of it. */

/** States of a message of the outbox. */
export const outboxStates = ['due', 'sending', 'posted', 'unclear', 'failed', 'expired', 'dropped'] as const;
export type OutboxState = (typeof outboxStates)[number];
