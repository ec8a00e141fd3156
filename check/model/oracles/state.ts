/** What holds in every state: of the session alone, and of the session and its environment together. */
import type { Session } from '../../../src/core/model/session.ts';
import type { Task } from '../../../src/core/model/task.ts';
import { type Tree, treeEntries, treeGet, treeSize } from '../../../src/core/tree.ts';
import type { Invariant } from '../../engine/index.ts';
import type { StateView, Timer, View, World } from '../world.ts';
import { onWire, requestName } from '../world.ts';
import type { Once } from '../judged.ts';
import { demanders } from './turn.ts';

const isWaiting = (task: Task): boolean => task.stage === 'waiting';

/** The open tasks of a session. A dozen properties ask for those of the same session in a row, so the last list is kept. */
export function all(session: Session): readonly Task[] {
  if (last.tasks !== session.tasks) {
    last = { tasks: session.tasks, list: Array.from(treeEntries(session.tasks), ([, task]) => task) };
  }
  return last.list;
}

let last: { readonly tasks: Session['tasks'] | null; readonly list: readonly Task[] } = { tasks: null, list: [] };

/** Stated a second time: neither the operator nor a throttle keeps it from being granted or sent. */
export const mayGo = ({ parked, throttle }: Session, { lane }: Task): boolean =>
  parked === null && (throttle === null || (throttle.level === 'background' && lane === 'interactive'));

function oneOwner({ session }: View): string | null {
  const holding = all(session).filter((task) => task.stage === 'owner');
  if (session.hold === null) {
    return holding.length === 0 ? null : 'a task holds a free session';
  }
  if (holding.length !== 1 || holding[0]?.id !== session.hold.task) {
    return 'the owner is not the one task that holds';
  }
  return holding[0].status === 'running' ? null : 'the owner is not running';
}

function noFreeWindow({ session }: View): string | null {
  const waits = all(session).find(isWaiting);
  if (session.hold !== null || session.fenced || waits === undefined) {
    return null;
  }
  const first = all(session).find((task) => isWaiting(task) && mayGo(session, task));
  return first === undefined ? null : `nobody owns the session and ${first.id} waits`;
}

function leaving({ session: { agent } }: View): string | null {
  if (agent.kind !== 'up' || agent.leavesFor === null) {
    return null;
  }
  const rests = agent.activity === 'boundary' && !agent.unsolicited;
  return rests ? 'it is at rest, and is not closed' : null;
}

function admission({ session }: View): string | null {
  const { hold } = session;
  if (hold === null || session.fenced || onWire(session)) {
    return null;
  }
  const owner = treeGet(session.tasks, hold.task);
  // Protection is no reason to wait for a turn that may not be sent.
  if (owner?.lane !== 'background' || (hold.turn?.protected === true && mayGo(session, owner))) {
    return null;
  }
  const waits = all(session).find((task) => isWaiting(task) && task.lane === 'interactive' && mayGo(session, task));
  return waits === undefined ? null : `${owner.id} owns the session between turns and ${waits.id} waits`;
}

function interrupted({ session }: View): string | null {
  const turn = session.hold?.turn ?? null;
  const owner = session.hold === null ? undefined : treeGet(session.tasks, session.hold.task);
  if (turn === null || !onWire(session) || session.fenced) {
    return null;
  }
  if (session.parked !== null || session.throttle?.level === 'all') {
    return null;
  }
  if (owner?.lane === 'background' && !turn.protected && turn.interrupt === null) {
    const [first] = demanders(session);
    if (first !== undefined) {
      return `${first} wants the turn interrupted and it is not`;
    }
  }
  return null;
}

function ontoTheWire({ session, processes }: World): string | null {
  const turn = session.hold?.turn ?? null;
  if (turn === null || session.fenced) {
    return null;
  }
  if (turn.phase === 'pending' && turn.interrupt !== null) {
    return 'a turn that was not sent is being interrupted';
  }
  if (turn.phase === 'running' && turn.interrupt !== null) {
    return 'an interrupt is kept back from a turn that has started';
  }
  if (turn.phase !== 'draining') {
    return null;
  }
  const process = processes.find((other) => other.last === turn.id);
  if (process === undefined) {
    return 'a turn is drained and no process has it';
  }
  if (turn.interrupt === null) {
    return 'a turn is drained for no cause';
  }
  return process.interrupts === (turn.interrupt.resent ? 2 : 1)
    ? null
    : `its interrupt was written ${process.interrupts} times`;
}

