/** Events on the tape of a session itself. The description of each schema says when the event comes. */
import type { SessionEventData, SessionEventType } from '../../core/model/events.ts';
import { conversationEnds, throttleLevels } from '../../core/model/session.ts';
import type { Schema } from '../schema.ts';
import { actor, epoch, eventData, incarnation, nullableText, taskId, turn } from './fields.ts';
import { AgentCapsSchema, OutputPartSchema, ParkedSchema } from './parts.ts';
import type { AllTrue, Describes } from '../describes.ts';

const model = nullableText("Name of the model; null: the agent's default.");
const conversation = nullableText("The agent's own id of the conversation; null: the agent does not say.");

const sender = actor('A person or a token; null: unknown.');
const operator = actor('A person or a token, or the daemon when it closes; null: unknown.');

const agentStarting = {
  ...eventData(
    'Signalbox starts an agent.',
    {
      incarnation,
      resume: { type: 'boolean', description: 'The agent continues the conversation of the previous agent.' },
      model,
      agent: {
        type: 'string',
        description: 'Name of the agent in the configuration. Left out where the session has none.',
      },
    },
    { incarnation: 1, resume: false, model: null, agent: 'claude' },
  ),
  required: ['incarnation', 'resume', 'model'] as const,
};

const agentReady = eventData(
  'The agent is ready for its first prompt.',
  { incarnation, conversation, caps: AgentCapsSchema },
  {
    incarnation: 1,
    conversation: '5b0c2a11',
    caps: { acks: true, steer: true, rewind: false, models: true, keepsPrompts: true },
  },
);

const agentEnding = eventData(
  'Signalbox ends the agent. The next turn starts another one.',
  {
    incarnation,
    reason: { type: 'string', description: '[Reason code](#reason-codes).' },
    by: actor('Person or token that restarted the agent or evicted its owner; null: a rule of Signalbox, or unknown.'),
  },
  { incarnation: 1, reason: 'restart', by: { kind: 'person', name: 'ada' } },
);

const agentExited = eventData(
  'The agent has ended, for any reason, and its process is gone.',
  {
    incarnation,
    reason: {
      type: 'string',
      description:
        'How it ended: `exited` (by itself), `closed` or `killed` (by Signalbox), `crashed`, `spawn_failed`, or another code of its driver.',
    },
    data: {
      description: 'Details of the end from the driver, any JSON: exit code, signal, last lines of standard error.',
    },
  },
  { incarnation: 1, reason: 'killed', data: { code: null, signal: 'SIGKILL' } },
);

const conversationReset = eventData(
  'The agent does not know the old conversation any more, and a fresh one began. The next prompt says so.',
  {
    conversation: nullableText(
      "The agent's own id of the old conversation; null: it had none. `agent-ready` has the new one.",
    ),
  },
  { conversation: '5b0c2a11' },
);

const conversationEnded = eventData(
  'The conversation is not resumed any more. The next prompt begins a fresh one, and says so.',
  {
    conversation: nullableText("The agent's own id of the old conversation; null: it had none."),
    why: {
      type: 'string',
      enum: conversationEnds,
      description:
        '`command`: a person asked for it. `task`: a task with `conversation: fresh` did. `full`: it was too long for the model.',
    },
    by: actor('The person who asked for it, or the task that asked for it or whose turn filled it.'),
  },
  { conversation: '5b0c2a11', why: 'command', by: { kind: 'person', name: 'ada' } },
);

const agentAssigned = eventData(
  'The session has another agent, or another model for tasks that name none.',
  {
    agent: { type: 'string', description: 'Name of the agent in the configuration.' },
    model,
    from: nullableText('Name of the agent before; null: the session had none.'),
    conversationLost: {
      type: 'boolean',
      description: 'The agent does not know what was said before. The next prompt says so.',
    },
    by: actor('The person who assigned it, or the task that named it; null: unknown.'),
  },
  { agent: 'codex', model: null, from: 'claude', conversationLost: true, by: { kind: 'person', name: 'ada' } },
);

const conversationRewound = eventData(
  'The agent has taken turns out of its conversation, which a task with `rollback` asked for, or it has not.',
  {
    from: { type: 'integer', description: 'The first of these turns. All after it are taken out with it.' },
    turn,
    ok: { type: 'boolean', description: 'False: the agent cannot, or `turn` failed before it started.' },
  },
  { from: 7, turn: 8, ok: true },
);

const modelSwitching = eventData(
  'Signalbox asked the agent to change its model before the next turn.',
  {
    incarnation,
    from: nullableText("The present model; null: the agent's default."),
    to: nullableText("The wanted model; null: the agent's default."),
  },
  { incarnation: 1, from: null, to: 'opus' },
);

const modelSwitched = eventData(
  'The agent has answered the request to change its model.',
  {
    incarnation,
    model,
    ok: { type: 'boolean', description: 'False: it cannot, so Signalbox restarts it with that model.' },
  },
  { incarnation: 1, model: 'opus', ok: true },
);

