/** How many tasks are open, and how many may be. */
import type { Schema, Wire } from './schema.ts';

export const OpenTasksSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['open', 'limit', 'sourceLimit', 'sources'],
  properties: {
    open: { type: 'integer', description: 'Open tasks of all sessions.' },
    limit: { type: 'integer', description: '`limits.maxOpenTasks`: the next submit is refused with `daemon_full`.' },
    sourceLimit: {
      type: 'integer',
      description: '`limits.maxOpenPerSource`: the next submit of that source is refused with `source_full`.',
    },
    sources: {
      type: 'array',
      description:
        'The sources that have most open tasks, at most 20. A source counts with its parts (after `#` or `@`).',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['source', 'open'],
        properties: { source: { type: 'string' }, open: { type: 'integer' } },
      },
    },
  },
} as const satisfies Schema;
export type OpenTasks = Wire<typeof OpenTasksSchema>;
