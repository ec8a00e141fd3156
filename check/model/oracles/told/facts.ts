/** What happened in one step, as the tapes have to tell it: the input, and what is different after it. */
import type { Actor } from '../../../../src/core/model/actor.ts';
import type { TaskId } from '../../../../src/core/model/ids.ts';
import type { Input, InputType } from '../../../../src/core/model/inputs.ts';
import type { LossReason } from '../../../../src/core/model/reasons.ts';
import type { StepResult } from '../../../../src/core/model/replies.ts';
import type { Session, Turn, TurnOutcome, TurnResult } from '../../../../src/core/model/session.ts';
import type { Task, Verdict } from '../../../../src/core/model/task.ts';
import { treeGet } from '../../../../src/core/tree.ts';

/** The turn on the wire before the step is over after it. */
export interface TurnEnd {
  readonly owner: Task;
  readonly turn: Turn;
  /** What the agent said; null: it gave no result, and `reason` says why. */
  readonly given: TurnResult | null;
  readonly reason: LossReason | null;
  readonly outcome: TurnOutcome;
  /** What the task was to end with when its turn ended. */
  readonly verdict: Verdict | null;
  /** The turn is lost, and that counts as an attempt: the reason; else null. */
  readonly loss: LossReason | null;
}

export interface Facts {
  readonly input: Input;
  readonly before: Session;
  readonly after: Session;
  readonly result: StepResult;
  /** The turns before and after the step. */
  readonly was: Turn | null;
  readonly is: Turn | null;
  /** The owner before the step, as it was. */
  readonly owner: Task | null;
  readonly end: TurnEnd | null;
}

export const actor = (kind: Actor['kind'], name: string = kind): Actor => ({ kind, name });
export const taskActor = (id: TaskId): Actor => actor('task', id);

export const entryOf = (task: Task): TaskId => task.leads ?? task.id;

export function factsOf(before: Session, input: Input, result: StepResult): Facts {
  const after = result.session;
  const was = before.hold?.turn ?? null;
  const is = after.hold?.turn ?? null;
  const owner = before.hold === null ? null : (treeGet(before.tasks, before.hold.task) ?? null);
  const isOver = was !== null && was.phase !== 'pending' && is?.id !== was.id;
  const end = isOver && owner !== null ? endOf(before, input, owner, was) : null;
  return { input, before, after, result, was, is, owner, end };
}

/** What the agent said of the turn, with what an interrupt makes of it (rule 10). */
export function givenOf(input: Input, turn: Turn): TurnResult | null {
  if (turn.result !== null) {
    return turn.result;
  }
  if (input.type === 'ack' && input.noResult) {
    return { outcome: 'interrupted', empty: true, report: null };
  }
  if (input.type !== 'result') {
    return null;
  }
  const { result } = input;
  const isCut =
    turn.phase === 'draining' && result.outcome === 'completed' && (turn.interrupt?.acked === true || result.empty);
  return isCut ? { ...result, outcome: 'interrupted' } : result;
}

export const isTransient = (given: TurnResult | null): boolean =>
  given?.outcome === 'failed' && given.report?.failure?.transient === true;

/** Rule 10, stated a second time: a conversation that this turn has not begun was too long for the model, and a fresh one may do. */
export const hasFilled = ({ conversation, limits }: Session, turn: Turn, given: TurnResult | null): boolean =>
  limits.freshWhenFull &&
  given?.outcome === 'failed' &&
  given.report?.failure?.class === 'context' &&
  conversation.firstTurn !== turn.id;

/** The turn is tried again. */
export const isRetried = (session: Session, turn: Turn, given: TurnResult | null): boolean =>
  hasFilled(session, turn, given) || (isTransient(given) && !isFirstLogin(session, given));

/** The agent of a session that never worked has no login: its first task says so, and does not wait for one. */
export const isFirstLogin = ({ answered }: Session, given: TurnResult | null): boolean =>
  !answered && given?.report?.failure?.login === true;

/** Why a turn ended for which the agent gave no result, by what ended it. */
const lossReasons: { readonly [T in InputType]?: LossReason } = {
  'agent-exited': 'agent_lost',
  timer: 'drain_deadline',
  evict: 'evicted',
  'restart-agent': 'agent_restarted',
  recovered: 'node_restarted',
  fault: 'fault',
};

/** An agent that hung up and lived, or was killed from outside, is told apart from one that left. */
const lossReasonOf = (input: Input): LossReason | null =>
  input.type === 'agent-exited' && input.loss !== undefined ? input.loss : (lossReasons[input.type] ?? null);

