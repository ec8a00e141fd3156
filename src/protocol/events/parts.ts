/** Schemas of the values in events: actors, output parts, turn reports. */
import { type Actor, actorKinds } from '../../core/model/actor.ts';
import type {
  BoundedText,
  Cost,
  FileDiff,
  OutputPart,
  PlanEntry,
  ToolPart,
  TurnFailure,
  TurnReport,
  Usage,
} from '../../core/model/output.ts';
import { type PermissionAction, actionKinds } from '../../core/model/permission.ts';
import { type AgentCaps, type Parked, parkedKinds } from '../../core/model/session.ts';
import type { Schema } from '../schema.ts';
import type { AllTrue, Describes } from '../describes.ts';

export const ActorSchema = {
  type: 'object',
  description: 'Who did something. Signalbox decides nothing by the name.',
  additionalProperties: false,
  required: ['kind', 'name'],
  properties: {
    kind: {
      type: 'string',
      enum: actorKinds,
      description:
        '`person`: a user who gave a name, and has the daemon’s own token. `token`: another caller of the API, by the name of its token. `rule`: a webhook rule. `task`: another task. `runner`: the code runner of the task. `agent`: the agent. `policy`: the permission policy of the task. `deadline`: a deadline. `limit`: a bound that cannot be configured. `daemon`: the daemon.',
    },
    name: {
      type: 'string',
      description:
        'Name of the person, rule or deadline; id of the task. It repeats the kind where there is only one actor of it.',
    },
    claims: {
      type: 'string',
      description:
        'The name that a caller with a named token gave for itself, which Signalbox cannot check. Left out where there is none.',
    },
  },
  examples: [{ kind: 'person', name: 'ada' }],
} as const satisfies Schema;

const usageProperties = {
  inputTokens: { type: 'integer', description: 'Tokens that the model read, those from its cache included.' },
  outputTokens: { type: 'integer', description: 'Tokens that the model wrote.' },
  cachedInputTokens: {
    type: 'integer',
    description: 'The part of `inputTokens` that the provider had cached. Left out where the agent does not say.',
  },
} as const;

export const UsageSchema = {
  type: 'object',
  description: 'Tokens of one turn.',
  additionalProperties: false,
  required: ['inputTokens', 'outputTokens'],
  properties: usageProperties,
  examples: [{ inputTokens: 5210, outputTokens: 342, cachedInputTokens: 4096 }],
} as const satisfies Schema;

const costProperties = {
  amount: { type: 'number', description: 'In units of `currency`.' },
  currency: { type: 'string', description: 'ISO 4217 code, for example `USD`.' },
} as const;

export const CostSchema = {
  type: 'object',
  description: 'What a turn cost, as its agent reports it.',
  additionalProperties: false,
  required: ['amount', 'currency'],
  properties: costProperties,
  examples: [{ amount: 0.0173, currency: 'USD' }],
} as const satisfies Schema;

export const BoundedTextSchema = {
  type: 'object',
  description: 'Text that is cut to a bound. The cut is visible in the text.',
  additionalProperties: false,
  required: ['text'],
  properties: {
    text: { type: 'string', description: 'The text; a mark in it says where something is missing.' },
    omittedBytes: { type: 'integer', description: 'Bytes of UTF-8 that are missing. Left out when the text is whole.' },
  },
  examples: [{ text: '# tests 12\n# pass 12' }],
} as const satisfies Schema;

export const FileDiffSchema = {
  type: 'object',
  description: 'A change of one file.',
  additionalProperties: false,
  required: ['path', 'unified'],
  properties: {
    path: { type: 'string', description: 'Path of the file as the agent names it.' },
    unified: { ...BoundedTextSchema, description: 'The change as a unified diff.' },
  },
  examples: [
    { path: 'src/add.js', unified: { text: '--- a/src/add.js\n+++ b/src/add.js\n@@ -1 +1 @@\n-a - b\n+a + b\n' } },
  ],
} as const satisfies Schema;

