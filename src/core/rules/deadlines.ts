/**
 * Which deadlines a session has armed, as a function of its state (rule 18). The end of each step compares the state before
 * with the state after; no other code arms or disarms. A timer that fires is fenced by the same functions.
 */
import { type Draft, getTask, isCollecting } from '../draft.ts';
import type { Epoch, TaskId } from '../model/ids.ts';
import type { Agent, Hold, Session, Turn } from '../model/session.ts';
import type { Task } from '../model/task.ts';
import type { TimerName } from '../model/timers.ts';
import { treeEntries, treeGet } from '../tree.ts';
import { atRest } from './agent-end.ts';
import { stalled } from './arrange.ts';
import { interactiveWaits } from '../queue.ts';
import { isExpiring } from './expiry.ts';
import { isLeased } from './holder.ts';
import { fairWaiter } from './fairness.ts';
import { onWire } from './turn.ts';

type Subject = number | TaskId;

/** An agent has one deadline at most. While a turn of ours is with it, the deadline of that is in charge. */
function agentDeadline(agent: Agent): 'start' | 'switch' | 'unsolicited' | 'idle' | null {
  if (agent.kind === 'starting') {
    return 'start';
  }
  if (agent.kind !== 'up' || agent.activity === 'turn') {
    return null;
  }
  if (agent.activity === 'switching') {
    return 'switch';
  }
  return atRest(agent) ? 'idle' : 'unsolicited';
}

/** A turn has one while it is on the wire, beside the end of its protection. A wait for a person is not a silence of the agent. */
function turnDeadline(turn: Turn | null): 'drain' | 'silence' | 'permission' | null {
  if (!onWire(turn)) {
    return null;
  }
  if (turn.interrupt !== null) {
    return 'drain';
  }
  return turn.permissionRequests.length > 0 ? 'permission' : 'silence';
}

/** A task waits that could be granted. A runner that has not asked for a turn waits for its own. */
const isWaitedFor = (session: Session): boolean =>
  !stalled(session) &&
  (interactiveWaits(session) || (session.throttle === null && session.indexes.backgroundByAge.root !== null));

/** A task waits that asked to preempt. */
const isPressed = (session: Session): boolean => !stalled(session) && session.indexes.demand.root !== null;

const isProtected = (turn: Turn | null): boolean => onWire(turn) && turn.protected;

/**
 * The hold that has a limit. A healthy long turn behind which nobody waits is left alone, and so is an owner in whose place
 * nobody could be granted. A turn that is being interrupted has its `drain` deadline, and a protected one its window. An interactive turn
 * would fail at the limit: not for a task that is patient.
 */
function limitedHold(session: Session, owner: Task | null): Epoch | null {
  const { hold } = session;
  if (hold === null) {
    return null;
  }
  const { turn } = hold;
  const isLeft = turn !== null && (turn.interrupt !== null || turn.protected);
  const mayFail = onWire(turn) && owner?.lane === 'interactive';
  return !isLeft && (mayFail ? isPressed(session) : isWaitedFor(session)) ? hold.epoch : null;
}

const ownerNow = (d: Draft): Task | null => (d.s.hold === null ? null : getTask(d, d.s.hold.task));

/** Whether this deadline is armed. One that fires late, or twice, is not. */
export function isArmed(d: Draft, name: TimerName, subject: Subject): boolean {
  const { agent, hold } = d.s;
  const turn = hold?.turn ?? null;
  switch (name) {
    case 'start':
    case 'switch':
    case 'unsolicited':
    case 'idle':
      return agentDeadline(agent) === name && agent.kind !== 'none' && agent.incarnation === subject;
    case 'drain':
    case 'silence':
    case 'permission':
      return turnDeadline(turn) === name && turn?.id === subject;
    case 'protected':
      return isProtected(turn) && turn?.id === subject;
    case 'hold':
      return limitedHold(d.s, ownerNow(d)) === subject;
    case 'wait':
      return fairWaiter(d.s) === subject;
    case 'collect':
      return typeof subject === 'string' && isCollecting(getTask(d, subject));
    case 'expiry':
      return typeof subject === 'string' && isExpiring(getTask(d, subject));
    case 'lease':
      return typeof subject === 'string' && isLeased(getTask(d, subject));
  }
}