/** Rule 17, stated a second time: protection is for a background task that others were granted before often enough. */
function protection({ session }: View): string | null {
  const turn = session.hold?.turn ?? null;
  const owner = session.hold === null ? undefined : treeGet(session.tasks, session.hold.task);
  if (turn === null || owner === undefined) {
    return null;
  }
  const times = session.passedOver?.task === owner.id ? session.passedOver.times : 0;
  const due = owner.lane === 'background' && times >= session.limits.maxPassedOver;
  if (turn.protected && !due) {
    return `${owner.id} is protected and was passed over ${times} times`;
  }
  return due && !turn.protected && turn.phase === 'pending' ? `${owner.id} is due for protection` : null;
}

interface Deadline extends Timer {
  readonly why: string;
}

/** The table of deadlines, stated a second time: what is waited for, and what ends the wait. */
function deadlinesOf({ session }: View): Deadline[] {
  const { agent, hold } = session;
  const turn = onWire(session) ? (hold?.turn ?? null) : null;
  const list: Deadline[] = [];
  if (agent.kind === 'starting') {
    list.push({ name: 'start', of: agent.incarnation, why: 'the agent is starting' });
  }
  if (agent.kind === 'up' && agent.unsolicited && agent.activity === 'boundary') {
    list.push({ name: 'unsolicited', of: agent.incarnation, why: 'the agent is in a turn that nobody asked for' });
  }
  if (agent.kind === 'up' && agent.activity === 'switching') {
    list.push({ name: 'switch', of: agent.incarnation, why: 'the agent changes its model' });
  } else if (agent.kind === 'up' && agent.activity === 'boundary' && !agent.unsolicited) {
    list.push({ name: 'idle', of: agent.incarnation, why: 'the agent is at rest' });
  }
  if (turn !== null) {
    if (turn.protected) {
      list.push({ name: 'protected', of: turn.id, why: 'a turn is protected' });
    }
    if (turn.interrupt === null && turn.permissionRequests.length > 0) {
      list.push({ name: 'permission', of: turn.id, why: 'a turn waits for a person' });
    } else if (turn.interrupt === null) {
      list.push({ name: 'silence', of: turn.id, why: 'a turn is on the wire' });
    } else {
      list.push({ name: 'drain', of: turn.id, why: 'a turn is being interrupted' });
    }
  }
  const isSettled = hold?.turn !== null && (hold?.turn.interrupt !== null || hold.turn.protected);
  if (hold !== null && !isSettled && !isKept(session) && all(session).some((task) => isKeptBy(session, task))) {
    list.push({ name: 'hold', of: hold.epoch, why: 'somebody waits for the owner' });
  }
  const waiter = passedOverWaiter(session);
  if (waiter !== null && !isDue(session)) {
    list.push({ name: 'wait', of: waiter.id, why: 'a background task was passed over' });
  }
  for (const task of all(session)) {
    if (task.stage === 'collecting') {
      list.push({ name: 'collect', of: task.id, why: 'a window is open' });
    }
    if (task.holder !== null) {
      list.push({ name: 'lease', of: task.id, why: 'a holder has to give signs of life' });
    }
    if (task.expiresAt !== null && task.mergedInto === null && !task.overdue) {
      list.push({ name: 'expiry', of: task.id, why: 'a task has a time of its own' });
    }
  }
  return list;
}

/** Stated a second time: a background task that waits for a turn. A runner that has not asked for one waits for none. */
export const wantsTurn = (task: Task): boolean =>
  isWaiting(task) && task.lane === 'background' && (task.mode === 'prompt' || task.run === null || task.call !== null);

/** It waits for an owner that has to leave for it: an interactive turn is cut, and fails, for a task that is not patient alone. */
function isKeptBy(session: Session, task: Task): boolean {
  const { hold } = session;
  const owner = hold === null ? undefined : treeGet(session.tasks, hold.task);
  const isPatient = task.lane === 'background' || task.whenBusy === 'enqueue' || task.whenBusy === 'steer';
  return suffers(session, task) && !(owner?.lane === 'interactive' && onWire(session) && isPatient);
}

/** It waits for the owner: not for the operator, the end of a throttle, or its runner. */
export const suffers = (session: Session, task: Task): boolean =>
  mayGo(session, task) && (wantsTurn(task) || (isWaiting(task) && task.lane === 'interactive'));

const passedOverWaiter = (session: Session): Task | null =>
  all(session).find((task) => task.id === session.passedOver?.task && wantsTurn(task)) ?? null;

