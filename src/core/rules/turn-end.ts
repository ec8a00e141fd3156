/**
 * How a turn ends, and what that means for its task (rules 8 to 10, 15, 17).
 * These functions change facts; who owns the session next is decided by `arrange` alone.
 */
import { invariant } from '../errors.ts';
import { type Actor, actorDeadline, actorTask, runnerActor } from '../model/actor.ts';
import type { TaskId, TurnId } from '../model/ids.ts';
import type { TaskEventData } from '../model/events.ts';
import type { TurnReport } from '../model/output.ts';
import type { LossReason } from '../model/reasons.ts';
import { type Draft, getTask, mustHold, mustTask, putTask, setHold, taskEvent } from '../draft.ts';
import type { Hold, Turn, TurnOutcome, TurnResult } from '../model/session.ts';
import type { Task, Verdict } from '../model/task.ts';
import type { Receipt } from '../model/replies.ts';
import { decidedEnd, endEntry, endPart, endSteered, leaveTurn, type SteeredEnd, withdrawText } from './parts.ts';
import { entryOf } from '../queue.ts';
import { endLater } from './conversation.ts';
import { hadItsTurn, lineUp } from './fairness.ts';
import { onWire, setTurn, isInTool, withdrawRequests, interruptTurn } from './turn.ts';

type TurnEnd =
  | { readonly kind: 'result'; readonly result: TurnResult }
  /** The agent is gone or given up, or its turn is taken from it, without a boundary. */
  | { readonly kind: 'lost'; readonly reason: LossReason };

/** Of the deadlines only the hold limit and the lease of a holder fail a task, and so does a limit of the turn; what was asked for cancels it, whoever says so. */
function verdictOutcome({ status, by }: Verdict): TurnOutcome {
  if (status !== 'failed') {
    return 'cancelled';
  }
  return by?.kind === 'deadline' ? 'timed-out' : by?.kind === 'limit' ? 'failed' : 'cancelled';
}

/**
 * Rule 10: a loss counts as an attempt only where the turn itself may have caused it. What we did, what somebody else did to this
 * machine, and an agent that never came to its boundary are no fault of the turn.
 */
const turnFaults: { readonly [R in LossReason]: boolean } = {
  agent_lost: true,
  channel_broken: true,
  silence_deadline: true,
  tool_silence: false,
  agent_killed: false,
  agent_start_failed: false,
  drain_deadline: false,
  unsolicited_deadline: false,
  holder_lost: true,
  evicted: false,
  agent_restarted: false,
  node_restarted: false,
  fault: false,
};

/** A code runner is part of its daemon, and may have taken that with it: a daemon that closed did not die of it. */
export const burnsAttempt = ({ s }: Draft, { mode }: Task, reason: LossReason): boolean =>
  turnFaults[reason] || (mode === 'code' && reason === 'node_restarted' && s.parked?.kind !== 'closing');

/** Its loss ends it: by its policy for what was cut off, or because no attempt is left. */
export const isLastAttempt = (d: Draft, task: Task, reason: LossReason): boolean =>
  task.onLost === 'fail' || (burnsAttempt(d, task, reason) && task.attempts >= task.maxAttempts);

/** Where a task stands that gives the session up and wants it again. */
export const restingStage = ({ mode, holder }: Task): 'waiting' | 'unclaimed' =>
  mode === 'external' && holder === null ? 'unclaimed' : 'waiting';

/** Its holder is lost, and what its turn still says is for nobody. */
const isLeft = ({ mode, run, verdict }: Task): boolean => mode === 'external' && run === null && verdict === null;

const reportOf = (end: TurnEnd): TurnReport | null => (end.kind === 'result' ? end.result.report : null);

/** Its task is to go on later. */
const givesWay = ({ interrupt }: Turn): boolean =>
  interrupt !== null &&
  (interrupt.intent === 'preempt' ||
    interrupt.intent === 'hold' ||
    interrupt.intent === 'close' ||
    interrupt.intent === 'give-way' ||
    interrupt.intent === 'release');

/** It failed for a transient reason; its task tries again. */
const isTransient = (end: TurnEnd): boolean =>
  end.kind === 'result' && end.result.outcome === 'failed' && end.result.report?.failure?.transient === true;

/** Nothing but a person's login helps. A session that never worked says so with its first task; later ones wait for the login. */
const needsLogin = (end: TurnEnd): boolean => reportOf(end)?.failure?.login === true;

/** The conversation is too long for its model. A fresh one may do, unless this turn has begun it. */
const hasFilled = ({ s: { limits, conversation } }: Draft, turn: Turn, end: TurnEnd): boolean =>
  limits.freshWhenFull && reportOf(end)?.failure?.class === 'context' && conversation.firstTurn !== turn.id;

