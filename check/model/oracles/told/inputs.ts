/** What an input leaves on a tape by itself. The switch is total: a new input does not compile until it is stated here. */
import type { DeadlineName, TimerName } from '../../../../src/core/model/timers.ts';
import type { AgentInput, InputOf, TurnInput } from '../../../../src/core/model/inputs.ts';
import { taskId } from '../../../../src/core/model/ids.ts';
import { treeGet } from '../../../../src/core/tree.ts';
import type { Facts } from './facts.ts';
import { leaderOf } from './facts.ts';
import type { Told } from './told.ts';
import { nothing, ofSession, ofTask } from './told.ts';
import { lostAttempt, mustFail } from './turns.ts';

export function toldByInput(facts: Facts): readonly Told[] {
  const { input, before } = facts;
  switch (input.type) {
    case 'submit':
      return submitted(facts, input);
    case 'edit':
      return [ofTask(input.task, 'edited', { title: input.title, by: input.by })];
    case 'move':
      return moved(facts, input);
    case 'evict':
      return before.hold === null
        ? nothing
        : [ofSession('evicted', { task: before.hold.task, epoch: before.hold.epoch, by: input.by })];
    case 'unpark':
      return before.parked === null ? nothing : [ofSession('unparked', { ...before.parked, by: input.by })];
    case 'park':
      return isOutranked(facts, input)
        ? nothing
        : [ofSession('parked', { kind: input.kind, reason: input.reason, by: input.by })];
    case 'fault':
      return [ofSession('fault', { reason: input.reason })];
    case 'throttle':
      return throttled(facts, input);
    case 'report':
      return [ofSession('hang-reported', input.note)];
    case 'rewound':
      return [ofSession('store-rewound', { node: input.node })];
    case 'progress':
      return [ofTask(input.task, 'progress', { data: input.data })];
    case 'output':
      return input.turn === null ? toldByAgent(facts, input) : toldByTurn(facts, input);
    case 'agent-ready':
    case 'agent-exited':
    case 'switched':
    case 'unsolicited':
    case 'give-way':
      return toldByAgent(facts, input);
    case 'turn-started':
    case 'ack':
    case 'result':
    case 'steered':
    case 'permission-requested':
    case 'permission-withdrawn':
    case 'turn-limit':
      return toldByTurn(facts, input);
    case 'claim':
      return treeGet(before.tasks, input.task)?.holder === null
        ? [ofTask(input.task, 'claimed', { holder: input.holder, leaseMs: input.leaseMs })]
        : nothing;
    case 'timer':
      return input.name === 'lease' ? lapsed(facts, input.subject) : deadlineReached(facts, input.name);
    case 'recovered':
      return [ofSession('recovered', { owner: before.hold?.task ?? null })];
    // What comes of these is told by what is different after them.
    case 'cancel':
    case 'stop':
    case 'restart-agent':
    case 'new-conversation':
    case 'assign-agent':
    case 'respond':
    case 'make-room':
    case 'call':
    case 'heartbeat':
    case 'release':
    case 'finish':
    case 'continue':
    case 'fenced':
      return nothing;
  }
}

function toldByAgent({ before }: Facts, input: AgentInput): readonly Told[] {
  const { incarnation } = input;
  switch (input.type) {
    case 'agent-ready': {
      const conversation =
        input.conversation === null && !input.conversationReset ? before.conversation.id : input.conversation;
      const ready = ofSession('agent-ready', { incarnation, conversation, caps: input.caps });
      return input.conversationReset
        ? [ofSession('conversation-reset', { conversation: before.conversation.id }), ready]
        : [ready];
    }
    case 'agent-exited':
      return [ofSession('agent-exited', { incarnation, reason: input.reason, data: input.data })];
    case 'output':
      return [ofSession('unexpected-output', { incarnation, part: input.part })];
    case 'switched':
      return [ofSession('model-switched', { incarnation, model: input.model, ok: input.ok })];
    case 'unsolicited':
      return [ofSession('unsolicited-turn', { incarnation, phase: input.phase, data: input.data })];
    // Told with the interrupt, and with the end of the agent.
    case 'give-way':
      return nothing;
  }
}

