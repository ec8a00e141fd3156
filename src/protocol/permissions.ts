/** What an agent may do without asking, its permission requests, and a person's response. */
import { actionKinds, permissionModes } from '../core/model/permission.ts';
import { BySchema, SessionKeySchema, TaskIdSchema, TimeSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

const RulesSchema = {
  type: 'array',
  maxItems: 200,
  items: {
    type: 'string',
    minLength: 1,
    maxLength: 1000,
    pattern: '^[^()]+(?:\\([\\s\\S]+\\))?$',
    examples: ['edit', 'Bash', 'Bash(npm test)', 'Bash(git log *)'],
  },
} as const satisfies Schema;

export const PermissionPolicySchema = {
  type: 'object',
  description: 'What an agent may do without asking.',
  additionalProperties: false,
  required: ['mode'],
  properties: {
    mode: {
      type: 'string',
      enum: permissionModes,
      description:
        '`read-only`: it may read and search; everything else is denied. `ask`: everything else waits for a person. `allow`: it may do everything.',
    },
    allow: {
      ...RulesSchema,
      default: [],
      description:
        'Allowed in addition: a kind of action, a tool, a tool with its title, or a tool with the start of a title and `*`.',
    },
    deny: { ...RulesSchema, default: [], description: 'Denied in every mode.' },
  },
} as const satisfies Schema;
export type PermissionPolicyInput = Wire<typeof PermissionPolicySchema>;

/** `turn` and `request` together name it; the response repeats them. */
export const PermissionRequestSchema = {
  type: 'object',
  description: 'A permission request of an agent that waits for a person.',
  additionalProperties: false,
  required: ['session', 'task', 'turn', 'request', 'kind', 'tool', 'title', 'detail', 'since', 'until'],
  properties: {
    session: SessionKeySchema,
    task: TaskIdSchema,
    turn: { type: 'integer' },
    request: { type: 'string', description: 'Unique within its turn.' },
    kind: { type: 'string', enum: actionKinds },
    tool: { type: 'string', description: "The agent's own name of the tool." },
    title: { type: 'string', description: 'One line for a person: the command, the path.' },
    detail: {
      description: 'The request as the agent made it; null: it is longer than 16 KiB and only on the tape.',
    },
    since: TimeSchema,
    until: { type: ['integer', 'null'], description: 'When it is denied without a response, wall clock in ms.' },
  },
} as const satisfies Schema;
export type PermissionRequest = Wire<typeof PermissionRequestSchema>;

export const PermissionRequestListSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items'],
  properties: { items: { type: 'array', items: PermissionRequestSchema } },
} as const satisfies Schema;
export type PermissionRequestList = Wire<typeof PermissionRequestListSchema>;

export const RespondRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['turn', 'request', 'allow'],
  properties: {
    turn: { type: 'integer', minimum: 1 },
    request: { type: 'string', minLength: 1, maxLength: 500 },
    allow: { type: 'boolean' },
    note: { type: 'string', minLength: 1, maxLength: 2000, description: 'The agent gets it with a denial.' },
    by: BySchema,
  },
} as const satisfies Schema;
export type RespondRequest = Wire<typeof RespondRequestSchema>;