function outcomeOf(d: Draft, turn: Turn, task: Task, end: TurnEnd): TurnOutcome {
  if ((isTransient(end) || hasFilled(d, turn, end)) && givesWay(turn) && task.verdict === null) {
    // It was to be taken again anyway: a preemption burns no retry.
    return 'preempted';
  }
  if (end.kind === 'result' && end.result.outcome !== 'interrupted') {
    return end.result.outcome;
  }
  if (task.verdict !== null) {
    return verdictOutcome(task.verdict);
  }
  switch (turn.interrupt?.intent) {
    case 'silence':
      return 'timed-out';
    case 'preempt':
    case 'hold':
    case 'release':
    case 'close':
    case 'give-way':
      // An agent that dies by itself before it confirmed the turn was lost; one that we gave up for the preemption was not.
      return end.kind === 'result' || turn.phase === 'draining' || !turnFaults[end.reason] ? 'preempted' : 'agent-lost';
    case 'verdict':
    case undefined:
      return end.kind === 'result' ? 'failed' : 'agent-lost';
  }
}

/** Ends the turn on the wire, once, and settles what follows for its task. A result that was read counts in any case. */
export function endTurn(d: Draft, cause: TurnEnd): void {
  const hold = mustHold(d);
  const turn = hold.turn;
  invariant(onWire(turn), 'a turn on the wire ends');
  const end: TurnEnd = turn.result === null ? cause : { kind: 'result', result: turn.result };
  const task = mustTask(d, hold.task);
  const outcome = outcomeOf(d, turn, task, end);
  withdrawRequests(d, turn, null);
  setTurn(d, null);
  taskEvent(d, task.id, 'turn-ended', turnEnded(turn, outcome, end));
  leaveTurn(d, task, {
    completed: outcome === 'completed',
    report: reportOf(end),
    ...lossOfSteered(task, turn, outcome, end),
    interruptedMidTurn: isUncertain(turn, outcome, end),
  });
  settleTask(d, hold, turn, outcome, end);
  const left = getTask(d, hold.task);
  if (turn.interrupt?.intent === 'release' && left !== null && left.run !== null) {
    releaseHold(d, left);
  }
}

/** The text itself is in the turn's output, and in `final` where the turn ended its task. */
function turnEnded(turn: Turn, outcome: TurnOutcome, end: TurnEnd): TaskEventData['turn-ended'] {
  const report = reportOf(end);
  return {
    turn: turn.id,
    outcome,
    textLength: report === null ? null : report.text.length,
    usage: report?.usage ?? null,
    cost: report?.cost ?? null,
    failure: report?.failure ?? null,
    error: report?.error ?? null,
    reason: end.kind === 'lost' ? end.reason : null,
  };
}

/**
 * Whether its last tool call happened is not known: it was cut off without a boundary, in the middle of one, or while it was silent, for an agent
 * may use a tool that it has not announced.
 */
const isUncertain = (turn: Turn, outcome: TurnOutcome, end: TurnEnd): boolean =>
  end.kind === 'lost' || outcome === 'timed-out' || isInTool(turn);

/**
 * The conversation that is known to have the prompt of this turn: its model has read it, and the agent stands at its boundary. What an agent
 * has kept that was cut off, or that was interrupted before its model had said a word, is not known.
 */
function knownIn({ s: { agent, conversation } }: Draft, turn: Turn, end: TurnEnd): TurnId | null {
  const isKept = agent.kind === 'up' && agent.caps.keepsPrompts && turn.phase !== 'sent';
  const isRead = turn.spoke || reportOf(end)?.failure !== undefined;
  return isKept && isRead && end.kind === 'result' && end.result.report !== null ? conversation.firstTurn : null;
}

/**
 * Its next turn, or that of a part that leads its entry then, asks the agent to continue. A prompt that the conversation is known to have
 * has told what was uncertain before it.
 */
function continueLater(d: Draft, task: Task, turn: Turn, outcome: TurnOutcome, end: TurnEnd): Task {
  const known = knownIn(d, turn, end);
  const interruptedMidTurn = isUncertain(turn, outcome, end) || (known === null && task.interruptedMidTurn);
  const textIn = turn.withdrawn ? null : (known ?? task.textIn);
  return putTask(d, { ...task, started: true, interruptedMidTurn, textIn });
}

/** It failed for a reason that passes, and is tried again. */
const isRetried = (d: Draft, turn: Turn, end: TurnEnd): boolean =>
  hasFilled(d, turn, end) || (isTransient(end) && (d.s.answered || !needsLogin(end)));

