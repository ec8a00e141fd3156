/**
 * A session says why its agent does not know what was said before, and whether its conversation is to end. Immutable: a change is a new
 * migration.
 */
export const freshConversations = `
UPDATE sessions SET row = json_set(
  row,
  '$.conversationReset', iif(json_extract(row, '$.conversationReset'), 'lost', NULL),
  '$.conversationEnding', NULL
) WHERE row IS NOT NULL;
`;