function toldByTurn({ owner }: Facts, input: TurnInput): readonly Told[] {
  const { turn } = input;
  if (owner === null) {
    return nothing;
  }
  switch (input.type) {
    case 'turn-started':
      return [ofTask(owner.id, 'turn-started', { turn })];
    case 'output':
      return [ofTask(owner.id, 'output', { turn, part: input.part })];
    case 'ack':
      return [ofTask(owner.id, 'interrupt-acked', { turn, noResult: input.noResult })];
    case 'steered':
      return input.taken ? [ofTask(input.task, 'steered', { into: owner.id, turn, delivered: true })] : nothing;
    case 'permission-requested':
      return [ofTask(owner.id, 'permission-requested', { turn, request: input.request, action: input.action })];
    case 'turn-limit':
      return [ofTask(owner.id, 'limit-reached', { turn, limit: input.limit, bound: input.bound })];
    case 'result':
    case 'permission-withdrawn':
      return nothing;
  }
}

function moved({ before }: Facts, { task: id, lane, priority, where, by }: InputOf<'move'>): readonly Told[] {
  const task = treeGet(before.tasks, id);
  return task === undefined
    ? nothing
    : [ofTask(id, 'moved', { lane: lane ?? task.lane, priority: priority ?? task.priority, where, by })];
}

function submitted({ before, after }: Facts, { task, about }: InputOf<'submit'>): readonly Told[] {
  const born = treeGet(after.tasks, task.id);
  const { id, lane, mode, whenBusy, priority } = task;
  const fallback = whenBusy === 'steer' && born?.stage !== 'steered';
  const queued = ofTask(id, 'queued', { lane, mode, whenBusy, priority, ...about, fallback });
  if (born === undefined || born.mergedInto === null) {
    return [queued];
  }
  if (born.stage === 'steered') {
    const { hold } = before;
    return hold === null || hold.turn === null
      ? [queued]
      : [queued, ofTask(id, 'steered', { into: hold.task, turn: hold.turn.id, delivered: false })];
  }
  const leader = leaderOf(before, born.mergedInto);
  return leader === null ? [queued] : [queued, ofTask(id, 'merged', { into: leader.id })];
}

const isOutranked = ({ before }: Facts, { kind }: InputOf<'park'>): boolean =>
  kind === 'closing' && before.parked !== null && before.parked.kind !== 'closing';

function throttled({ before }: Facts, { throttle }: InputOf<'throttle'>): readonly Told[] {
  const was = before.throttle;
  if (was?.level === throttle?.level && was?.reason === throttle?.reason) {
    return nothing;
  }
  return [
    throttle === null ? ofSession('unthrottled', { reason: was?.reason ?? null }) : ofSession('throttled', throttle),
  ];
}

/** The holder of an external task was silent. If it had the session, and knew of that, its task has lost an attempt by that. */
function lapsed({ before }: Facts, subject: number | string): readonly Told[] {
  const task = typeof subject === 'string' ? treeGet(before.tasks, taskId(subject)) : undefined;
  if (task === undefined || task.holder === null) {
    return nothing;
  }
  const told = ofTask(task.id, 'lease-lapsed', { holder: task.holder.name, epoch: task.run });
  return task.run === null || task.verdict !== null || !task.holder.told
    ? [told]
    : [told, ...lostAttempt(task, 'holder_lost', true, mustFail(task, true))];
}

/** A deadline of the agent is told where a turn waits for the agent; that of a rest, a window or a wait ends nothing. */
function deadlineReached({ before, was, owner }: Facts, name: Exclude<TimerName, 'lease'>): readonly Told[] {
  const told = (reached: DeadlineName): readonly Told[] =>
    owner === null || before.hold === null
      ? nothing
      : [ofTask(owner.id, 'deadline-reached', { name: reached, turn: was?.id ?? null, epoch: before.hold.epoch })];
  switch (name) {
    case 'start':
    case 'switch':
    case 'unsolicited':
      return was?.phase === 'pending' ? told(name) : nothing;
    case 'drain':
    case 'silence':
    case 'permission':
    case 'hold':
      return told(name);
    case 'idle':
    case 'protected':
    case 'wait':
    case 'collect':
    case 'expiry':
      return nothing;
  }
}