/** The agent has answered it. A prompt is answered also where its task was to be cancelled. */
function isAnswer(d: Draft, { mode, verdict }: Task, turn: Turn, outcome: TurnOutcome, end: TurnEnd): boolean {
  if (outcome === 'completed') {
    return verdict === null || mode === 'prompt';
  }
  return outcome === 'failed' && verdict === null && !isRetried(d, turn, end);
}

function settleTask(d: Draft, hold: Hold, turn: Turn, outcome: TurnOutcome, end: TurnEnd): void {
  const owner = mustTask(d, hold.task);
  if (owner.verdict === null && hasFilled(d, turn, end)) {
    endLater(d, { why: 'full', by: actorTask(owner.id) });
  }
  if (isLeft(owner)) {
    d.s.answered ||= outcome === 'completed' || (outcome === 'failed' && !isRetried(d, turn, end));
    if (outcome === 'completed') {
      putTask(d, { ...owner, retries: 0 });
    }
    yieldHold(d, turn.interrupt?.by ?? actorDeadline('lease'));
    return;
  }
  if (isAnswer(d, owner, turn, outcome, end)) {
    answerTurn(d, owner, turn, outcome === 'completed' ? outcome : 'failed', end);
    return;
  }
  const task = continueLater(d, owner, turn, outcome, end);
  if (task.verdict !== null) {
    endOwner(d, task.verdict, null);
    return;
  }
  switch (outcome) {
    case 'completed':
    case 'failed':
      retryTurn(d, task, end);
      return;
    case 'preempted':
      if (end.kind === 'lost' && task.onLost === 'fail') {
        loseTurn(d, end.reason, true);
        return;
      }
      if (turn.interrupt?.intent === 'hold') {
        giveWay(d, turn.interrupt.by);
      } else {
        yieldHold(d, turn.interrupt?.by ?? null);
      }
      return;
    case 'agent-lost':
    case 'timed-out':
    case 'cancelled':
      loseTurn(d, lossOf(turn, outcome, end), true);
      return;
  }
}

/** Whoever cut the turn off, what it had taken follows its own policy. A loss that the turn was to give way or end in burns nothing. */
function lossOfSteered(task: Task, turn: Turn, outcome: TurnOutcome, end: TurnEnd): Pick<SteeredEnd, 'loss' | 'burns'> {
  const isLost = task.verdict === null && (outcome === 'timed-out' || outcome === 'agent-lost');
  const loss = isLost ? lossOf(turn, outcome, end) : end.kind === 'lost' ? end.reason : null;
  return { loss, burns: isLost && loss !== null && turnFaults[loss] };
}

/** The reason code of a lost turn: the deadline that began its end, not the one that finished it. A tool that is silent is not the turn's doing. */
function lossOf(turn: Turn, outcome: TurnOutcome, end: TurnEnd): LossReason {
  if (outcome === 'timed-out') {
    return isInTool(turn) ? 'tool_silence' : 'silence_deadline';
  }
  invariant(end.kind === 'lost', 'a turn that ended by its own result is not lost');
  return end.reason;
}

/** The agent has answered: a prompt task ends with it, a runner gets the answer of its call and continues. */
function answerTurn(d: Draft, task: Task, turn: Turn, outcome: 'completed' | 'failed', end: TurnEnd): void {
  const report = reportOf(end);
  d.s.answered = true;
  if (task.mode === 'prompt') {
    const reason = outcome === 'completed' ? 'completed' : (report?.failure?.class ?? 'agent_failed');
    endOwner(d, { status: outcome, reason, by: null, result: null, scope: 'turn' }, report);
    return;
  }
  hadItsTurn(d, task.id);
  invariant(task.run !== null && turn.call !== null, 'a task has a live runner that asked for this turn');
  putTask(d, {
    ...task,
    started: false,
    interruptedMidTurn: false,
    call: null,
    holder: task.holder === null ? null : { ...task.holder, answered: { call: turn.call, turn: turn.id } },
    retries: outcome === 'completed' ? 0 : task.retries,
  });
  d.effects.push({ type: 'settle', task: task.id, run: task.run, call: turn.call, outcome, report });
}

/** Back into the queue at its own place; how long nothing is sent is the throttle's. A runner's asking waits with its task. */
function retryTurn(d: Draft, task: Task, end: TurnEnd): void {
  const failure = reportOf(end)?.failure;
  setHold(d, null);
  putTask(d, { ...task, stage: 'waiting', retries: task.retries + 1 });
  const reason = failure?.class ?? null;
  taskEvent(d, task.id, 'turn-retried', { attempt: task.attempts, reason, retry: task.retries + 1 });
}

const scopeRank: { readonly [S in Verdict['scope']]: number } = { task: 0, turn: 1, all: 2 };

