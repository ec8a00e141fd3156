/**
 * Events on the tape of a task. The description of each schema says when the event comes; `docs/events.md` is made from it.
 * The order is that in which the events of a task usually come.
 */
import type { TaskEventData, TaskEventType } from '../../core/model/events.ts';
import { deadlineNames } from '../../core/model/timers.ts';
import { lanes, taskModes, terminalStatuses, whenBusyPolicies } from '../../core/model/task.ts';
import { turnOutcomes } from '../../core/model/session.ts';
import { turnLimits } from '../../core/model/turn-limits.ts';
import type { Schema } from '../schema.ts';
import {
  CostSchema,
  OutputPartSchema,
  PermissionActionSchema,
  TurnFailureSchema,
  TurnReportSchema,
  UsageSchema,
} from './parts.ts';
import { actor, epoch, eventData, incarnation, nullable, nullableText, taskId, turn } from './fields.ts';
import type { AllTrue, Describes } from '../describes.ts';

const attempt = {
  type: 'integer',
  description: 'Number of the attempt, from 1. A preemption or a transient failure does not begin another one.',
} as const;

const sender = actor('A person or a token; null: unknown.');

const queued = eventData(
  'The task was admitted. The tape of every task begins with it, also when the task is merged.',
  {
    lane: {
      type: 'string',
      enum: lanes,
      description: '`interactive`: the sender waits for the answer. `background`: the sender does not wait.',
    },
    mode: {
      type: 'string',
      enum: taskModes,
      description:
        '`prompt`: one turn with the prompt. `code`: a code runner takes any number of turns. `external`: a program outside the daemon does, its holder.',
    },
    whenBusy: {
      type: 'string',
      enum: whenBusyPolicies,
      description: 'What the task does if the session is busy: see [when busy](glossary.md#who-goes-first).',
    },
    priority: {
      type: 'integer',
      description: 'From -1000 to 1000. Higher goes first in the background lane; 0 in the interactive lane.',
    },
    title: {
      type: 'string',
      description: 'First line of the prompt, at most 120 characters. `GET /v1/tasks/{id}` has the whole prompt.',
    },
    source: {
      type: 'string',
      description:
        'Where the task comes from: `cli`, `api`, a webhook source such as `github:acme/app#7`, or a name of the sender.',
    },
    author: nullableText('Who wrote the prompt, as the sender says; null: the sender did not say.'),
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
  'The task was merged into another queued task; one turn answers both (`collect`). See [merged tasks](#merged-tasks).',
  { into: taskId('The task that has the turn.') },
  { into: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11' },
);

const steered = eventData(
  'Signalbox sent the task into a running turn (`steer`). A second event follows if the agent takes its text.',
  {
    into: taskId('The task whose turn it was sent into.'),
    turn,
    delivered: {
      type: 'boolean',
      description: 'False in the first event. True in the second: the agent has taken the text.',
    },
  },
  { into: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', turn: 3, delivered: true },
);

const requeued = eventData(
  'The task left the turn of another task without an answer, and waits in the queue again: the other task was cancelled, or its turn ended without the text.',
  { from: taskId('The task that it was merged into.') },
  { from: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11' },
);

const edited = eventData(
  'The prompt of the task was changed before the agent got it. `GET /v1/tasks/{id}` has the new one.',
  { title: { type: 'string', description: 'First line of the new prompt.' }, by: sender },
  { title: 'Fix the second test', by: { kind: 'person', name: 'ada' } },
);

const moved = eventData(
  'The lane, the priority or the position of the task was changed. An owner gives up the session for it (`preempted`).',
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
    by: sender,
  },
  { lane: 'background', priority: 5, where: 'first', by: { kind: 'person', name: 'ada' } },
);

const passedOver = {
  type: 'integer',
  description:
    'How often another task became the owner while this one was the oldest background task that waited. With `limits.maxPassedOver` its turn is protected.',
} as const;

const granted = eventData(
  'The task became the owner of its session for the first time. Its status is now `running`.',
  { epoch, attempt, passedOver },
  { epoch: 12, attempt: 1, passedOver: 0 },
);

const resumed = eventData(
  'The task became the owner of its session again: after a preemption, a transient failure, or a restart of the daemon.',
  { epoch, attempt, passedOver },
  { epoch: 14, attempt: 1, passedOver: 1 },
);

const turnSent = eventData(
  'Signalbox writes a prompt to the agent, as soon as this event is stored.',
  {
    turn,
    incarnation,
    epoch,
    attempt,
    resumed: {
      type: 'boolean',
      description: 'An earlier turn of the task was preempted, failed or lost. The prompt asks the agent to continue.',
    },
    interruptedMidTurn: {
      type: 'boolean',
      description:
        'An earlier turn was cut off. Whether its last tool call happened is unknown, and the prompt says so.',
    },
    delivered: {
      type: 'boolean',
      description: 'The conversation has the text of the task. The prompt is only a note.',
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
    delivered: false,
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
    turn,
    part: { ...OutputPartSchema, description: 'What the agent said: see [output parts](#output-parts).' },
  },
  { turn: 3, part: { kind: 'text', text: 'Yes: all 212 tests pass.' } },
);

const request = {
  type: 'string',
  description: 'Id of the permission request, unique within its turn. It may equal the `id` of a tool part.',
} as const;

const permissionRequested = eventData(
  'The agent requests permission for an action. If the policy decides, `permission-resolved` follows in the same commit; otherwise a person has to [respond](permissions.md) before `limits.permissionMs` is over.',
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
        '`withdrawn`: the request needs no answer any more, because its turn was interrupted or has ended, or the agent took it back.',
    },
    by: actor(
      'A person or a token, the policy, or the deadline that denied it. For `withdrawn`: who interrupted the turn, or the agent. Null: the turn ended.',
    ),
    note: nullableText('The note that the agent gets with a denial; null: none.'),
  },
  { turn: 3, request: 'toolu_01', decision: 'allow', by: { kind: 'person', name: 'ada' }, note: null },
);

const progress = eventData(
  'The code runner or the holder of the task reported progress.',
  { data: { description: 'Any JSON; the runner defines its meaning.' } },
  { data: { checked: 12, of: 40 } },
);

const interruptRequested = eventData(
  'An interrupt of the turn was requested. The turn continues until the agent has read the interrupt and ended it.',
  {
    turn,
    why: {
      type: 'string',
      enum: ['preempt', 'hold', 'close', 'give-way', 'silence', 'release', 'verdict'],
      description:
        '`preempt`: an interactive task waits. `hold`: a task has waited for `limits.holdLimitMs`. `close`: the daemon closes. `give-way`: an interactive task of another session needs the agent slot or the folder. `silence`: the agent said nothing for too long. `release`: its runner has given the session back. `verdict`: the task must end.',
    },
    by: actor('The task that waits, the deadline, the daemon, or who ends the task; null: unknown.'),
    sent: {
      type: 'boolean',
      description:
        'True: the interrupt is written to the agent now. False: it follows when the agent has confirmed the turn, or an earlier event requested it and only `why` changed.',
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
  'A cancel was requested, and the running turn of the task must end first. If the turn completes before it reads the interrupt, a prompt task still ends `completed`. A task without a running turn ends immediately, without this event.',
  {
    reason: { type: 'string', description: '[Reason code](#reason-codes) that `final` will have.' },
    by: actor('A person or a token, or the task that takes its place; null: unknown.'),
    turn,
  },
  { reason: 'cancelled', by: { kind: 'person', name: 'ada' }, turn: 3 },
);

const deadlineReached = eventData(
  'A deadline of the task, its turn or its agent was reached.',
  {
    name: {
      type: 'string',
      enum: deadlineNames,
      description: 'Name of the deadline: see [deadlines](#deadlines).',
    },
    turn: { type: ['integer', 'null'], description: 'Number of the turn in its session; null: the owner had none.' },
    epoch: { type: ['integer', 'null'], description: 'Number of the hold; null: unknown.' },
  },
  { name: 'silence', turn: 3, epoch: 12 },
);

const limitReached = eventData(
  'The turn has reached one of its limits, and is interrupted. Its task fails; `turn-ended` and `final` follow.',
  {
    turn,
    limit: {
      type: 'string',
      enum: turnLimits,
      description:
        '`output`: `limits.turnOutputBytes`. `tools`: `limits.turnToolCalls`. `tokens`: `limits.turnTokens`. `time`: `limits.turnLimitMs`.',
    },
    bound: { type: 'number', description: 'The configured limit: bytes, calls, tokens, or milliseconds.' },
  },
  { turn: 3, limit: 'tools', bound: 10_000 },
);

const turnEnded = eventData(
  'The turn is over. Its text is in its `output` events, and in `final` where the turn ended the task. Sum `usage` and `cost` of these events to get totals.',
  {
    turn,
    outcome: { type: 'string', enum: turnOutcomes, description: 'How the turn ended.' },
    textLength: {
      type: ['integer', 'null'],
      description: 'Length of its text in UTF-16 code units, at most 4,000,000; null: the agent gave no result.',
    },
    usage: nullable(UsageSchema, 'Tokens of the turn; null: the agent does not say.'),
    cost: nullable(CostSchema, 'What the turn cost; null: the agent does not say.'),
    failure: nullable(TurnFailureSchema, 'Why the turn failed; null: it did not, or its agent gives no reason.'),
    error: { description: "The agent's own record of the failure, any JSON; null: there is none." },
    reason: nullableText('[Reason code](#reason-codes) of a lost turn; null: it was not lost.'),
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
  'The task gave up the session to an interactive task, at the hold limit, because it was moved, for an interactive task of another session, or because the daemon closes, and waits in the queue again; or its runner gave it back, and works on without it; or the lease of its holder has lapsed.',
  {
    by: actor(
      'The task that gets the session, the deadline `hold` or `lease`, who moved it, the daemon, or its runner; null: unknown.',
    ),
    epoch: { type: 'integer', description: 'Number of the hold that ended.' },
  },
  { by: { kind: 'task', name: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11' }, epoch: 12 },
);

const expired = eventData(
  'The time of the task was up, and it waited. `final` follows in the same commit.',
  {
    waitsFor: {
      type: 'string',
      description:
        'What it waited for: `session` (another owner), `agent` (one that comes to its boundary), `holder` (one that claims it), `parked` (a person), or the reason of a throttle, for example `auth`.',
    },
  },
  { waitsFor: 'auth' },
);

const claimed = eventData(
  'A program has claimed the external task: its holder is there, and the task competes for the session.',
  {
    holder: { type: 'string', description: 'The name that the holder gave itself.' },
    leaseMs: { type: 'integer', description: 'Milliseconds that the holder may be silent.' },
  },
  { holder: 'worker-7f3a', leaseMs: 30_000 },
);

const leaseLapsed = eventData(
  'The holder of the external task was silent for longer than its lease. `attempt-lost` follows if it had the session; another holder may claim the task.',
  {
    holder: { type: 'string', description: 'The name that the holder gave itself.' },
    epoch: {
      type: ['integer', 'null'],
      description:
        'Epoch of the holder, which is refused from now on; null: the holder had not been granted the session.',
    },
  },
  { holder: 'worker-7f3a', epoch: 12 },
);

const attemptLost = eventData(
  'The attempt was lost: its agent, its daemon, its code runner or its holder ended, or a deadline ended it. `attempt-retried` or `final` follows in the same commit.',
  { reason: { type: 'string', description: '[Reason code](#reason-codes) of the loss.' }, attempt },
  { reason: 'agent_lost', attempt: 1 },
);

const attemptRetried = eventData(
  'The task is retried after a lost attempt.',
  {
    attempt: {
      type: 'integer',
      description:
        'Number of the attempt that begins. Only a loss that the turn may have caused itself makes it a new one: `agent_lost`, `silence_deadline` and `holder_lost`.',
    },
    reason: { type: 'string', description: '[Reason code](#reason-codes) of the loss.' },
  },
  { attempt: 2, reason: 'agent_lost' },
);

const turnRetried = eventData(
  'The turn failed for a transient reason. The task waits in the queue and retries the turn within the same attempt.',
  {
    attempt,
    reason: nullableText('[Class of the failure](providers.md), for example `rate_limit`; null: unknown.'),
    retry: { type: 'integer', description: 'Number of the retry. The count begins again at 1 after a completed turn.' },
  },
  { attempt: 1, reason: 'rate_limit', retry: 1 },
);

const final = eventData(
  'The task has ended. Every tape of a task ends with exactly one `final`.',
  {
    status: { type: 'string', enum: terminalStatuses, description: 'How the task ended.' },
    reason: {
      type: 'string',
      description: '[Reason code](#reason-codes).',
    },
    by: actor('Who ended the task; null: it ended with its turn.'),
    attempts: { type: 'integer', description: 'Number of attempts that began; 0: the task never became the owner.' },
    answer: nullable(
      TurnReportSchema,
      'The report of the turn that ended a prompt task. Null: no turn ended it, or its turns were those of a runner. See [answers](#the-answer-usage-and-cost).',
    ),
    result: {
      description:
        'The value that the code runner returned or the holder gave, any JSON, or `{ error }`; null for a prompt task.',
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
  'limit-reached': limitReached,
  'turn-ended': turnEnded,
  expired,
  claimed,
  'lease-lapsed': leaseLapsed,
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