const toolProperties = {
  kind: { type: 'string', const: 'tool', description: 'A use of a tool.' },
  id: {
    type: ['string', 'null'],
    description: "The agent's id of this use; all parts of one use have it. Null: the agent gives none.",
  },
  name: { type: 'string', description: "The agent's own name of the tool, for example `Bash`." },
  action: { type: 'string', enum: actionKinds, description: 'What the tool does, in one vocabulary for all agents.' },
  title: { type: 'string', description: 'One line for a person: the command, the path.' },
  status: {
    type: 'string',
    enum: ['started', 'completed', 'failed'],
    description: '`started`: the tool runs. `completed` and `failed`: it has ended.',
  },
  input: { ...BoundedTextSchema, description: 'The input as JSON text. Left out where the agent does not say.' },
  output: {
    ...BoundedTextSchema,
    description: 'The result. Left out while the tool runs, and where the agent does not say.',
  },
  diffs: { type: 'array', items: FileDiffSchema, description: 'Files that the tool changed.' },
  startedAt: {
    type: 'integer',
    description: 'When the tool began, milliseconds since 1970. Left out where it is not known.',
  },
  endedAt: { type: 'integer', description: 'When the tool ended, milliseconds since 1970. Left out while it runs.' },
} as const;

export const ToolPartSchema = {
  type: 'object',
  description:
    'One use of a tool: one part when it starts, one when it has ended. Each part repeats all fields that are known by then.',
  additionalProperties: false,
  required: ['kind', 'id', 'name', 'action', 'title', 'status'],
  properties: toolProperties,
  examples: [
    {
      kind: 'tool',
      id: 'toolu_01',
      name: 'Bash',
      action: 'execute',
      title: 'npm test',
      status: 'completed',
      input: { text: '{"command":"npm test"}' },
      output: { text: '# tests 12\n# pass 12' },
      startedAt: 1_764_341_923_000,
      endedAt: 1_764_341_931_250,
    },
  ],
} as const satisfies Schema;

export const PlanEntrySchema = {
  type: 'object',
  description: 'One step of the plan of an agent.',
  additionalProperties: false,
  required: ['text', 'status'],
  properties: {
    text: { type: 'string', description: 'The step, in the words of the agent.' },
    status: { type: 'string', enum: ['pending', 'in_progress', 'completed'], description: 'How far the step is.' },
  },
  examples: [{ text: 'Run the tests', status: 'in_progress' }],
} as const satisfies Schema;

const part = <const K extends string, const P extends object, const R extends readonly string[]>(
  kind: K,
  description: string,
  properties: P,
  required: R,
  example: unknown,
) =>
  ({
    type: 'object',
    description,
    additionalProperties: false,
    required: ['kind', ...required],
    properties: { kind: { type: 'string', const: kind }, ...properties },
    examples: [example],
  }) as const;

export const TextPartSchema = part(
  'text',
  'A piece of the answer. The pieces of a turn, one after the other, are its whole text.',
  { text: { type: 'string', description: 'The piece.' } },
  ['text'],
  { kind: 'text', text: 'All tests pass.' },
);

export const RetractionPartSchema = part(
  'retraction',
  'The agent begins its message again: remove the end of the text of this turn.',
  { length: { type: 'integer', description: 'How much to remove, in UTF-16 code units.' } },
  ['length'],
  { kind: 'retraction', length: 8 },
);

export const ThinkingPartSchema = part(
  'thinking',
  'A piece of the reasoning of the agent. It is not part of the answer.',
  { text: { type: 'string', description: 'The piece.' } },
  ['text'],
  { kind: 'thinking', text: 'The failing test subtracts.' },
);

export const UsagePartSchema = part('usage', UsageSchema.description, usageProperties, UsageSchema.required, {
  kind: 'usage',
  ...UsageSchema.examples[0],
});