const throttled = eventData(
  'The session is throttled: work waits although the session is not parked. The event comes again when the level or the reason changes.',
  {
    level: {
      type: 'string',
      enum: throttleLevels,
      description: '`background`: only that lane waits. `all`: nothing is granted or sent.',
    },
    reason: {
      type: 'string',
      description:
        '[Class of the failure](providers.md), `agent_crashed`, `agent_crash_loop` or `agent_start_failed`; or `slots_taken` or `folder_in_use` while the agent waits for [a slot or a folder](slots.md), `no_node` while it waits for [a node](scaling.md#placement).',
    },
    until: {
      type: ['integer', 'null'],
      description: 'When the throttle is lifted, milliseconds since 1970; null: unknown.',
    },
  },
  { level: 'background', reason: 'rate_limit', until: 1_764_341_943_000 },
);

const unthrottled = eventData(
  'The session is not throttled any more.',
  { reason: nullableText('Reason code of the throttle that was lifted; null: unknown.') },
  { reason: 'rate_limit' },
);

const hangReported = eventData(
  'A hang report about the session was written.',
  {
    report: { type: 'string', description: 'Id of the report; `signalbox hangs ID` shows it.' },
    class: {
      type: 'string',
      description: 'What hangs and how, for example `agent-silent`. [Hangs](hangs.md) lists the classes.',
    },
    summary: { type: 'string', description: 'One line for a person.' },
  },
  {
    report: '20261128-140500-1',
    class: 'agent-silent',
    summary: 'the agent of session docs has said nothing for 5 min',
  },
);

const unsolicitedTurn = eventData(
  'The agent began or ended a turn without a prompt from Signalbox. The next prompt waits for its end.',
  {
    incarnation,
    phase: { type: 'string', enum: ['began', 'ended'], description: 'Whether the turn began or ended.' },
    data: { description: 'Details from the agent, any JSON; null: none.' },
  },
  { incarnation: 1, phase: 'began', data: { why: 'a background command has ended' } },
);

const unexpectedOutput = eventData(
  'Output of the agent outside of the turns of tasks: between two turns, or in an unsolicited one. It belongs to no answer. What came too late for its turn is here too, and so is the notice `background-ended`: work in the background that has ended with the agent, and `conversation-left`: why the conversation could not follow its session to this node.',
  {
    incarnation,
    part: { ...OutputPartSchema, description: 'What the agent said: see [output parts](#output-parts).' },
  },
  { incarnation: 1, part: { kind: 'notice', code: 'warning', message: 'a newer version of the agent is available' } },
);

const evicted = eventData(
  'The session was taken from its owner by force. The task ends `failed`, reason `evicted`.',
  {
    task: taskId('The task that owned the session.'),
    epoch: { ...epoch, description: 'Number of the hold that ended.' },
    by: sender,
  },
  { task: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11', epoch: 12, by: { kind: 'person', name: 'ada' } },
);

const { kind, reason } = ParkedSchema.properties;

const parked = eventData(
  'The session was parked: it grants and sends nothing until it is unparked. A defect has its own event, `fault`.',
  { kind, reason, by: operator },
  ParkedSchema.examples[0],
);

const unparked = eventData(
  'The session was unparked.',
  {
    kind,
    reason,
    by: actor('Who unparked it: a person or a token, or the daemon when it starts; null: unknown.'),
  },
  ParkedSchema.examples[0],
);

const recovered = eventData(
  'The daemon has loaded the session after a restart. An owner that was in a turn has lost it.',
  { owner: nullableText('The task that owned the session; null: it had no owner.') },
  { owner: '0198f0a2-7c1e-7c62-9d3e-0d6b5f0c2a11' },
);

const storeRewound = eventData(
  'The store lost the last events of the session: it failed over to a standby that did not have them. What they told may have happened.',
  { node: { type: 'string', description: 'Name of the node that found it out.' } },
  { node: 'build-2' },
);

const fault = eventData(
  'A defect of Signalbox stopped the session. It is parked; `signalbox unpark` resumes it.',
  { reason: { type: 'string', description: 'The error.' } },
  { reason: 'invariant broken: a turn on the wire ends' },
);

/** The schema of the data of each event. */
export const sessionEvents = {
  'agent-starting': agentStarting,
  'agent-ready': agentReady,
  'agent-ending': agentEnding,
  'agent-exited': agentExited,
  'conversation-reset': conversationReset,
  'conversation-ended': conversationEnded,
  'agent-assigned': agentAssigned,
  'conversation-rewound': conversationRewound,
  'model-switching': modelSwitching,
  'model-switched': modelSwitched,
  throttled,
  unthrottled,
  'hang-reported': hangReported,
  'store-rewound': storeRewound,
  'unsolicited-turn': unsolicitedTurn,
  'unexpected-output': unexpectedOutput,
  evicted,
  parked,
  unparked,
  recovered,
  fault,
} as const satisfies { readonly [T in SessionEventType]: Schema };

/** Each of them describes its member of the union, or this file does not compile. */
export type SessionEventsFit = AllTrue<{
  readonly [T in SessionEventType]: Describes<(typeof sessionEvents)[T], SessionEventData[T]>;
}>;
