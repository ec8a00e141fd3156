/** Who owns the session, and who is next (rules 1 to 4, 6, 11, 12, 17). */
import type { Task } from '../../../src/core/model/task.ts';
import { treeEntries, treeGet } from '../../../src/core/tree.ts';
import { isHeldBack } from '../deliver.ts';
import type { Report } from '../report.ts';
import type { Move } from './move.ts';
import { onWire } from '../world.ts';
import { isLapse, isLeft } from './told/facts.ts';
import { dueWaiter, isDue, mayGo, suffers, wantsTurn } from './state.ts';

const epochs = 'rule 1: every grant makes a new epoch, and epochs only grow';
const order =
  'rule 2: a free session goes to the oldest interactive task, then to the preempted, then by priority and age';
const reentrant = 'rules 11 to 13: a hold is left only by its end, by preemption, or by eviction';
const preempted = 'rule 4: only background tasks give way, and only to interactive ones';
const fair = 'rule 17: a background task that was passed over too often is granted next';
const parked = 'a session that is parked or held back grants nothing';
const givesWay = 'rule 18: a background owner gives way at the hold limit, and loses nothing';
const system = 'rule 4: only what was submitted to do so preempts';

/** The order of rule 2, stated a second time: lower comes first. */
function rank(task: Task): number {
  if (task.lane === 'interactive') {
    return 0;
  }
  return task.status === 'running' ? 1 : 2;
}

function isBefore(a: Task, b: Task): boolean {
  if (rank(a) !== rank(b)) {
    return rank(a) < rank(b);
  }
  if (rank(a) === 2 && a.priority !== b.priority) {
    return a.priority > b.priority;
  }
  return a.position < b.position;
}

export function judgeHold(move: Move, report: Report): void {
  const { world, result, input } = move;
  const before = world.session;
  const after = result.session;
  const changed = after.hold?.epoch !== before.hold?.epoch || after.hold?.task !== before.hold?.task;
  if (after.epoch < before.epoch) {
    report.fail(epochs, 'the epoch falls');
  }
  if (changed && after.hold !== null) {
    judgeGrant(move, report);
    if (isHeldBack(after)) {
      report.fail(parked, 'a hold is granted');
    }
  }
  if (changed && before.hold !== null) {
    judgeLeaving(move, before.hold.task, report);
  }
  judgeGivingWay(move, report);
  if (input.type === 'release' && result.reply.kind === 'ok') {
    judgeReleased(move, input.task, report);
  }
  for (const record of result.records) {
    if (record.type !== 'event' || record.event.type !== 'preempted' || record.task === null) {
      continue;
    }
    const task = treeGet(before.tasks, record.task);
    const isClosed = before.hold?.turn?.interrupt?.intent === 'close';
    const isLost = isLapse(input, record.task) || (task !== undefined && isLeft(task));
    const mayGiveWay = isMoved(input, record.task) || isReleased(result, record.task) || isClosed || isLost;
    if (task?.lane !== 'background' && !mayGiveWay) {
      report.fail(preempted, `${record.task} gives way and is not in the background`);
    }
  }
  if (input.type === 'submit') {
    judgeAdmission(move, report);
  }
}

/** An owner that is moved gives the session up for it. */
const isMoved = (input: Move['input'], owner: Task['id']): boolean => input.type === 'move' && input.task === owner;

/** Its runner has given the session back. */
const isReleased = ({ session }: Move['result'], owner: Task['id']): boolean =>
  treeGet(session.tasks, owner)?.stage === 'released';

function judgeGrant(move: Move, report: Report): void {
  const before = move.world.session;
  const { session: after, records } = move.result;
  const { hold } = after;
  if (hold === null) {
    return;
  }
  // A code task whose runner starts gives way in the same step, if it was due and interactive work waits.
  const grants = records.filter((record) => record.type === 'event' && isGrant(record.event.type)).length;
  if (after.epoch !== hold.epoch || hold.epoch !== before.epoch + grants || grants < 1 || grants > 2) {
    report.fail(epochs, `the new hold has epoch ${hold.epoch} after ${before.epoch}`);
  }
  const owner = treeGet(after.tasks, hold.task);
  if (owner === undefined) {
    return;
  }
  if (judgedDue(move, hold.task, report) || heirAtLimit(move)?.id === hold.task) {
    return;
  }
  const was = treeGet(before.tasks, hold.task);
  const waited: Task = { ...owner, status: was?.status ?? 'queued' };
  for (const [id, task] of treeEntries(after.tasks)) {
    if (id !== hold.task && task.stage === 'waiting' && isBefore(task, waited)) {
      report.fail(order, `${hold.task} is granted before ${id}`);
    }
  }
}

