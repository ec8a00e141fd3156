/**
 * Events on the tape of a task. The description of each schema says when the event comes; `docs/events.md` is made from it.
 * The order is that in which the events of a task usually come.
 */
import type { TaskEventData, TaskEventType } from '../../core/model/events.ts';
import { timerNames } from '../../core/model/timers.ts';
import { lanes, taskModes, terminalStatuses, whenBusyPolicies } from '../../core/model/task.ts';
import { turnOutcomes } from '../../core/model/session.ts';
import type { Schema } from '../schema.ts';
import {
  CostSchema,
  OutputPartSchema,
  PermissionActionSchema,
  TurnFailureSchema,
  TurnReportSchema,
  UsageSchema,
} from './parts.ts';
import { by, epoch, eventData, incarnation, nullable, nullableText, taskId, turn } from './fields.ts';
import type { AllTrue, Describes } from './types.ts';

const attempt = { type: 'integer', description: 'Number of the attempt, from 1.' } as const;

const queued = eventData(
  'The task was admitted. It is the first event of every tape, also of a task that joins the turn of another one.',
  {
    lane: {
      type: 'string',
      enum: lanes,
      description: '`interactive`: the sender waits for the answer. `background`: the sender does not wait.',
    },
    mode: {
      type: 'string',
      enum: taskModes,
      description: '`prompt`: one turn with the prompt. `code`: a code runner takes any number of turns.',
    },
    whenBusy: {
      type: 'string',
      enum: whenBusyPolicies,
      description: 'What the task does when it finds the session busy.',
    },
    priority: { type: 'integer', description: 'Higher goes first, in the background lane only.' },
    title: { type: 'string', description: 'First line of the prompt, at most 120 characters.' },
    source: { type: 'string', description: 'Where the task comes from, for example `api`.' },
    author: nullableText('Who wrote the prompt; null: the sender did not say.'),
    fallback: {
      type: 'boolean',
      description: 'The agent could not take the task into its running turn (`steer`), so the task was queued.',
    },
  },
  {
    lane: 'interactive',
    mode: 'prompt',
    whenBusy: 'preempt',
    priority: 0,
    title: 'Is the build green?',
    source: 'cli',
    author: 'ada',
    fallback: false,
  },
);

