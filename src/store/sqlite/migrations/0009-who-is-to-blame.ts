/**
 * A session knows whether its agent has ever answered a task, and a settlement whether the loss of its turn counts as an attempt: until now
 * each that was told did. Immutable: a change is a new migration.
 */
export const whoIsToBlame = `
UPDATE sessions SET row = json_set(
  row,
  '$.answered', json(iif(json_extract(row, '$.conversation') IS NULL, 'false', 'true')),
  '$.settling', (
    SELECT json_group_array(json(iif(
      json_extract(one.value, '$.kind') = 'steered',
      json_set(one.value, '$.burns', json(iif(json_extract(one.value, '$.loss') IS NULL, 'false', 'true'))),
      one.value
    )))
    FROM json_each(row, '$.settling') AS one
  )
) WHERE row IS NOT NULL;
`;