function endOf(before: Session, input: Input, owner: Task, turn: Turn): TurnEnd {
  const given = givenOf(input, turn);
  const evicted: Verdict | null =
    input.type === 'evict' ? { status: 'failed', reason: 'evicted', by: input.by, result: null, scope: 'turn' } : null;
  const verdict = owner.verdict ?? evicted;
  // Nobody has taken the turn from its agent: that left by itself.
  const left = given === null && input.type === 'agent-exited' && input.loss !== 'agent_killed';
  const outcome = outcomeOf(before, turn, given, verdict, left);
  const reason = given === null ? lossReasonOf(input) : null;
  const isSilent = outcome === 'timed-out' && turn.tools.root === null;
  const counts = isSilent || (outcome === 'agent-lost' && (left || takesDaemon(before, input, owner)));
  const loss = isSilent ? 'silence_deadline' : reason;
  return { owner, turn, given, reason, outcome, verdict, loss: verdict === null && counts ? loss : null };
}

/** What a lost turn means for what was steered into it: it is lost whoever cut it off, and charged with its owner, if not for a daemon that died. */
export const lossOfParts = (end: TurnEnd): { readonly loss: LossReason | null; readonly burns: boolean } => ({
  loss: end.verdict === null && end.outcome === 'timed-out' ? silenceOf(end) : end.reason,
  burns: end.loss !== null && end.loss !== 'node_restarted',
});

/** Silence with an open tool is not the agent's. */
const silenceOf = ({ turn }: TurnEnd): LossReason => (turn.tools.root === null ? 'silence_deadline' : 'tool_silence');

/** Why the turn was lost, counted or not. */
export const whyLost = (end: TurnEnd): string =>
  end.outcome === 'timed-out' ? silenceOf(end) : (end.loss ?? end.reason ?? end.outcome);

/** A code runner lives in the daemon that died; one that closed did not die. */
export const takesDaemon = ({ parked }: Session, input: Input, { mode }: Task): boolean =>
  mode === 'code' && input.type === 'recovered' && parked?.kind !== 'closing';

/** Its holder is lost, and was charged for that: what becomes of the turn that it had is nobody's loss. */
export const isLeft = ({ mode, run, verdict }: Task): boolean =>
  mode === 'external' && run === null && verdict === null;

/** The lease of this task has lapsed. */
export const isLapse = (input: Input, id: TaskId): boolean =>
  input.type === 'timer' && input.name === 'lease' && input.subject === id;

/** The lease of a holder that was granted the session and never learned of it: nothing was begun, and nothing is charged. */
export const dropsGrant = (input: Input, { id, run, holder }: Task): boolean =>
  isLapse(input, id) && run !== null && holder?.told === false;

/** Its task is to continue later. */
export const givesWay = ({ interrupt }: Turn): boolean =>
  interrupt !== null &&
  (interrupt.intent === 'preempt' ||
    interrupt.intent === 'hold' ||
    interrupt.intent === 'close' ||
    interrupt.intent === 'give-way' ||
    interrupt.intent === 'release');

function outcomeOf(
  session: Session,
  turn: Turn,
  given: TurnResult | null,
  verdict: Verdict | null,
  left: boolean,
): TurnOutcome {
  if ((isTransient(given) || hasFilled(session, turn, given)) && givesWay(turn) && verdict === null) {
    return 'preempted';
  }
  if (given !== null && given.outcome !== 'interrupted') {
    return given.outcome;
  }
  if (verdict !== null) {
    const fails = verdict.status === 'failed' ? verdict.by?.kind : null;
    return fails === 'deadline' ? 'timed-out' : fails === 'limit' ? 'failed' : 'cancelled';
  }
  if (turn.interrupt?.intent === 'silence') {
    return 'timed-out';
  }
  if (givesWay(turn) && !(left && turn.phase === 'sent')) {
    return 'preempted';
  }
  return given === null ? 'agent-lost' : 'failed';
}

/** The task of the session before the step that led this entry. */
export function leaderOf(session: Session, entry: TaskId): Task | null {
  const stack = [session.tasks.root];
  for (const node of stack) {
    if (node === null) {
      continue;
    }
    stack.push(node.left, node.right);
    if (node.value.mergedInto === null && entryOf(node.value) === entry) {
      return node.value;
    }
  }
  return null;
}
