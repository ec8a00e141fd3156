/** What the tapes say of holds and turns: who is granted, what is written, who interrupts, and how a turn ends. */
import type { Actor } from '../../../../src/core/model/actor.ts';
import type { Task } from '../../../../src/core/model/task.ts';
import { treeEntries, treeGet } from '../../../../src/core/tree.ts';
import type { Facts, TurnEnd } from './facts.ts';
import { actor, isLapse, isLeft, isRetried, leaderOf, takesDaemon, taskActor, whyLost } from './facts.ts';
import type { Told } from './told.ts';
import { nothing, ofTask } from './told.ts';

/** The last grant of the step. One before it, whose task gave way at once, is judged by the epochs. */
export function toldOfGrant(facts: Facts): readonly Told[] {
  const { before, after, input, owner } = facts;
  const { hold } = after;
  if (hold === null || hold.epoch === before.hold?.epoch) {
    return nothing;
  }
  const was = treeGet(before.tasks, hold.task);
  const is = treeGet(after.tasks, hold.task);
  // A part that leads the entry now goes on from where the task before it was.
  const led = was?.stage === 'merged' && was.mergedInto !== null ? leaderOf(before, was.mergedInto) : was;
  // These two have ended the count of the task that they are about.
  const isOver =
    (input.type === 'move' && input.where !== null && input.task === hold.task) ||
    (input.type === 'timer' && input.name === 'protected' && hold.task === owner?.id);
  const isDue = (input.type === 'timer' && input.name === 'wait') || comesNext(facts, is);
  const counted = isDue ? before.limits.maxPassedOver : (before.passedOver?.times ?? 0);
  return [
    ofTask(hold.task, (led?.status ?? 'queued') === 'queued' ? 'granted' : 'resumed', {
      epoch: hold.epoch,
      attempt: is?.attempts ?? 0,
      passedOver: (before.passedOver?.task === hold.task || isDue) && !isOver ? counted : 0,
    }),
  ];
}

/** At the hold limit the first background task in line comes next, unless an interactive one waits. */
const comesNext = ({ input, end, owner }: Facts, granted: Task | undefined): boolean =>
  granted?.lane === 'background' &&
  granted.id !== owner?.id &&
  (end === null
    ? input.type === 'timer' && input.name === 'hold' && owner?.lane === 'background'
    : end.turn.interrupt?.intent === 'hold' &&
      end.outcome === 'preempted' &&
      // One that must not be sent again ends with the turn that was cut off, and lines nobody up.
      !(end.given === null && owner?.onLost === 'fail'));

/** Each prompt that is written stands on the tape as the agent is told it. */
export function toldOfPrompt({ after, is, result }: Facts): readonly Told[] {
  const { hold } = after;
  const prompt = result.effects.find((effect) => effect.type === 'prompt');
  if (prompt?.type !== 'prompt' || hold === null || is === null) {
    return nothing;
  }
  const { turn, incarnation, attempt, resumed, interruptedMidTurn, delivered, mergedTasks } = prompt;
  const sent = { turn, incarnation, attempt, resumed, interruptedMidTurn, delivered, mergedTasks };
  return [ofTask(prompt.task, 'turn-sent', { ...sent, epoch: hold.epoch, protected: is.protected, model: is.model })];
}

/** The cause of an interrupt has changed, on a turn that goes on. */
export function toldOfInterrupt({ after, was, is, owner, input }: Facts): readonly Told[] {
  if (
    was === null ||
    is === null ||
    owner === null ||
    was.id !== is.id ||
    is.interrupt === null ||
    was.interrupt?.intent === is.interrupt.intent
  ) {
    return nothing;
  }
  const verdict = treeGet(after.tasks, owner.id)?.verdict ?? null;
  const by = {
    preempt: is.interrupt.by,
    hold: actor('deadline', 'hold'),
    close: input.type === 'park' ? input.by : null,
    'give-way': input.type === 'give-way' ? input.by : null,
    silence: actor('deadline', 'silence'),
    release: isLapse(input, owner.id) ? actor('deadline', 'lease') : actor('runner'),
    verdict: verdict?.by ?? null,
  }[is.interrupt.intent];
  const sent = was.phase === 'running';
  const interrupted = ofTask(owner.id, 'interrupt-requested', { turn: is.id, why: is.interrupt.intent, by, sent });
  return verdict?.status === 'cancelled' && owner.verdict === null
    ? [ofTask(owner.id, 'cancel-requested', { reason: verdict.reason, by: verdict.by, turn: is.id }), interrupted]
    : [interrupted];
}