/**
 * A background task that is due comes before all others, also when its turn has failed and is to be taken again; and nobody else does
 * (rule 17). A runner that was started has had what it waited for. True: the grant is its.
 */
function judgedDue({ world, input, result }: Move, granted: Task['id'], report: Report): boolean {
  const before = world.session;
  const { session: after, records } = result;
  const waiter = dueWaiter(before);
  // Another place or lane is counted anew.
  const isCountedAnew =
    waiter !== null && isMoved(input, waiter.id) && input.type === 'move' && (input.where ?? input.lane) !== null;
  const due = isCountedAnew ? null : waiter;
  const started = records.some(
    (record) => record.type === 'event' && record.task === due?.id && isGrant(record.event.type),
  );
  if (due !== null && mayGo(after, due) && !started && treeGet(after.tasks, due.id)?.stage === 'waiting') {
    report.fail(fair, `${due.id} was passed over too often, and ${granted} is granted`);
  }
  const again = isDue(before) && before.passedOver?.task === before.hold?.task ? before.hold?.task : undefined;
  return granted === due?.id || granted === again;
}

const isGrant = (type: string): boolean => type === 'granted' || type === 'resumed';

/** The background owner leaves the session because others have waited too long: at once, or with the end of its turn. */
function leavesAtLimit({ world, result, input }: Move): boolean {
  const { hold } = world.session;
  const turn = hold?.turn ?? null;
  const isLimit =
    onWire(world.session) && turn !== null
      ? turn.interrupt?.intent === 'hold'
      : input.type === 'timer' && input.name === 'hold';
  return (
    isLimit &&
    result.records.some(
      (record) => record.type === 'event' && record.task === hold?.task && record.event.type === 'preempted',
    )
  );
}

/** Whose turn it is then, where no interactive task waits: the background task in line, or else the oldest that wants a turn. */
function heirAtLimit(move: Move): Task | null {
  const { session } = move.world;
  if (!leavesAtLimit(move)) {
    return null;
  }
  const waiters = [...treeEntries(session.tasks)].flatMap(([, task]) => (task.stage === 'waiting' ? [task] : []));
  const inLine = waiters.filter(wantsTurn).toSorted((a, b) => a.admission - b.admission);
  const heir = inLine.find(({ id }) => id === session.passedOver?.task) ?? inLine[0] ?? null;
  return heir !== null && waiters.some(({ lane }) => lane === 'interactive') && !isDue(session) ? null : heir;
}

/** A healthy long turn is left alone while nobody waits behind it. */
function judgeGivingWay(move: Move, report: Report): void {
  const { world, result, input } = move;
  const before = world.session;
  const owner = before.hold === null ? undefined : treeGet(before.tasks, before.hold.task);
  const isLimit = input.type === 'timer' && input.name === 'hold';
  if (isLimit && !Array.from(treeEntries(before.tasks)).some(([, task]) => suffers(before, task))) {
    report.fail('rule 18: the hold limit is for those who wait', 'it comes to an owner behind which nobody waits');
  }
  if (isLimit && owner?.lane === 'background') {
    const after = treeGet(result.session.tasks, owner.id);
    const turn = result.session.hold?.turn ?? null;
    if (after === undefined || after.verdict !== null || after.attempts !== owner.attempts) {
      report.fail(givesWay, `${owner.id} ends, or is to end, for those who wait`);
    } else if (onWire(before) ? turn?.interrupt?.intent !== 'hold' : after.stage !== 'waiting') {
      report.fail(givesWay, `${owner.id} keeps the session`);
    }
  }
  const heir = heirAtLimit(move);
  const still = heir === null ? undefined : treeGet(result.session.tasks, heir.id);
  const granted = result.records.some(
    (record) => record.type === 'event' && record.task === heir?.id && isGrant(record.event.type),
  );
  if (still !== undefined && !granted && mayGo(result.session, still)) {
    report.fail(givesWay, `${still.id} waits on behind another`);
  }
}