const merged = eventData(
  'The task joined another queued task; one turn answers both (`collect`).',
  { into: taskId('The task that it joined.') },
  { into: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11' },
);

const steered = eventData(
  'The task was sent into a running turn (`steer`). The event comes again when the agent has taken its text.',
  {
    into: taskId('The task whose turn it was sent into.'),
    turn,
    delivered: { type: 'boolean', description: 'The agent has taken the text.' },
  },
  { into: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', turn: 3, delivered: true },
);

const requeued = eventData(
  'The task left the turn of another task without an answer, and waits in the queue again.',
  { from: taskId('The task that it had joined.') },
  { from: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11' },
);

const edited = eventData('The prompt of the queued task was changed.', { by }, { by: { kind: 'person', name: 'ada' } });

const moved = eventData(
  'The lane, the priority or the position of the queued task was changed.',
  {
    lane: { type: 'string', enum: lanes, description: 'Its new lane.' },
    priority: { type: 'integer', description: 'Its new priority.' },
    where: {
      anyOf: [
        { type: 'string', enum: ['first', 'last'] },
        {
          type: 'object',
          additionalProperties: false,
          required: ['before'],
          properties: { before: taskId('The task that it goes before.') },
        },
        { type: 'null' },
      ],
      description:
        'Its new position in its lane: `first`, `last`, or `{ before }` another task. Null: the position did not change.',
    },
    by,
  },
  { lane: 'background', priority: 5, where: 'first', by: { kind: 'person', name: 'ada' } },
);

const granted = eventData(
  'The task became the owner of its session for the first time.',
  { epoch, attempt },
  { epoch: 12, attempt: 1 },
);

const resumed = eventData(
  'The task became the owner of its session again.',
  { epoch, attempt },
  { epoch: 14, attempt: 1 },
);

const turnSent = eventData(
  'A prompt was written to the agent.',
  {
    turn,
    incarnation,
    epoch,
    attempt,
    resumed: {
      type: 'boolean',
      description: 'An earlier turn of the task did not end by itself. The prompt asks the agent to continue.',
    },
    interruptedMidTurn: {
      type: 'boolean',
      description:
        'An earlier turn was cut off. Whether its last tool call happened is unknown, and the prompt says so.',
    },
    protected: { type: 'boolean', description: 'The turn is not preempted until its protected window ends.' },
    mergedTasks: {
      type: 'array',
      items: { type: 'string' },
      description: 'Ids of the tasks that this turn also answers, oldest first.',
    },
    model: nullableText("The model of the turn; null: the agent's default."),
  },
  {
    turn: 3,
    incarnation: 1,
    epoch: 12,
    attempt: 1,
    resumed: false,
    interruptedMidTurn: false,
    protected: false,
    mergedTasks: [],
    model: null,
  },
);

const turnStarted = eventData(
  'The agent confirmed that it works on the turn. An interrupt can reach it from now on.',
  { turn },
  { turn: 3 },
);

const output = eventData(
  'Output of the agent in the turn. The text pieces of a turn, in order, are its answer.',
  {
    turn: {
      type: ['integer', 'null'],
      description: 'Number of the turn in its session; null: the agent did not say which.',
    },
    part: { ...OutputPartSchema, description: 'The output part (see below).' },
  },
  { turn: 3, part: { kind: 'text', text: 'Yes: all 212 tests pass.' } },
);

const request = { type: 'string', description: 'Id of the permission request, unique within its turn.' } as const;

const permissionRequested = eventData(
  'The agent requests permission for an action.',
  { turn, request, action: { ...PermissionActionSchema, description: 'The action.' } },
  {
    turn: 3,
    request: 'toolu_01',
    action: { kind: 'execute', tool: 'Bash', title: 'git push', detail: { command: 'git push' } },
  },
);

const permissionResolved = eventData(
  'A permission request was answered or withdrawn.',
  {
    turn,
    request,
    decision: {
      type: 'string',
      enum: ['allow', 'deny', 'withdrawn'],
      description:
        '`withdrawn`: it needs no answer any more, because its turn was interrupted or has ended, or the agent withdrew it.',
    },
    by,
    note: nullableText('The note that the agent gets with a denial; null: none.'),
  },
  { turn: 3, request: 'toolu_01', decision: 'allow', by: { kind: 'person', name: 'ada' }, note: null },
);

const progress = eventData(
  'The code runner of the task reported progress.',
  { data: { description: 'Any JSON; the code runner defines its meaning.' } },
  { data: { checked: 12, of: 40 } },
);

const interruptRequested = eventData(
  'An interrupt of the turn was requested. The turn continues until the agent has read the interrupt and ended it.',
  {
    turn,
    why: {
      type: 'string',
      enum: ['preempt', 'silence', 'verdict'],
      description:
        '`preempt`: an interactive task waits. `silence`: the agent said nothing for too long. `verdict`: the task must end.',
    },
    by,
    sent: {
      type: 'boolean',
      description:
        'False: the interrupt was not written now. It waits until the agent has confirmed the turn, or it was written before.',
    },
  },
  { turn: 3, why: 'preempt', by: { kind: 'task', name: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11' }, sent: true },
);

const interruptAcked = eventData(
  'The agent confirmed that it has read the interrupt.',
  { turn, noResult: { type: 'boolean', description: 'The agent says that no result will come for this turn.' } },
  { turn: 3, noResult: false },
);

const cancelRequested = eventData(
  'A cancel was requested, and the running turn of the task must end first. A task without a running turn ends immediately, without this event.',
  {
    reason: { type: 'string', description: 'Reason code, for example `cancelled`, `stopped` or `interrupted`.' },
    by,
    turn,
  },
  { reason: 'cancelled', by: { kind: 'person', name: 'ada' }, turn: 3 },
);

const deadlineReached = eventData(
  'A deadline of the task, its turn or its agent was reached.',
  {
    name: {
      type: 'string',
      enum: timerNames,
      description: 'Name of the deadline. [Hangs](hangs.md) explains each one.',
    },
    turn: { type: ['integer', 'null'], description: 'Number of the turn in its session; null: there was none.' },
    epoch: { type: ['integer', 'null'], description: 'Fencing token of the hold; null: there was none.' },
  },
  { name: 'silence', turn: 3, epoch: 12 },
);

const turnEnded = eventData(
  'The turn is over. Its text is in its `output` events, and in `final` where the turn ended the task.',
  {
    turn,
    outcome: { type: 'string', enum: turnOutcomes, description: 'How the turn ended.' },
    textLength: {
      type: ['integer', 'null'],
      description: 'Length of its text in UTF-16 code units; null: the agent gave no result.',
    },
    usage: nullable(UsageSchema, 'Tokens of the turn; null: the agent does not say.'),
    cost: nullable(CostSchema, 'What the turn cost; null: the agent does not say.'),
    failure: nullable(TurnFailureSchema, 'Why the turn failed; null: it did not, or its agent gives no reason.'),
    error: { description: "The agent's own record of the failure, any JSON; null: there is none." },
    reason: nullableText('Reason code, where the turn was lost; null: it was not.'),
  },
  {
    turn: 3,
    outcome: 'completed',
    textLength: 24,
    usage: { inputTokens: 5210, outputTokens: 342 },
    cost: { amount: 0.0173, currency: 'USD' },
    failure: null,
    error: null,
    reason: null,
  },
);

const preempted = eventData(
  'The task gave up the session to an interactive task and waits in the queue again.',
  {
    by,
    preemptionsInRow: {
      type: 'integer',
      description:
        'Preemptions since its last turn that was not preempted. After `limits.maxPreemptions` of them the next turn is protected.',
    },
    epoch: { type: 'integer', description: 'Fencing token of the hold that ended.' },
  },
  { by: { kind: 'task', name: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11' }, preemptionsInRow: 1, epoch: 12 },
);

const attemptLost = eventData(
  'The attempt was lost: its agent, its daemon or its code runner ended, or a deadline ended it.',
  { reason: { type: 'string', description: 'Reason code, for example `agent_lost` or `silence_deadline`.' }, attempt },
  { reason: 'agent_lost', attempt: 1 },
);

const attemptRetried = eventData(
  'The task is retried after a lost attempt.',
  {
    attempt: {
      type: 'integer',
      description: 'Number of the attempt that begins. It does not grow where the loss was not counted.',
    },
    reason: { type: 'string', description: 'Reason code of the loss.' },
  },
  { attempt: 2, reason: 'agent_lost' },
);

const turnRetried = eventData(
  'The turn failed for a transient reason. The task waits in the queue and retries the turn within the same attempt.',
  {
    attempt,
    reason: nullableText('Class of the failure, for example `rate_limit`; null: the agent gives no reason.'),
    retry: { type: 'integer', description: 'Number of the retry, from 1. A completed turn resets it.' },
  },
  { attempt: 1, reason: 'rate_limit', retry: 1 },
);

const final = eventData(
  'The task has ended. Every tape of a task ends with exactly one `final`.',
  {
    status: { type: 'string', enum: terminalStatuses, description: 'How the task ended.' },
    reason: {
      type: 'string',
      description:
        'Reason code, for example `completed`, `cancelled`, `replaced`, `expired` or the class of a failure.',
    },
    by,
    attempts: { type: 'integer', description: 'Number of attempts that began.' },
    answer: nullable(TurnReportSchema, 'The report of the turn that ended a prompt task; null: no turn ended it.'),
    result: {
      description: 'The value that the code runner returned, any JSON, or its error; null for a prompt task.',
    },
  },
  {
    status: 'completed',
    reason: 'completed',
    by: null,
    attempts: 1,
    answer: { text: 'Yes: all 212 tests pass.', usage: { inputTokens: 5210, outputTokens: 342 } },
    result: null,
  },
);

/** The schema of the data of each event. */
export const taskEvents = {
  queued,
  merged,
  steered,
  requeued,
  edited,
  moved,
  granted,
  resumed,
  'turn-sent': turnSent,
  'turn-started': turnStarted,
  output,
  'permission-requested': permissionRequested,
  'permission-resolved': permissionResolved,
  progress,
  'interrupt-requested': interruptRequested,
  'interrupt-acked': interruptAcked,
  'cancel-requested': cancelRequested,
  'deadline-reached': deadlineReached,
  'turn-ended': turnEnded,
  preempted,
  'attempt-lost': attemptLost,
  'attempt-retried': attemptRetried,
  'turn-retried': turnRetried,
  final,
} as const satisfies { readonly [T in TaskEventType]: Schema };

/** Each of them describes its member of the union, or this file does not compile. */
export type TaskEventsFit = AllTrue<{
  readonly [T in TaskEventType]: Describes<(typeof taskEvents)[T], TaskEventData[T]>;
}>;