export const CostPartSchema = part('cost', CostSchema.description, costProperties, CostSchema.required, {
  kind: 'cost',
  ...CostSchema.examples[0],
});

export const PlanPartSchema = part(
  'plan',
  'The whole plan of the agent; it replaces the previous plan.',
  { entries: { type: 'array', items: PlanEntrySchema, description: 'The steps in their order.' } },
  ['entries'],
  { kind: 'plan', entries: PlanEntrySchema.examples },
);

export const NoticePartSchema = part(
  'notice',
  'A remark of the agent or its driver about itself. It is not part of the answer.',
  {
    code: { type: 'string', description: 'Stable code of the notice.' },
    message: { type: 'string', description: 'One line for a person.' },
    detail: { description: 'Further details, any JSON. Left out where there are none.' },
  },
  ['code', 'message'],
  { kind: 'notice', code: 'compaction', message: 'the conversation was shortened' },
);

export const RawPartSchema = part(
  'raw',
  'A message of the agent that its driver does not know.',
  { data: { description: 'The message, cut to a bound.' } },
  ['data'],
  { kind: 'raw', data: { type: 'telemetry', ok: true } },
);

/** One schema for each kind of output part. */
export const outputParts = {
  text: TextPartSchema,
  retraction: RetractionPartSchema,
  thinking: ThinkingPartSchema,
  tool: ToolPartSchema,
  usage: UsagePartSchema,
  cost: CostPartSchema,
  plan: PlanPartSchema,
  notice: NoticePartSchema,
  raw: RawPartSchema,
} as const satisfies { readonly [K in OutputPart['kind']]: Schema };

export const OutputPartSchema = {
  description: 'Output of an agent, in the same parts for every agent.',
  oneOf: [
    TextPartSchema,
    RetractionPartSchema,
    ThinkingPartSchema,
    ToolPartSchema,
    UsagePartSchema,
    CostPartSchema,
    PlanPartSchema,
    NoticePartSchema,
    RawPartSchema,
  ],
  discriminator: { propertyName: 'kind' },
} as const satisfies Schema;

export const TurnFailureSchema = {
  type: 'object',
  description: 'Why a turn failed.',
  additionalProperties: false,
  required: ['class', 'transient', 'message', 'hint'],
  properties: {
    class: {
      type: 'string',
      description:
        'Class of the failure, for example `rate_limit` or `overloaded`; [providers](providers.md) lists the classes.',
    },
    transient: { type: 'boolean', description: 'The failure may pass by itself, so Signalbox retries the turn.' },
    login: {
      const: true,
      description: 'The agent has no login that the provider accepts. Left out where that is not the cause.',
    },
    message: { type: 'string', description: "The agent's own words." },
    hint: { type: 'string', description: 'What to do.' },
    retryAfterMs: {
      type: 'integer',
      description: 'How long the provider asks to wait, in milliseconds. Left out where it does not say.',
    },
  },
  examples: [
    {
      class: 'rate_limit',
      transient: true,
      message: '429 Too Many Requests',
      hint: 'Wait, or raise the limit with your provider.',
      retryAfterMs: 20_000,
    },
  ],
} as const satisfies Schema;

export const TurnReportSchema = {
  type: 'object',
  description: 'What the agent reports at the end of a turn.',
  additionalProperties: false,
  required: ['text'],
  properties: {
    text: {
      type: 'string',
      description:
        'Everything that the agent said in the turn; empty if it said nothing. After a denial, an empty one is a line of Signalbox that begins with `[signalbox]`. Of more than 4,000,000 UTF-16 code units it has the beginning; the pieces have it all.',
    },
    usage: { ...UsageSchema, description: 'Tokens of the turn. Left out where the agent does not say.' },
    cost: { ...CostSchema, description: 'What the turn cost. Left out where the agent does not say.' },
    failure: { ...TurnFailureSchema, description: 'Why the turn failed. Left out where it did not.' },
    error: { description: "The agent's own record of the failure; any JSON." },
  },
  examples: [{ text: 'All tests pass.', usage: { inputTokens: 5210, outputTokens: 342 } }],
} as const satisfies Schema;