/**
 * Arms and disarms what the step has changed. Most steps of a long turn are output, and change nothing that is compared here.
 * `restarted`: the timers of the daemon before are gone.
 */
export function setDeadlines(d: Draft, restarted: boolean): void {
  const was = d.before;
  const is = d.s;
  if (was.agent !== is.agent) {
    setForAgent(d, was.agent, is.agent);
  }
  if (was.hold !== is.hold) {
    setForTurn(d, restarted ? null : was.hold, is.hold);
  }
  const isSameAge = was.indexes.backgroundByAge === is.indexes.backgroundByAge;
  const isSameLine = isSameAge && was.indexes.queue === is.indexes.queue;
  if (was.hold !== is.hold || !isSameLine || was.parked !== is.parked || was.throttle !== is.throttle) {
    const before = was.hold === null ? null : (treeGet(was.tasks, was.hold.task) ?? null);
    set(d, 'hold', restarted ? null : limitedHold(was, before), limitedHold(is, ownerNow(d)));
  }
  if (restarted || was.passedOver !== is.passedOver || !isSameAge) {
    set(d, 'wait', restarted ? null : fairWaiter(was), fairWaiter(is));
  }
  if (restarted) {
    setForAllTasks(d);
  } else if (d.timed) {
    setForTasks(d);
  }
}

function setForTasks(d: Draft): void {
  for (const { id, task } of d.touched) {
    const was = treeGet(d.before.tasks, id) ?? null;
    setForTask(d, 'collect', id, isCollecting(was), isCollecting(task));
    setForTask(d, 'expiry', id, isExpiring(was), isExpiring(task));
    setForTask(d, 'lease', id, isLeased(was), isLeased(task));
  }
}

/** A restart closes all windows, and holders have their whole lease again. */
function setForAllTasks(d: Draft): void {
  for (const [subject] of treeEntries(d.before.tasks)) {
    setForTask(d, 'expiry', subject, false, isExpiring(getTask(d, subject)));
    setForTask(d, 'lease', subject, false, isLeased(getTask(d, subject)));
  }
}

function setForTask(d: Draft, timer: 'collect' | 'expiry' | 'lease', subject: TaskId, was: boolean, is: boolean): void {
  if (was !== is) {
    d.effects.push({ type: is ? 'arm' : 'disarm', timer, subject });
  }
}

function setForAgent(d: Draft, was: Agent, is: Agent): void {
  const before = agentDeadline(was);
  const after = agentDeadline(is);
  const subject = was.kind === 'none' ? null : was.incarnation;
  const next = is.kind === 'none' ? null : is.incarnation;
  if (before === after && subject === next) {
    return;
  }
  if (before !== null && subject !== null) {
    d.effects.push({ type: 'disarm', timer: before, subject });
  }
  if (after !== null && next !== null) {
    d.effects.push({ type: 'arm', timer: after, subject: next });
  }
}

function setForTurn(d: Draft, wasHold: Hold | null, isHold: Hold | null): void {
  const was = wasHold?.turn ?? null;
  const is = isHold?.turn ?? null;
  if ((was === null && is === null) || was === is) {
    return;
  }
  const before = turnDeadline(was);
  const after = turnDeadline(is);
  const same = before === after && was?.id === is?.id;
  if (was !== null && before !== null && !same) {
    d.effects.push({ type: 'disarm', timer: before, subject: was.id });
  }
  if (is !== null && after !== null && (!same || interruptsWritten(was) !== interruptsWritten(is))) {
    d.effects.push({ type: 'arm', timer: after, subject: is.id });
  }
  set(d, 'protected', isProtected(was) ? (was?.id ?? null) : null, isProtected(is) ? (is?.id ?? null) : null);
}

/** With each interrupt that is written the wait for its end begins; the shell has one time for all of them. */
const interruptsWritten = (turn: Turn | null): number =>
  turn?.phase !== 'draining' ? 0 : turn.interrupt?.resent === true ? 2 : 1;

function set(d: Draft, timer: 'protected' | 'hold' | 'wait', was: Subject | null, is: Subject | null): void {
  if ((was === null && is === null) || was === is) {
    return;
  }
  if (was !== null) {
    d.effects.push({ type: 'disarm', timer, subject: was });
  }
  if (is !== null) {
    d.effects.push({ type: 'arm', timer, subject: is });
  }
}