/** The turn is over, and what that means for its task. */
export function toldOfEnd(facts: Facts): readonly Told[] {
  const { end } = facts;
  if (end === null) {
    return nothing;
  }
  const report = end.given?.report ?? null;
  const ended = ofTask(end.owner.id, 'turn-ended', {
    turn: end.turn.id,
    outcome: end.outcome,
    textLength: report === null ? null : report.text.length,
    usage: report?.usage ?? null,
    cost: report?.cost ?? null,
    failure: report?.failure ?? null,
    error: report?.error ?? null,
    reason: end.reason,
  });
  return [ended, ...afterEnd(facts, end)];
}

function afterEnd({ before }: Facts, end: TurnEnd): readonly Told[] {
  const { owner, turn, given, outcome, verdict, loss, reason } = end;
  const answers = owner.mode === 'prompt' && outcome === 'completed';
  if (isLeft(owner) && verdict === null) {
    const by = turn.interrupt?.by ?? actor('deadline', 'lease');
    return [ofTask(owner.id, 'preempted', { by, epoch: before.hold?.epoch ?? before.epoch })];
  }
  if (verdict !== null && !answers) {
    return nothing;
  }
  switch (outcome) {
    case 'completed':
      return nothing;
    case 'failed':
      return isRetried(before, turn, given)
        ? [
            ofTask(owner.id, 'turn-retried', {
              attempt: owner.attempts,
              reason: given?.report?.failure?.class ?? null,
              retry: owner.retries + 1,
            }),
          ]
        : nothing;
    case 'preempted':
      if (given === null && owner.onLost === 'fail') {
        return lostAttempt(owner, reason ?? outcome, false, true);
      }
      return [
        ofTask(owner.id, 'preempted', { by: turn.interrupt?.by ?? null, epoch: before.hold?.epoch ?? before.epoch }),
      ];
    case 'agent-lost':
    case 'timed-out':
    case 'cancelled':
      return lostAttempt(owner, whyLost(end), loss !== null, mustFail(owner, loss !== null));
  }
}

/** Rule 10, stated a second time: whether the loss of a turn that was sent ends the task. `counts`: it burns an attempt. */
export const mustFail = ({ onLost, attempts, maxAttempts }: Task, counts: boolean): boolean =>
  onLost === 'fail' || (counts && attempts >= maxAttempts);

/** `counts`: it burns an attempt. */
export function lostAttempt(task: Task, reason: string, counts: boolean, fails: boolean): readonly Told[] {
  const lost = ofTask(task.id, 'attempt-lost', { reason, attempt: task.attempts });
  return fails
    ? [lost]
    : [lost, ofTask(task.id, 'attempt-retried', { attempt: task.attempts + (counts ? 1 : 0), reason })];
}

/** A turn that was not written yet waited for an agent that did not come to its boundary. */
export function toldOfStart({ input, before, was, owner }: Facts): readonly Told[] {
  if (owner === null || was?.phase !== 'pending') {
    return nothing;
  }
  const { agent } = before;
  const unsolicited = input.type === 'timer' && input.name === 'unsolicited';
  const left =
    input.type === 'agent-exited' && (agent.kind === 'starting' || (agent.kind === 'up' && agent.unsolicited));
  if (!unsolicited && !left && !(input.type === 'timer' && input.name === 'start')) {
    return nothing;
  }
  const reason = unsolicited ? 'unsolicited_deadline' : 'agent_start_failed';
  return lostAttempt(owner, reason, false, false);
}

/** A task whose time was up says what it waited for, just before its end. */
export function toldOfExpiry({ result, before, after, end, input }: Facts): readonly Told[] {
  const told: Told[] = [];
  const leavesHold =
    end?.outcome === 'failed' || input.type === 'recovered' || input.type === 'fault' || input.type === 'move';
  for (const record of result.records) {
    if (record.type !== 'end' || record.final.reason !== 'expired') {
      continue;
    }
    const task = treeGet(before.tasks, record.task);
    if (task !== undefined) {
      const gaveWay = result.records.some(
        (one) => one.type === 'event' && one.task === task.id && one.event.type === 'preempted',
      );
      const owns = task.stage === 'owner' && !gaveWay && !leavesHold;
      const left = isUnclaimed(input, task);
      told.push(
        ofTask(task.id, 'expired', { waitsFor: waitsFor(after, task, left ? 'holder' : owns ? 'agent' : 'session') }),
      );
    }
  }
  return told;
}

/** No holder is there for it after the step. */
const isUnclaimed = (input: Facts['input'], { mode, holder, id }: Task): boolean =>
  mode === 'external' && (holder === null || isLapse(input, id) || input.type === 'fault');

function waitsFor({ parked, throttle }: Facts['after'], { lane }: Task, what: string): string {
  if (parked !== null) {
    return 'parked';
  }
  const held = throttle !== null && (throttle.level === 'all' || lane === 'background') ? throttle.reason : null;
  return held ?? what;
}