const agesOf = (session: Session): ReadonlySet<string> =>
  new Set(
    all(session)
      .filter(wantsTurn)
      .map((task) => task.id),
  );

export const isDue = ({ passedOver, limits }: Session): boolean =>
  passedOver !== null && passedOver.times >= limits.maxPassedOver;

/** The background task that comes before all others (rule 17), or null. */
export function dueWaiter(session: Session): Task | null {
  return isDue(session) ? passedOverWaiter(session) : null;
}

/** The owner has a turn to take, and neither the operator nor a throttle lets it. */
function isKept(session: Session): boolean {
  const { hold } = session;
  const owner = hold === null ? undefined : treeGet(session.tasks, hold.task);
  if (hold === null || owner === undefined || mayGo(session, owner)) {
    return false;
  }
  if (hold.turn !== null) {
    return hold.turn.phase === 'pending';
  }
  return owner.mode === 'prompt' || owner.call !== null;
}

/** Every wait names the deadline that ends it, and that is armed (rule 18); and nothing else is armed. */
function deadlines(world: World): string | null {
  const { session, processes, timers } = world;
  const { agent } = session;
  if (session.fenced) {
    return null;
  }
  if (agent.kind === 'ending' && !processes.some((process) => process.inc === agent.incarnation && process.leaving)) {
    return 'nobody ends the agent';
  }
  const wanted = deadlinesOf(world);
  const isIn = (list: readonly Timer[], { name, of }: Timer): boolean =>
    list.some((timer) => timer.name === name && timer.of === of);
  const missing = wanted.find((timer) => !isIn(timers, timer));
  if (missing !== undefined) {
    return `${missing.why}, and the deadline "${missing.name}" is not armed`;
  }
  const left = timers.find((timer) => !isIn(wanted, timer));
  return left === undefined ? null : `the deadline "${left.name}" of ${left.of} is armed and guards nothing`;
}

/** A task whose time was up while it ran has ended as soon as it would wait again. */
function overdue({ session }: World): string | null {
  const turn = session.hold?.turn ?? null;
  const waiting = all(session).find(
    (task) =>
      task.overdue &&
      (isWaiting(task) ||
        task.stage === 'collecting' ||
        task.stage === 'unclaimed' ||
        (task.stage === 'owner' &&
          (turn === null ? task.mode === 'prompt' || task.call !== null : turn.phase === 'pending'))),
  );
  return waiting === undefined || session.fenced ? null : `${waiting.id} waits, and its time is up`;
}

/** The same, from the processes alone: whatever one of them still has to say, a deadline ends the wait for it. */
function watched({ session, processes, timers }: World): string | null {
  const isArmed = (of: number, ...names: readonly string[]): boolean =>
    timers.some((timer) => timer.of === of && names.includes(timer.name));
  for (const process of session.fenced ? [] : processes) {
    const { inc, turn, inbox } = process;
    if (process.leaving) {
      continue;
    }
    if (!process.up && !isArmed(inc, 'start')) {
      return 'an agent starts, and no deadline ends that';
    }
    if (turn !== null && !isArmed(turn, 'drain') && (process.interrupted || !isArmed(turn, 'silence', 'permission'))) {
      return 'an agent is in its turn, and no deadline ends that';
    }
    const hasMore = turn !== null || inbox.length > 0 || (process.interrupts > 0 && !process.acked);
    if (process.unsolicited && !hasMore && !isArmed(inc, 'unsolicited', 'switch')) {
      return 'an agent is in a turn that nobody asked for, and no deadline ends that';
    }
  }
  return null;
}

const isApart = ({ stage }: Task): boolean => stage === 'released' || stage === 'unclaimed';

/** The indexes hold exactly what the tasks say. */
function indexes({ session }: View): string | null {
  const tasks = all(session);
  const demand = new Set(demanders(session));
  const queued = tasks.filter(isWaiting).map((task) => task.id);
  const mergeGroups = tasks.filter(
    (task) =>
      task.mergeGroup !== null &&
      (isWaiting(task) || task.stage === 'collecting' || isApart(task)) &&
      (task.status === 'queued' || task.lane === 'interactive'),
  );
  return (
    indexIs('order', session.indexes.order, new Set(tasks.map((task) => task.id))) ??
    indexIs('queue', session.indexes.queue, new Set(queued)) ??
    indexIs('demand', session.indexes.demand, demand) ??
    indexIs('backgroundByAge', session.indexes.backgroundByAge, agesOf(session)) ??
    (session.indexes.apart === tasks.filter(isApart).length ? null : 'the count of what stands apart is wrong') ??
    indexIs('mergeGroups', session.indexes.mergeGroups, new Set(mergeGroups.map((task) => task.id))) ??
    partsIndex(session)
  );
}

