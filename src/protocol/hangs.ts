/** Hang reports: the stuck thread or process, its stack, and the waits for it. */
import { hangClasses, hangTriggers } from '../core/model/hang.ts';
import { TimeSchema } from './ids.ts';
import type { Schema, Wire } from './schema.ts';

export const HangClassSchema = {
  type: 'string',
  enum: hangClasses,
  description:
    '`main-loop-blocked`: the main loop of the daemon. `channel-orphaned`: the agent has ended, but another process holds its pipes. `agent-spinning`: it is silent and uses a whole core. `protocol-stuck`: it does not answer. `agent-silent`: it is silent and idle. `waiting-for-person` and `no-hang` are not hangs.',
} as const satisfies Schema;

const trigger = {
  type: 'string',
  enum: hangTriggers,
  description:
    '`watch`: the watchdog noticed it. `requested`: a person requested the report. `end`: the daemon did not end on request.',
} as const satisfies Schema;

const nullableInteger = (description: string) => ({ type: ['integer', 'null'], description }) as const;

const summaryProperties = {
  id: { type: 'string' },
  at: TimeSchema,
  class: HangClassSchema,
  trigger,
  summary: { type: 'string', description: 'One line for a person.' },
  session: { type: ['string', 'null'], description: 'The session of the hang; null: the daemon.' },
} as const;

export const HangSummarySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'at', 'class', 'trigger', 'summary', 'session', 'file'],
  properties: { ...summaryProperties, file: { type: 'string', description: 'Its file on the machine of the daemon.' } },
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
      description: 'R: running. S: waits. D: waits and ignores signals. T: stopped. Z: ended.',
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
    quietMs: nullableInteger('Since its last output, or since its prompt.'),
    pending: { type: 'array', items: pending, description: 'Requests to the agent without an answer, oldest first.' },
    permissionRequests: { type: 'integer', description: 'Permission requests that wait for a person.' },
    cpu: {
      type: ['number', 'null'],
      description: 'Share of one core that it used or waited for; measured once it has been quiet for some time.',
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
    leftMs: nullableInteger('Until it ends by itself; null: it has no deadline.'),
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
    'snapshot',
    'snapshotAgeMs',
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
        launcherMs: nullableInteger('Since the last message of the launcher; null: no launcher.'),
      },
    },
    main: {
      type: 'object',
      additionalProperties: false,
      required: ['lagMs', 'how'],
      properties: {
        lagMs: { type: 'integer', description: 'Since the last heartbeat of the main loop.' },
        how: {
          type: ['string', 'null'],
          enum: ['js', 'native', null],
          description: 'How the loop is blocked; null: it runs.',
        },
      },
    },
    stack: { anyOf: [stack, { type: 'null' }], description: 'Of the main loop, innermost first.' },
    noStack: { type: ['string', 'null'], description: 'Why the report has no stack.' },
    threadsOf: { type: 'integer', description: 'The agent’s process, or the daemon’s.' },
    threads: { type: 'array', items: thread },
    snapshot: {
      anyOf: [
        {
          type: 'object',
          additionalProperties: false,
          required: ['sessions', 'waits', 'omitted'],
          properties: {
            sessions: { type: 'array', items: session },
            waits: { type: 'array', items: waiting },
            omitted: { type: 'integer', description: 'Sessions and waits that did not fit.' },
          },
        },
        { type: 'null' },
      ],
      description:
        'The live sessions and the open waits, as the main loop last wrote them down; null: it has written nothing yet.',
    },
    snapshotAgeMs: nullableInteger('Age of the snapshot. The ages in it are those at the time of the report.'),
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
      description: 'How long the main loop was blocked, and where it returned from native code.',
    },
  },
} as const satisfies Schema;
export type HangReport = Wire<typeof HangReportSchema>;
