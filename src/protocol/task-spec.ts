/**
 * The specification of a task: the one list of the fields of a submit, with their defaults.
 *
 * The HTTP request, the library's `SubmitRequest`, the stored task, the task's view, the rules of webhooks and the flags of
 * `signalbox send` are made from it. A field that the core decides by is also in the core's `NewTask`. The core stores every other field
 * unread.
 */
import type { NewTask } from '../core/model/inputs.ts';
import {
  defaultWhenBusy,
  type Lane,
  onLostPolicies,
  taskConversations,
  taskModes,
  whenBusyPolicies,
} from '../core/model/task.ts';
import { permissionModes } from '../core/model/permission.ts';
import { withDefaults } from './defaults.ts';
import { LabelsSchema, LaneSchema, WhenBusySchema } from './ids.ts';
import { PermissionPolicySchema } from './permissions.ts';
import type { Resolved, Schema, Wire } from './schema.ts';

const listed = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(', ');

export const taskSpec = {
  prompt: {
    type: 'string',
    maxLength: 1_000_000,
    description: 'Text for the agent. It may be empty with a `runner`, and in an external task.',
  },
  lane: {
    ...LaneSchema,
    default: 'interactive',
    description:
      '`interactive`: the sender waits for the answer. `background`: the task gives way to interactive tasks.',
  },
  whenBusy: {
    ...WhenBusySchema,
    description: `What the task does if the session is busy: ${listed(whenBusyPolicies)}. Default: \`${defaultWhenBusy.interactive}\` in the interactive lane, \`${defaultWhenBusy.background}\` in the background lane.`,
  },
  priority: {
    type: 'integer',
    minimum: -1000,
    maximum: 1000,
    default: 0,
    description: 'Order within the background lane: a higher priority runs first.',
  },
  mode: {
    type: 'string',
    enum: taskModes,
    description:
      '`prompt`: one turn with the prompt. `code`: a `runner` of the daemon does the work. `external`: a program outside the daemon claims the task and does the work, its holder. Default: `code` with a `runner`, else `prompt`.',
  },
  runner: {
    type: ['string', 'null'],
    minLength: 1,
    maxLength: 100,
    default: null,
    description: 'Registered code runner of the task. Default: none; the task is one turn of the agent.',
  },
  input: { default: null, description: 'Input of the code runner or the holder: any JSON.' },
  source: {
    type: 'string',
    minLength: 1,
    maxLength: 200,
    default: 'api',
    description:
      'Where the task comes from; `token:NAME` for a caller with a named token. Only tasks of the same source and rights merge, steer, replace or interrupt each other.',
  },
  rights: {
    type: 'string',
    minLength: 1,
    maxLength: 100,
    default: 'default',
    description: 'Rights class of the task.',
  },
  author: {
    type: ['string', 'null'],
    maxLength: 200,
    default: null,
    description: 'Who wrote the prompt; merged prompts name their authors.',
  },
  onLost: {
    type: 'string',
    enum: onLostPolicies,
    default: 'retry',
    description: 'What happens to the task if its agent or the daemon ends during its turn: `retry` or `fail`.',
  },
  maxAttempts: { type: 'integer', minimum: 1, maximum: 100, default: 3, description: 'Maximum number of attempts.' },
  conversation: {
    type: 'string',
    enum: taskConversations,
    default: 'current',
    description:
      '`fresh`: its first turn begins a fresh conversation, and the one before is not resumed any more. `current`: its turns continue the conversation.',
  },
  expiresIn: {
    type: ['integer', 'null'],
    minimum: 1,
    maximum: 31_536_000_000,
    description:
      'Milliseconds that the task may wait until it runs; then it ends `failed` with the reason `expired`. null: as long as it takes. Default: `expiresIn` of the configuration for its lane.',
  },
  model: {
    type: ['string', 'null'],
    minLength: 1,
    maxLength: 200,
    default: null,
    description: "Model of its turns, by the name that the agent uses. Default: the agent's own default.",
  },
  agent: {
    type: ['string', 'null'],
    minLength: 1,
    maxLength: 50,
    default: null,
    description:
      'Agent of a new session, by its name in the configuration; its `model` is then also that of later tasks that name none. A session that has another agent refuses the task (`agent_differs`). Default: the agent that the session has.',
  },
  permissions: {
    anyOf: [PermissionPolicySchema, { type: 'null' }],
    default: null,
    description: `What its agent may do without a permission request: ${listed(permissionModes)}. Default: the policy of its lane.`,
  },
  labels: { ...LabelsSchema, default: {} },
} as const satisfies { readonly [name: string]: Schema };

export type TaskField = keyof typeof taskSpec;
export const taskFields = Object.keys(taskSpec) as readonly TaskField[];

export const TaskSpecSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['prompt'],
  properties: taskSpec,
} as const satisfies Schema;

/** The specification as a sender writes it: only the prompt is required. */
export type TaskSpecInput = Wire<typeof TaskSpecSchema>;
/** With every default filled in. */
export type TaskSpec = { readonly [F in TaskField]: Resolved<(typeof taskSpec)[F]> };

/** Fields that the core decides by. They are in the task's row (`expiresIn` as `expiresAt`); all others are its payload. */
export type RuledField = Extract<TaskField, keyof NewTask | 'expiresIn'>;
const ruled: { readonly [F in RuledField]: F } = {
  lane: 'lane',
  mode: 'mode',
  whenBusy: 'whenBusy',
  priority: 'priority',
  onLost: 'onLost',
  maxAttempts: 'maxAttempts',
  conversation: 'conversation',
  expiresIn: 'expiresIn',
  model: 'model',
};

/** The fields of a stored payload; they give the defaults of fields that it was stored without. */
export const TaskPayloadSchema: Schema = {
  type: 'object',
  properties: Object.fromEntries(Object.entries(taskSpec).filter(([field]) => !Object.hasOwn(ruled, field))),
};

/** How long a task may wait that does not say, by its lane: milliseconds; null: as long as it takes. */
export const defaultExpiresIn: { readonly [L in Lane]: number | null } = {
  interactive: 86_400_000,
  background: 604_800_000,
};

export function fullTaskSpec(input: TaskSpecInput, expiresIn = defaultExpiresIn): TaskSpec {
  const spec = withDefaults(TaskSpecSchema, input) as TaskSpec;
  return {
    ...spec,
    mode: input.mode ?? (spec.runner === null ? 'prompt' : 'code'),
    whenBusy: input.whenBusy ?? defaultWhenBusy[spec.lane],
    expiresIn: input.expiresIn === undefined ? expiresIn[spec.lane] : input.expiresIn,
    priority: spec.lane === 'background' ? spec.priority : 0,
  };
}