/** The parts of each entry, and the task that leads it in the place of the one that opened it. */
function partsIndex(session: Session): string | null {
  const parts = all(session).filter((task) => task.mergedInto !== null || task.leads !== null);
  for (const [key, id] of treeEntries(session.indexes.parts)) {
    const task = treeGet(session.tasks, id);
    const rank = task?.mergedInto === null ? 3 : task?.stage === 'steered' ? 2 : task?.status === 'queued' ? 0 : 1;
    if (key.rank !== rank || key.entry !== (task?.mergedInto ?? task?.leads) || key.admission !== task?.admission) {
      return `the index parts holds ${id} in the wrong place`;
    }
  }
  return indexIs('parts', session.indexes.parts, new Set(parts.map((task) => task.id)));
}

function indexIs<K>(name: string, tree: Tree<K, string>, wanted: ReadonlySet<string>): string | null {
  if (treeSize(tree) !== wanted.size) {
    return `the index ${name} holds ${treeSize(tree)} tasks, not ${wanted.size}`;
  }
  let last: K | null = null;
  for (const [key, id] of treeEntries(tree)) {
    if (!wanted.has(id)) {
      return `the index ${name} holds ${id}`;
    }
    if (treeGet(tree, key) !== id) {
      return `the index ${name} does not find ${id}`;
    }
    if (last !== null && tree.compare(last, key) >= 0) {
      return `the index ${name} is out of order`;
    }
    last = key;
  }
  return null;
}

function slotsAgree(world: View): string | null {
  const open = world.slots.filter((slot) => slot.state === 'open');
  const lost = open.find((slot) => treeGet(world.session.tasks, slot.id) === undefined);
  if (lost !== undefined) {
    return `${lost.id} was accepted, has no final, and is not there`;
  }
  if (open.length > world.session.limits.maxOpen) {
    return 'the queue has taken more than it has room for';
  }
  return treeSize(world.session.tasks) === open.length ? null : 'a task is there that nobody submitted';
}

function partsAgree({ session }: View): string | null {
  for (const task of all(session)) {
    const joined = task.stage === 'merged' || task.stage === 'steered';
    if (joined !== (task.mergedInto !== null)) {
      return `${task.id} is part of no entry, or of one that it waits beside`;
    }
    if (task.delivered && task.stage !== 'steered') {
      return `${task.id} is said to be delivered and is not steered`;
    }
    if (task.mergedInto === null || session.settling.some(({ entry }) => entry === task.mergedInto)) {
      continue;
    }
    const leaders = all(session).filter((one) => one.mergedInto === null && (one.leads ?? one.id) === task.mergedInto);
    const leader = leaders[0];
    if (leader === undefined || leaders.length > 1) {
      return `${task.id} is part of an entry that ${leaders.length} tasks lead`;
    }
    if (task.stage === 'steered' && (session.hold?.task !== leader.id || !onWire(session))) {
      return `${task.id} is steered into a turn that is not on the wire`;
    }
    const model = task.stage === 'steered' ? (session.hold?.turn?.model ?? null) : leader.model;
    if (task.model !== model && !(task.stage === 'steered' && task.model === null)) {
      return `${task.id} joined a turn of another model than it asks for`;
    }
    if (task.mergeGroup === null || leader.mergeGroup !== task.mergeGroup) {
      return `${task.id} joined a task of another source or other rights`;
    }
    if (task.stage === 'merged' && (task.onLost !== leader.onLost || task.maxAttempts !== leader.maxAttempts)) {
      return `${task.id} joined a task of another policy`;
    }
    if (task.stage === 'merged' && task.status !== leader.status) {
      return `${task.id} is ${task.status}, and the task that it is merged into is ${leader.status}`;
    }
  }
  return null;
}

/** A message that is steered into a confirmed turn is on its way to the agent until that has answered. */
function steersWritten({ session, processes }: World): string | null {
  const turn = session.hold?.turn ?? null;
  if (turn?.phase !== 'running') {
    // An interrupt that was latched leaves alone: what was steered goes back to the queue with the end of the turn.
    return null;
  }
  const process = processes.find(({ last }) => last === turn.id);
  const lost = all(session).find(
    (task) =>
      task.stage === 'steered' &&
      !task.delivered &&
      process?.inbox.some((message) => message.type === 'steer' && message.task === task.id) !== true,
  );
  return lost === undefined ? null : `${lost.id} waits for an agent that was not sent its text`;
}