export const PermissionActionSchema = {
  type: 'object',
  description: 'The action that the agent requests permission for.',
  additionalProperties: false,
  required: ['kind', 'tool', 'title', 'detail'],
  properties: {
    kind: {
      type: 'string',
      enum: actionKinds,
      description: 'What the agent wants to do, in one vocabulary for all agents.',
    },
    tool: { type: 'string', description: "The agent's own name of the tool." },
    title: { type: 'string', description: 'One line for a person: the command, the path.' },
    detail: { description: 'The request as the agent made it; any JSON. Above about 64 KiB it is cut, and says so.' },
  },
  examples: [{ kind: 'execute', tool: 'Bash', title: 'git push', detail: { command: 'git push' } }],
} as const satisfies Schema;

export const AgentCapsSchema = {
  type: 'object',
  description: 'Abilities of the running agent, as its driver detected them.',
  additionalProperties: false,
  required: ['acks', 'steer', 'rewind', 'models', 'keepsPrompts'],
  properties: {
    acks: { type: 'boolean', description: 'It acknowledges interrupts.' },
    steer: { type: 'boolean', description: 'It can take a message into a running turn.' },
    rewind: { type: 'boolean', description: 'It can remove a turn from its conversation.' },
    models: { type: 'boolean', description: 'It can change its model without a restart.' },
    keepsPrompts: {
      type: 'boolean',
      description: 'Its conversation keeps the prompt of a turn that was interrupted or failed.',
    },
  },
  examples: [{ acks: true, steer: true, rewind: false, models: true, keepsPrompts: true }],
} as const satisfies Schema;

const parkedProperties = {
  kind: {
    type: 'string',
    enum: parkedKinds,
    description:
      '`operator`: a person parked it. `closing`: the daemon closed, and its next start unparks it. `fault`: a defect stopped it.',
  },
  reason: { type: 'string', description: 'Why it is parked, free text for people; for a fault the error.' },
} as const;

export const ParkedSchema = {
  type: 'object',
  description: 'A session that is parked grants and sends nothing. `signalbox unpark` resumes it.',
  additionalProperties: false,
  required: ['kind', 'reason', 'by'],
  properties: {
    ...parkedProperties,
    by: {
      anyOf: [ActorSchema, { type: 'null' }],
      description: 'A person or a token, or the daemon when it closes; null: unknown, or a fault.',
    },
  },
  examples: [{ kind: 'operator', reason: 'the repository is being moved', by: { kind: 'person', name: 'ada' } }],
} as const satisfies Schema;

/** Each schema above describes its type of the core, or this file does not compile. */
export type PartsFit = AllTrue<{
  readonly [K in OutputPart['kind']]: Describes<(typeof outputParts)[K], Extract<OutputPart, { kind: K }>>;
}> &
  AllTrue<{
    actor: Describes<typeof ActorSchema, Actor>;
    usage: Describes<typeof UsageSchema, Usage>;
    cost: Describes<typeof CostSchema, Cost>;
    boundedText: Describes<typeof BoundedTextSchema, BoundedText>;
    fileDiff: Describes<typeof FileDiffSchema, FileDiff>;
    toolPart: Describes<typeof ToolPartSchema, ToolPart>;
    planEntry: Describes<typeof PlanEntrySchema, PlanEntry>;
    turnFailure: Describes<typeof TurnFailureSchema, TurnFailure>;
    turnReport: Describes<typeof TurnReportSchema, TurnReport>;
    permissionAction: Describes<typeof PermissionActionSchema, PermissionAction>;
    agentCaps: Describes<typeof AgentCapsSchema, AgentCaps>;
    parked: Describes<typeof ParkedSchema, Parked>;
  }>;