/** A background owner gives way between two turns. One whose turn was preempted, or is retried, is told with the end of that. */
export function toldOfYield(facts: Facts): readonly Told[] {
  const { before, after, owner, input, end } = facts;
  const { hold } = before;
  if (hold === null || owner === null || input.type === 'recovered' || input.type === 'fault') {
    return nothing;
  }
  const is = treeGet(after.tasks, owner.id);
  if (end !== null && isLeft(owner)) {
    return nothing;
  }
  if (is === undefined && isLapse(input, owner.id)) {
    // It gave way for its next holder, and was not to wait any longer.
    return isExpired(facts, owner.id)
      ? [ofTask(owner.id, 'preempted', { by: actor('deadline', 'lease'), epoch: hold.epoch })]
      : nothing;
  }
  if (is === undefined) {
    const by = gaveWayTo(input, owner, after);
    return by !== null && after.parked === null && after.throttle?.level !== 'all' && yieldsAndExpires(facts, owner)
      ? [ofTask(owner.id, 'preempted', { by, epoch: hold.epoch })]
      : nothing;
  }
  if (after.hold?.epoch === hold.epoch || end?.outcome === 'preempted' || is.retries > owner.retries) {
    return nothing;
  }
  return [ofTask(owner.id, 'preempted', { by: gaveWayTo(input, owner, after), epoch: hold.epoch })];
}

/** A due task that waits for a turn gives way only to a throttle and at the hold limit: it waits for its agent, and ends as the owner. */
const isShielded = ({ before, after, input, end }: Facts, { id, call }: Task): boolean =>
  !(input.type === 'timer' && input.name === 'hold') &&
  call !== null &&
  end?.outcome !== 'completed' &&
  end?.outcome !== 'failed' &&
  before.passedOver?.task === id &&
  before.passedOver.times >= before.limits.maxPassedOver &&
  after.throttle === null;

/** It gave way, and was not to wait any longer. */
const yieldsAndExpires = (facts: Facts, task: Task): boolean => {
  const { end, input, before } = facts;
  const { id, overdue, mode, lane } = task;
  return (
    lane === 'background' &&
    !isShielded(facts, task) &&
    end?.outcome !== 'preempted' &&
    !(end?.outcome === 'failed' && isRetried(before, end.turn, end.given)) &&
    overdue &&
    mode !== 'prompt' &&
    !(input.type === 'timer' && input.name === 'expiry') &&
    isExpired(facts, id)
  );
};

const isExpired = ({ result }: Facts, id: Task['id']): boolean =>
  result.records.some((one) => one.type === 'end' && one.task === id && one.final.reason === 'expired');

/** An operator who moves it, its own runner, the hold limit, or the first interactive task that waited, whoever is granted then. */
function gaveWayTo(input: Facts['input'], owner: Task, { hold, tasks }: Facts['after']): Actor | null {
  if (input.type === 'move' && input.task === owner.id) {
    return input.by;
  }
  if (isLapse(input, owner.id)) {
    return actor('deadline', 'lease');
  }
  if (treeGet(tasks, owner.id)?.stage === 'released') {
    return actor('runner');
  }
  if (input.type === 'timer' && input.name === 'hold') {
    return actor('deadline', 'hold');
  }
  let oldest: Task | null = null;
  for (const [id, task] of treeEntries(tasks)) {
    const waited = task.lane === 'interactive' && (task.stage === 'waiting' || id === hold?.task);
    if (waited && (oldest === null || task.position < oldest.position)) {
      oldest = task;
    }
  }
  return oldest === null ? null : taskActor(oldest.id);
}

/** Code runners are lost with their node, and a fault of the core gives those up that live, holders too. */
export function toldOfRunners({ input, before, was }: Facts, tasks: readonly Task[]): readonly Told[] {
  if (input.type !== 'recovered' && input.type !== 'fault') {
    return nothing;
  }
  const crashed = input.type === 'recovered';
  const reason = crashed ? 'node_restarted' : 'fault';
  return tasks.flatMap((task) => {
    const owns = task.id === before.hold?.task;
    const dies = task.mode === 'code' || (task.mode === 'external' && !crashed && task.run !== null);
    if (!dies || (owns && was !== null && was.phase !== 'pending')) {
      return [];
    }
    if (!owns && (task.status !== 'running' || !(crashed || task.run !== null))) {
      return [];
    }
    const lost = ofTask(task.id, 'attempt-lost', { reason, attempt: task.attempts });
    const counts = takesDaemon(before, input, task);
    const attempt = counts ? task.attempts + 1 : task.attempts;
    return mustFail(task, counts) ? [lost] : [lost, ofTask(task.id, 'attempt-retried', { attempt, reason })];
  });
}
