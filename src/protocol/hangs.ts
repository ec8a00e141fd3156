/** Hang reports: what is stuck, where, and what waits for it. */
import { TimeSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

export const HangClassSchema = {
  type: 'string',
  enum: [
    'main-loop-blocked',
    'channel-orphaned',
    'agent-spinning',
    'protocol-stuck',
    'agent-silent',
    'waiting-for-person',
    'no-hang',
  ],
  description:
    'The daemon’s own main loop; an agent whose process is gone and whose pipes are held; one that says nothing and uses all of a core; one that does not answer; one that says nothing and does nothing. A wait for a person is no hang.',
} as const satisfies Schema;

const trigger = {
  type: 'string',
  enum: ['watch', 'asked', 'end'],
  description:
    '`watch`: noticed by itself. `asked`: somebody asked. `end`: the daemon did not end when it was told to.',
} as const satisfies Schema;

const nullableInteger = (description: string) => ({ type: ['integer', 'null'], description }) as const;

const summaryProperties = {
  id: { type: 'string' },
  at: TimeSchema,
  class: HangClassSchema,
  trigger,
  summary: { type: 'string', description: 'One line for a person.' },
  session: { type: ['string', 'null'], description: 'The session that it is about; null: the daemon.' },
} as const;

export const HangSummarySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'at', 'class', 'trigger', 'summary', 'session', 'file'],
  properties: { ...summaryProperties, file: { type: 'string', description: 'On the machine of the daemon.' } },
} as const satisfies Schema;
export type HangSummary = Wire<typeof HangSummarySchema>;

export const HangListSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['items'],
  properties: { items: { type: 'array', items: HangSummarySchema, description: 'Newest first; at most 50 are kept.' } },
} as const satisfies Schema;
export type HangList = Wire<typeof HangListSchema>;

const frame = {
  type: 'object',
  additionalProperties: false,
  required: ['function', 'url', 'line', 'column'],
  properties: {
    function: { type: 'string' },
    url: { type: 'string' },
    line: { type: 'integer' },
    column: { type: 'integer' },
  },
} as const satisfies Schema;

const thread = {
  type: 'object',
  additionalProperties: false,
  required: ['tid', 'name', 'state', 'waits', 'call', 'cpuMs'],
  properties: {
    tid: { type: 'integer' },
    name: { type: 'string' },
    state: {
      type: 'string',
      description: 'R running, S waiting, D waiting and deaf to signals, T stopped, Z ended.',
    },
    waits: { type: ['string', 'null'], description: 'The kernel function that it waits in.' },
    call: nullableInteger('Number of the system call that it is in.'),
    cpuMs: { type: 'integer' },
  },
} as const satisfies Schema;

const pending = {
  type: 'object',
  additionalProperties: false,
  required: ['what', 'id', 'ageMs'],
  properties: { what: { type: 'string' }, id: { type: 'string' }, ageMs: { type: 'integer' } },
} as const satisfies Schema;

const session = {
  type: 'object',
  additionalProperties: false,
  required: [
    'session',
    'phase',
    'task',
    'turn',
    'queued',
    'pid',
    'quietMs',
    'pending',
    'permissionRequests',
    'cpu',
    'class',
  ],
  properties: {
    session: { type: 'string' },
    phase: { type: 'string', description: 'Of the agent and its turn.' },
    task: { type: ['string', 'null'], description: 'The task that owns the session.' },
    turn: nullableInteger('Its turn.'),
    queued: { type: 'integer', description: 'Tasks that wait.' },
    pid: nullableInteger('Of the agent.'),
    quietMs: nullableInteger('Since its last word, or since it was given the word.'),
    pending: { type: 'array', items: pending, description: 'Written to the agent and not answered, oldest first.' },
    permissionRequests: { type: 'integer', description: 'Permission requests that wait for a person.' },
    cpu: {
      type: ['number', 'null'],
      description: 'CPU, got or waited for, of one core; measured when it has been quiet for a while.',
    },
    class: { anyOf: [HangClassSchema, { type: 'null' }] },
  },
} as const satisfies Schema;

const waiting = {
  type: 'object',
  additionalProperties: false,
  required: ['owner', 'name', 'id', 'ageMs', 'leftMs', 'person'],
  properties: {
    owner: { type: 'string' },
    name: { type: 'string' },
    id: { type: ['string', 'null'] },
    ageMs: { type: 'integer' },
    leftMs: nullableInteger('Until it ends by itself; null: a person or somebody else ends it.'),
    person: { type: 'boolean' },
  },
} as const satisfies Schema;

const stack = { type: 'array', items: frame } as const satisfies Schema;

export const HangReportSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    ...HangSummarySchema.required.filter((name) => name !== 'file'),
    'process',
    'main',
    'stack',
    'noStack',
    'threadsOf',
    'threads',
    'parked',
    'parkedAgeMs',
    'resumed',
  ],
  properties: {
    ...summaryProperties,
    process: {
      type: 'object',
      additionalProperties: false,
      required: ['pid', 'version', 'node', 'upMs', 'rss', 'launcherMs'],
      properties: {
        pid: { type: 'integer' },
        version: { type: 'string' },
        node: { type: 'string' },
        upMs: { type: 'integer' },
        rss: { type: 'integer', description: 'Bytes.' },
        launcherMs: nullableInteger('Since the launcher was last heard; null: there is none.'),
      },
    },
    main: {
      type: 'object',
      additionalProperties: false,
      required: ['lagMs', 'how'],
      properties: {
        lagMs: { type: 'integer', description: 'Since the main loop last gave a sign of life.' },
        how: { type: ['string', 'null'], enum: ['js', 'native', null], description: 'Null: it runs.' },
      },
    },
    stack: { anyOf: [stack, { type: 'null' }], description: 'Of the main loop, innermost first.' },
    noStack: { type: ['string', 'null'], description: 'Why there is none.' },
    threadsOf: { type: 'integer', description: 'The agent’s process, or the daemon’s.' },
    threads: { type: 'array', items: thread },
    parked: {
      anyOf: [
        {
          type: 'object',
          additionalProperties: false,
          required: ['sessions', 'waits', 'omitted'],
          properties: {
            sessions: { type: 'array', items: session },
            waits: { type: 'array', items: waiting },
            omitted: { type: 'integer' },
          },
        },
        { type: 'null' },
      ],
      description: 'What waits, as the main loop last wrote it down; null: nothing yet.',
    },
    parkedAgeMs: nullableInteger('How old that is; ages in it are counted on.'),
    resumed: {
      anyOf: [
        {
          type: 'object',
          additionalProperties: false,
          required: ['afterMs', 'stack'],
          properties: { afterMs: { type: 'integer' }, stack: { anyOf: [stack, { type: 'null' }] } },
        },
        { type: 'null' },
      ],
      description: 'The main loop ran again after so long, and where it came back from native code.',
    },
  },
} as const satisfies Schema;
export type HangReport = Wire<typeof HangReportSchema>;