/** Each open task has a place of its own, and what is numbered anew has one too. */
function positions({ session }: View): string | null {
  const tasks = all(session);
  const odd = tasks.find((task) => !Number.isSafeInteger(task.position) || !Number.isSafeInteger(task.admission));
  if (odd !== undefined) {
    return `${odd.id} has a position or an admission that is not an integer`;
  }
  const distinct = (numbers: readonly number[]): boolean => new Set(numbers).size === numbers.length;
  if (!distinct(tasks.map((task) => task.admission))) {
    return 'two tasks have the same admission';
  }
  return distinct(tasks.map((task) => task.position)) ? null : 'two tasks have the same position';
}

/** New tokens are new because none is beyond its counter. */
function bounds({ session }: View): string | null {
  const { hold, agent } = session;
  if (hold !== null && hold.epoch > session.epoch) {
    return 'a hold has an epoch that was not granted yet';
  }
  if (hold?.turn !== null && hold?.turn !== undefined && hold.turn.id > session.turns) {
    return 'a turn is beyond the counter';
  }
  if (agent.kind !== 'none' && agent.incarnation > session.incarnations) {
    return 'an agent is beyond the counter';
  }
  for (const task of all(session)) {
    if (task.admission > session.admissions) {
      return `${task.id} has an admission that is beyond the counter`;
    }
    if (task.run !== null && task.run > session.epoch) {
      return `the runner of ${task.id} has an epoch that was not granted`;
    }
    if (task.attempts > task.maxAttempts) {
      return `${task.id} is at attempt ${task.attempts}`;
    }
  }
  return null;
}

/** An external task competes exactly while a holder is there, and owns the session without one only while the turn of a lost one ends. */
function wrongHolder(session: Session, { stage, run, holder, verdict, call }: Task): string | null {
  if (run !== null && holder === null) {
    return 'has a run and no holder';
  }
  if (holder !== null && (holder.told ? run === null : call !== null || holder.answered !== null)) {
    return holder.told
      ? 'has told its holder of a grant that is none'
      : 'takes turns for a holder that knows of no grant';
  }
  if (stage === 'owner') {
    const isDrained = onWire(session) && session.hold?.turn?.interrupt !== null;
    return run !== null || isDrained ? null : 'owns the session and has no holder';
  }
  if (stage !== 'waiting' && stage !== 'unclaimed' && stage !== 'released') {
    return `is ${stage}`;
  }
  if (verdict !== null) {
    return 'is to end and has no turn';
  }
  return (holder === null) === (stage === 'unclaimed') ? null : `is ${stage}`;
}

/** Calls are conserved: what a live runner waits for, the session owes it. */
function callsAgree({ session, runners }: StateView): string | null {
  if (session.fenced) {
    return null;
  }
  for (const runner of runners) {
    if (runner.aborted) {
      continue;
    }
    const task = treeGet(session.tasks, runner.task);
    if (task === undefined || task.run !== runner.run) {
      return `a runner of ${runner.task} lives on, and nobody aborts it`;
    }
    if ((task.call?.id ?? null) !== runner.call && task.verdict === null && !runner.released) {
      return `a runner of ${runner.task} waits for a lost call`;
    }
    if (task.stage === 'released' && (task.call !== null || !runner.released)) {
      return `${task.id} is released, and its runner has a call or has not given the session back`;
    }
  }
  for (const task of all(session)) {
    const lives = runners.some((runner) => runner.task === task.id && runner.run === task.run && !runner.aborted);
    if (task.run !== null && !lives) {
      return `${task.id} believes in a runner that is not there`;
    }
    const turn = session.hold?.task === task.id ? session.hold.turn : null;
    if (turn !== null && task.run !== null && turn.call !== (task.call?.id ?? null)) {
      return 'a turn answers another call than the one asked';
    }
    if (task.mode === 'code' && task.stage === 'owner' && task.run === null && task.verdict === null) {
      return `${task.id} owns the session and has no runner`;
    }
    const wrong = task.mode === 'external' ? wrongHolder(session, task) : task.holder;
    if (wrong !== null) {
      return `${task.id} ${typeof wrong === 'string' ? wrong : 'has a holder and is not external'}`;
    }
  }
  return null;
}