/** Ends the owner's task and gives up its hold. */
export function endOwner(d: Draft, verdict: Verdict, answer: TurnReport | null): void {
  const hold = mustHold(d);
  setHold(d, null);
  endEntry(d, mustTask(d, hold.task), verdict, answer);
}

/**
 * The owner's turn is lost: its task tries again if its policy allows, within its attempts where it may have caused the loss itself. Else it
 * ends `failed`. It stays the owner; `arrange` decides whether it may continue at once. `sent`: its prompt may have reached the agent.
 */
export function loseTurn(d: Draft, reason: LossReason, sent: boolean): void {
  const hold = mustHold(d);
  const task = mustTask(d, hold.task);
  taskEvent(d, task.id, 'attempt-lost', { reason, attempt: task.attempts });
  if (task.verdict !== null) {
    endOwner(d, task.verdict, null);
    return;
  }
  const burns = burnsAttempt(d, task, reason);
  // What was never sent can be tried again, whatever the policy for a turn that was cut off.
  if ((sent && task.onLost === 'fail') || (burns && task.attempts >= task.maxAttempts)) {
    endOwner(d, { status: 'failed', reason, by: null, result: null, scope: 'turn' }, null);
    return;
  }
  const attempts = burns ? task.attempts + 1 : task.attempts;
  putTask(d, { ...mustTask(d, task.id), attempts });
  taskEvent(d, task.id, 'attempt-retried', { attempt: attempts, reason });
  setTurn(d, null);
}

/** The owner gives way: back into the queue, before other background work. The hold is free within this step only. */
export function yieldHold(d: Draft, by: Actor | null): void {
  const hold = mustHold(d);
  const task = mustTask(d, hold.task);
  setHold(d, null);
  putTask(d, { ...task, stage: restingStage(task) });
  taskEvent(d, task.id, 'preempted', { by, epoch: hold.epoch });
}

/** Its runner takes no more turns: it waits for none, and whoever is next gets the session in this step. */
export function releaseHold(d: Draft, task: Task): void {
  const hold = d.s.hold;
  if (hold?.task === task.id) {
    setHold(d, null);
    taskEvent(d, task.id, 'preempted', { by: runnerActor, epoch: hold.epoch });
  }
  putTask(d, { ...mustTask(d, task.id), stage: 'released', call: null });
}

/** The owner has held the session for its limit while others waited. They come next, and it loses nothing. */
export function giveWay(d: Draft, by: Actor | null): void {
  lineUp(d);
  yieldHold(d, by);
}

/**
 * Ends an open task by request, or, if its turn is on the wire, interrupts that and leaves the verdict on the task. The
 * first verdict counts; a second request gets the first one's receipt (rule 15).
 */
export function endOrInterrupt(d: Draft, task: Task, verdict: Verdict): Receipt {
  const decided = decidedEnd(d.s, task);
  if (task.stage === 'merged') {
    withdrawText(d, task);
  }
  if (decided !== null) {
    endPart(d, task, decided);
    return endedReceipt(task.id, decided, null);
  }
  const hold = d.s.hold;
  const turn = hold?.turn ?? null;
  const live = onWire(turn) ? turn : null;
  if (hold === null || task.id !== hold.task || live === null) {
    if (task.id === hold?.task) {
      endOwner(d, verdict, null);
    } else {
      endEntry(d, task, verdict, null);
    }
    const owner = hold === null || task.id === hold.task ? null : getTask(d, hold.task);
    const isRead = owner !== null && task.mergedInto === entryOf(owner) && (task.stage === 'merged' || task.delivered);
    return endedReceipt(task.id, verdict, isRead && live !== null ? live.id : null);
  }
  if (task.verdict === null) {
    putTask(d, { ...task, verdict });
    if (verdict.status === 'cancelled') {
      taskEvent(d, task.id, 'cancel-requested', { reason: verdict.reason, by: verdict.by, turn: live.id });
    }
    interruptTurn(d, live, 'verdict', verdict.by);
  } else {
    // It stands; but more than it had meant may be to end now.
    if (scopeRank[verdict.scope] > scopeRank[task.verdict.scope]) {
      putTask(d, { ...task, verdict: { ...task.verdict, scope: verdict.scope } });
    }
    if (task.verdict.status !== 'cancelled' && verdict.scope !== 'task') {
      endSteered(d, task, verdict);
    }
  }
  const { status, reason } = task.verdict ?? verdict;
  return { task: task.id, state: 'requested', status: task.status, verdict: status, reason, turn: live.id };
}

/** `turn`: the one that has its text all the same. */
export const endedReceipt = (
  task: TaskId,
  { status, reason }: Pick<Verdict, 'status' | 'reason'>,
  turn: TurnId | null,
): Receipt => ({
  task,
  state: 'acknowledged',
  status,
  verdict: status,
  reason,
  turn,
});