function judgeLeaving(move: Move, owner: Task['id'], report: Report): void {
  const { world, result, input } = move;
  const { hold } = result.session;
  const still = treeGet(result.session.tasks, owner);
  // A restart or a fault gives the hold up: the owner takes its place in the order again.
  if (still === undefined || input.type === 'recovered' || input.type === 'fault' || isMoved(input, owner)) {
    return;
  }
  if (isReleased(result, owner)) {
    judgeRelease(move, owner, report);
    return;
  }
  // Its turn failed for a reason that passes: it waits for another try.
  const was = treeGet(world.session.tasks, owner);
  if (was !== undefined && still.retries === was.retries + 1) {
    return;
  }
  // Its holder is lost: at once, or with the end of the turn that it had.
  if (isLapse(input, owner) || (was !== undefined && isLeft(was))) {
    return;
  }
  const heir = hold === null ? undefined : treeGet(result.session.tasks, hold.task);
  // Whoever it was interrupted for may have gone away since: then it may be its own heir.
  const intent = world.session.hold?.turn?.interrupt?.intent ?? null;
  // A daemon that closes hands the session on to its next start.
  if (intent === 'close') {
    return;
  }
  const interrupted = intent === 'preempt' || intent === 'give-way' || leavesAtLimit(move);
  const fairly = heir !== undefined && dueWaiter(world.session)?.id === heir.id;
  if (was?.lane !== 'background' || (heir?.lane !== 'interactive' && !interrupted && !fairly)) {
    report.fail(
      reentrant,
      `${owner} is open, and ${hold === null ? 'nobody' : hold.task} owns the session instead of it`,
    );
  }
}

/** Only its own runner gives it back, at once or with the end of the turn that it left. */
function judgeRelease({ world, input }: Move, owner: Task['id'], report: Report): void {
  const asked = input.type === 'release' && input.task === owner;
  if (!asked && world.session.hold?.turn?.interrupt?.intent !== 'release') {
    report.fail(reentrant, `${owner} is released, and its runner has not given the session back`);
  }
}

/** The session is free for the next task at once, or as soon as the turn that the runner left is drained. */
function judgeReleased({ result }: Move, id: Task['id'], report: Report): void {
  const { tasks, hold } = result.session;
  const intent = hold?.task === id ? hold.turn?.interrupt?.intent : undefined;
  if (treeGet(tasks, id)?.stage !== 'released' && intent !== 'release') {
    report.fail(reentrant, `${id} keeps the session, which its runner has given back`);
  }
}

function judgeAdmission(move: Move, report: Report): void {
  const { input, result } = move;
  if (input.type !== 'submit') {
    return;
  }
  const born = treeGet(result.session.tasks, input.task.id);
  if (born === undefined) {
    return;
  }
  if (born.lane !== input.task.lane || born.mergeGroup !== input.task.mergeGroup) {
    report.fail('source and rights are fixed at admission', 'a task changes lane or merge group');
  }
  judgePlace(born, move, report);
  const calm = input.task.lane === 'background' || input.task.whenBusy === 'enqueue' || input.task.whenBusy === 'steer';
  const turn = result.session.hold?.turn ?? null;
  if (calm && turn !== null && turn.interrupt !== null && move.world.session.hold?.turn?.interrupt === null) {
    report.fail(system, `${input.task.id} is submitted with ${input.task.whenBusy} and interrupts a turn`);
  }
}

/** Admission order is the order of arrival; only a message that takes the place of others comes before some: see `line.ts`. */
function judgePlace(born: Task, { world, result }: Move, report: Report): void {
  const { reply, records } = result;
  const ended = reply.kind === 'admitted' ? reply.endedTasks : [];
  for (const [id, task] of treeEntries(world.session.tasks)) {
    if (ended.length === 0 && task.position >= born.position) {
      report.fail(order, `${born.id} is admitted before ${id}`);
    }
  }
  for (const record of records) {
    if (record.type === 'end' && record.final.reason === 'replaced' && !ended.includes(record.task)) {
      report.fail(order, `${record.task} is replaced, and the receipt does not say so`);
    }
  }
}