function processesAgree({ session, processes, timers }: World): string | null {
  if (processes.length > 1) {
    return 'two processes live';
  }
  const { agent } = session;
  if (session.fenced) {
    return null;
  }
  if (agent.kind === 'none') {
    return processes.length === 0 ? null : 'a process lives that the session does not know of';
  }
  const process = processes.find((other) => other.inc === agent.incarnation);
  if (process === undefined) {
    return 'the session believes in a process that is gone';
  }
  if (agent.kind === 'up' && !process.up) {
    return 'the session believes that the agent is up, and it is starting';
  }
  if (agent.kind === 'up' && agent.activity === 'switching' && process.model !== agent.model) {
    const asked = process.inbox.some((message) => message.type === 'switch' && message.model === agent.model);
    if (!asked && !timers.some(({ name }) => name === 'switch')) {
      return 'the agent was not asked for its model';
    }
  }
  if (agent.kind === 'up' && agent.activity !== 'switching' && process.model !== agent.model) {
    return `the session believes in model ${agent.model}, and it is ${process.model}`;
  }
  if (agent.kind === 'up' && agent.activity === 'turn' && !onWire(session)) {
    return 'the agent is in a turn that nobody owns';
  }
  return agent.kind !== 'up' && onWire(session) ? 'a turn is on the wire of an agent that is not up' : null;
}

/** What the session waits for a person for is what its agent waits for; and it does so only in a turn that goes on. */
function asksAgree({ session, processes, timers }: World): string | null {
  const turn = session.hold?.turn ?? null;
  if (session.fenced) {
    return null;
  }
  if (timers.some(({ name }) => name === 'permission') && timers.some(({ name }) => name === 'silence')) {
    return 'a wait for a person counts as a silence';
  }
  if (turn === null) {
    return null;
  }
  if (turn.permissionRequests.length > 0 && (!onWire(session) || turn.interrupt !== null)) {
    return 'an interrupted turn waits for a person';
  }
  if (!onWire(session)) {
    return null;
  }
  const process = processes.find((other) => other.last === turn.id);
  const asked = process?.turn === turn.id ? process.unanswered : [];
  if (turn.interrupt !== null) {
    return asked.length === 0 ? null : 'nobody answers the agent, and nobody is asked';
  }
  return asked.length === turn.permissionRequests.length &&
    asked.every((one) => turn.permissionRequests.includes(requestName(one)))
    ? null
    : `the agent asks for ${asked.length} things, the session knows of ${turn.permissionRequests.length}`;
}

/**
 * `once` makes an invariant of one that looks at a view alone. `bounds` is asked in every state all the same, because names
 * may be compared for equality alone only where it holds.
 */
export const stateInvariants = (once: Once): readonly Invariant<World>[] => [
  once({ name: 'rule 1: at most one hold, and its task is the one that holds', check: oneOwner }),
  once({ name: 'rule 3: no free window', check: noFreeWindow }),
  once({ name: 'rule 20: an agent that leaves for another session gets nothing to do', check: leaving }),
  once({ name: 'rule 6: no background turn is admitted while an interactive task waits', check: admission }),
  once({ name: 'rule 5: the interrupt leaves in the same pass as the demand', check: interrupted }),
  { name: 'rules 5, 7, 9: one interrupt for a turn, as soon as it has started', check: ontoTheWire },
  once({ name: 'rule 17: the turn of a due task is protected, and no other', check: protection }),
  { name: 'rule 18: every wait has its deadline, and no other is armed', check: deadlines },
  { name: 'rule 16: what is not to wait any longer does not wait', check: overdue },
  { name: 'rule 18: whatever a process has still to say is waited for with a deadline', check: watched },
  once({ name: 'rule 2: the indexes are sets that agree with the tasks', check: indexes }),
  once({ name: 'rule 2: each open task has a place of its own', check: positions }),
  once({ name: 'whatever was accepted is there until its final', check: slotsAgree }),
  once({ name: 'parts and entries agree', check: partsAgree }),
  { name: 'a steered message is with the agent, or on its way to it', check: steersWritten },
  { name: 'tokens are new when they are given', check: bounds },
  once({ name: 'rule 11: calls of live runners are owed, and of others not', check: callsAgree }),
  { name: 'rule 14: the session knows its one process', check: processesAgree },
  {
    name: 'the session knows what its agent asks for, and no silence is counted meanwhile',
    check: asksAgree,
  },
];
