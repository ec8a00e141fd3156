/**
 * What must be true of every step of the session core, whatever the input. The driver and the property tests call it after
 * each step; a step that breaks anything here fails the test it happens in, by the sentence that is pushed.
 */
import { wrongReply } from '../../check/model/oracles/replies.ts';
import { judgeTold } from '../../check/model/oracles/told/index.ts';
import { wrongWhy } from '../../check/model/oracles/why.ts';
import { Report } from '../../check/model/report.ts';
import type { Agent, Session, Turn } from '../../src/core/model/session.ts';
import type { Lane, Task } from '../../src/core/model/task.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Effect } from '../../src/core/model/effects.ts';
import type { Record as StepRecord } from '../../src/core/model/records.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import { compareQueue, isWaiting, preempts, queueKey } from '../../src/core/queue.ts';
import { durableOf, type Durable, foldRecords } from '../../src/core/rebuild.ts';
import { treeEntries, treeGet, type Tree } from '../../src/core/tree.ts';

/** Freezes a value and all it holds. What is frozen already is left, so that shared parts cost nothing. */
export function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

const onWire = (turn: Turn | null | undefined): turn is Turn =>
  turn !== null && turn !== undefined && turn.phase !== 'pending';

export const tasksOf = (session: Session): readonly Task[] => [...treeEntries(session.tasks)].map(([, task]) => task);

/** The durable part with its open tasks in one order, to be compared. */
export const ordered = (durable: Durable): Durable => ({
  ...durable,
  open: durable.open.toSorted((a, b) => (a.row.id < b.row.id ? -1 : 1)),
});

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

type Say = (problem: string) => void;

export function audit(before: Session, input: Input, result: StepResult): string[] {
  const problems: string[] = [];
  const say: Say = (problem) => problems.push(`${input.type}: ${problem}`);
  const { session, records, effects, reply } = result;
  const wrong = wrongReply(before, input, reply) ?? wrongWhy(before, input, reply);
  if (wrong !== null) {
    say(wrong);
  }
  if (reply.kind === 'refused' || reply.kind === 'stale') {
    if (session !== before || records.length > 0 || effects.length > 0) {
      say(`${reply.kind}, and yet something changed`);
    }
    return problems;
  }
  if (!same(ordered(foldRecords(durableOf(before), records)), ordered(durableOf(session)))) {
    say('the records do not give the session back');
  }
  const report = new Report();
  judgeTold(before, input, result, report);
  if (report.broken !== null) {
    say(`${report.broken.property}: ${report.broken.detail}`);
  }
  auditTapes(before, records, say);
  auditIndexes(session, say);
  auditNumbers(before, session, say);
  auditTasks(session, say);
  auditOwner(session, say);
  auditGrant(before, session, say);
  auditEffects(before, session, effects, say);
  auditHeldBack(before, session, effects, say);
  return problems;
}

/** Dense from 1, the first event `queued`, `final` once and last. */
function auditTapes(before: Session, records: readonly StepRecord[], say: Say): void {
  const last = new Map<string, number>([['', before.seq]]);
  for (const task of tasksOf(before)) {
    last.set(task.id, task.seq);
  }
  const ended = new Set<string>();
  for (const record of records) {
    if (record.type === 'admit') {
      last.set(record.task.id, 0);
    } else if (record.type === 'event' || record.type === 'end') {
      const tape = record.task ?? '';
      if (ended.has(tape) || record.seq !== (last.get(tape) ?? Number.NaN) + 1) {
        say(`${tape}: ${record.type} ${record.seq} does not follow ${last.get(tape)}`);
      }
      if (tape !== '' && (record.seq === 1) !== (record.type === 'event' && record.event.type === 'queued')) {
        say(`${tape}: a tape begins with queued, once`);
      }
      last.set(tape, record.seq);
      if (record.type === 'end') {
        ended.add(tape);
      }
    } else if (record.type === 'task' && ended.has(record.task.id)) {
      say(`${record.task.id}: a row after its end`);
    }
  }
}

function auditIndexes(session: Session, say: Say): void {
  const tasks = tasksOf(session);
  const waiting = tasks.filter(isWaiting).toSorted((a, b) => compareQueue(queueKey(a), queueKey(b)));
  const compare = (name: string, is: Iterable<readonly [unknown, string]>, expected: readonly Task[]): void => {
    const says = [...is].map(([, id]) => id);
    const should = expected.map(({ id }) => id);
    if (!same(says, should)) {
      say(`index ${name} says ${says.join()}, the tasks say ${should.join()}`);
    }
  };
  compare(
    'order',
    treeEntries(session.indexes.order),
    tasks.toSorted((a, b) => a.position - b.position),
  );
  compare('queue', treeEntries(session.indexes.queue), waiting);
  compare('demand', treeEntries(session.indexes.demand), waiting.filter(preempts));
  const mergeGroups = tasks.filter(
    ({ mergeGroup, status, stage, lane }) =>
      mergeGroup !== null &&
      /waiting|collecting|released|unclaimed/.test(stage) &&
      (status === 'queued' || lane === 'interactive'),
  );
  const rankOf = ({ status, lane, whenBusy }: Task): number =>
    status === 'running' ? 0 : lane === 'interactive' && /interrupt|rollback/.test(whenBusy) ? 1 : 2;
  compare(
    'mergeGroups',
    treeEntries(session.indexes.mergeGroups),
    mergeGroups.toSorted(
      (a, b) =>
        String(a.mergeGroup).localeCompare(String(b.mergeGroup)) || rankOf(a) - rankOf(b) || a.admission - b.admission,
    ),
  );
  for (const tree of [
    session.tasks,
    session.indexes.order,
    session.indexes.queue,
    session.indexes.demand,
    session.indexes.mergeGroups,
  ]) {
    auditTree(tree, say);
  }
}

type Link = Tree<unknown, unknown>['root'];

/** Heights and sizes are right, and no node leans by more than one. */
export function auditTree(tree: { readonly root: Link }, say: Say): void {
  const walk = (node: Link): { height: number; size: number } => {
    if (node === null) {
      return { height: 0, size: 0 };
    }
    const left = walk(node.left);
    const right = walk(node.right);
    const is = { height: Math.max(left.height, right.height) + 1, size: left.size + right.size + 1 };
    if (Math.abs(left.height - right.height) > 1 || node.height !== is.height || node.size !== is.size) {
      say('a tree has lost its balance');
    }
    return is;
  };
  walk(tree.root);
}

function auditNumbers(before: Session, session: Session, say: Say): void {
  for (const name of ['epoch', 'admissions', 'turns', 'incarnations', 'seq'] as const) {
    if (session[name] < before[name]) {
      say(`${name} went back`);
    }
  }
  if (session.hold !== null && session.hold.epoch !== before.hold?.epoch && session.hold.epoch <= before.epoch) {
    say('a hold without a new epoch');
  }
}

function auditTasks(session: Session, say: Say): void {
  const tasks = tasksOf(session);
  for (const task of tasks) {
    if ((task.stage === 'owner') !== (session.hold?.task === task.id)) {
      say(`${task.id}: holds, and does not own the session, or the other way round`);
    }
    if ((task.stage === 'merged' || task.stage === 'steered') !== (task.mergedInto !== null)) {
      say(`${task.id}: is part of nothing, or of a task that it waits beside`);
    }
    const entry = task.mergedInto;
    const leaders = tasks.filter((one) => one.mergedInto === null && entry !== null && (one.leads ?? one.id) === entry);
    if (entry !== null && leaders.length !== 1 && !session.settling.some((one) => one.entry === entry)) {
      say(`${task.id}: ${leaders.length} tasks lead its entry`);
    }
    const asked = task.verdict !== null;
    if (asked && !(session.hold?.task === task.id && session.hold.turn?.interrupt?.intent === 'verdict')) {
      say(`${task.id}: is to end, and no turn of it is being interrupted for that`);
    }
    if (task.stage === 'owner' && task.status !== 'running') {
      say(`${task.id}: holds and is not running`);
    }
  }
}

/** A turn asks for permission only while nobody interrupts it; one that waits for a person is on the wire. */
function auditAsks(turn: Turn | null, say: Say): void {
  const asks = turn?.permissionRequests ?? [];
  if (asks.length > 0 && (!onWire(turn) || turn.interrupt !== null)) {
    say('a turn that is not running by itself waits for a person');
  }
  if (new Set(asks).size < asks.length || asks.length > 32) {
    say('a person is asked twice, or for too much');
  }
}

/** Whether nothing may be granted or sent at all, or not in the background lane. */
const holdsBack = ({ parked, throttle }: Session, lane: Lane): boolean =>
  parked !== null || throttle?.level === 'all' || (throttle !== null && lane === 'background');

function auditHeldBack(before: Session, session: Session, effects: readonly Effect[], say: Say): void {
  const owner = tasksOf(session).find((task) => task.id === session.hold?.task);
  const back = owner !== undefined && holdsBack(session, owner.lane);
  const granted = session.hold !== null && session.hold.epoch !== before.hold?.epoch;
  // What is steered goes into a turn that runs already; only a session that does nothing at all takes none.
  const kinds = holdsBack(session, 'interactive') ? /^(?:start|prompt|switch|steer)$/ : /^(?:start|prompt|switch)$/;
  const sends = effects.some(({ type }) => kinds.test(type));
  if (back && (granted || sends)) {
    say('the session is held back, and yet something is granted or sent');
  }
}

function auditOwner(session: Session, say: Say): void {
  const { hold, agent } = session;
  auditAsks(hold?.turn ?? null, say);
  const turn = hold?.turn ?? null;
  const waits = [...treeEntries(session.indexes.queue)].map(([key]) => key);
  if (onWire(turn) !== (agent.kind === 'up' && agent.activity === 'turn')) {
    say('the turn on the wire and the agent disagree');
  }
  if (session.fenced || holdsBack(session, 'interactive')) {
    return;
  }
  if (hold === null && waits.length > 0 && !holdsBack(session, waits[0]?.rank === 0 ? 'interactive' : 'background')) {
    say('a free session with waiters');
  }
  const owner = tasksOf(session).find((task) => task.id === hold?.task);
  if (owner?.lane !== 'background' || (turn?.protected === true && (onWire(turn) || session.throttle === null))) {
    return;
  }
  if (!onWire(turn) && waits[0]?.rank === 0) {
    say('a background task may not begin a turn while an interactive one waits');
  }
  if (onWire(turn) && turn.interrupt === null && session.indexes.demand.root !== null) {
    say('an interactive task waits and the background turn is not interrupted');
  }
}

/** Whoever is granted comes before all that still wait, or was passed over too often. */
function auditGrant(before: Session, session: Session, say: Say): void {
  const { hold } = session;
  if (hold === null || hold.epoch === before.hold?.epoch) {
    return;
  }
  const tasks = tasksOf(session);
  const owner = tasks.find((task) => task.id === hold.task);
  const was = tasksOf(before).find((task) => task.id === hold.task);
  if (owner === undefined) {
    say('the owner is not an open task');
    return;
  }
  // It becomes due in this very step where the owner before gives way to it at the hold limit.
  const isDue = ({ passedOver, limits }: Session): boolean =>
    passedOver?.task === owner.id && passedOver.times >= limits.maxPassedOver;
  if (isDue(before) || isDue(session)) {
    return;
  }
  const key = queueKey({ ...owner, status: was?.status ?? 'queued' });
  for (const other of tasks.filter(isWaiting)) {
    // A task that gave way in this very step stands behind whoever it gave way to.
    if (compareQueue(queueKey(other), key) < 0) {
      say(`${owner.id} is granted before ${other.id}`);
    }
  }
}

const live = (agent: Agent): number | null => (agent.kind === 'none' ? null : agent.incarnation);

function auditEffects(before: Session, session: Session, effects: readonly Effect[], say: Say): void {
  const turn = session.hold?.turn ?? null;
  for (const type of ['prompt', 'start', 'kill', 'close', 'interrupt', 'switch'] as const) {
    if (effects.filter((effect) => effect.type === type).length > 1) {
      say(`more than one ${type}`);
    }
  }
  // The runner of a task that is due may start in the step in which its task gives way to another.
  const runs = effects.filter((effect) => effect.type === 'run').map(({ task }) => task);
  if (runs.length > 2 || new Set(runs).size !== runs.length) {
    say('a runner is started twice');
  }
  for (const effect of effects) {
    switch (effect.type) {
      case 'prompt':
        if (turn?.id !== effect.turn || turn.phase !== 'sent' || live(session.agent) !== effect.incarnation) {
          say('a prompt that is not the turn sent');
        }
        break;
      case 'interrupt':
        if (turn?.id !== effect.turn || turn.phase !== 'draining' || live(session.agent) !== effect.incarnation) {
          say('an interrupt of a turn that is not being drained');
        }
        break;
      case 'start':
        if (
          session.agent.kind !== 'starting' ||
          session.agent.incarnation !== effect.incarnation ||
          effect.incarnation <= before.incarnations
        ) {
          say('an agent is started under an old number');
        }
        break;
      case 'kill':
      case 'close':
        if (live(before.agent) !== effect.incarnation || (!session.fenced && session.agent.kind !== 'ending')) {
          say(`a ${effect.type} that does not name the live agent`);
        }
        break;
      case 'respond':
        if (turn?.id !== effect.turn || !onWire(turn) || live(session.agent) !== effect.incarnation) {
          say('an answer to a turn that asks for nothing');
        }
        break;
      case 'switch':
        if (
          session.agent.kind !== 'up' ||
          session.agent.activity !== 'switching' ||
          session.agent.incarnation !== effect.incarnation ||
          session.agent.model !== effect.model
        ) {
          say('a switch of an agent that is not switching to that');
        }
        break;
      case 'continue':
        if (session.settling.length === 0) {
          say('nothing is left to settle');
        }
        break;
      case 'steer':
      case 'run':
      case 'abort':
      case 'settle':
      case 'arm':
      case 'disarm':
        break;
    }
  }
}

/** A preempted runner of the background that has asked for no turn waits for none. */
const waitsForATurn = (task: Task): boolean =>
  isWaiting(task) && (task.lane === 'interactive' || task.mode === 'prompt' || task.run === null || task.call !== null);

/** What the session waits for, as `timer:of`: exactly these deadlines must be armed (rule 18). */
export function deadlinesOf(session: Session): Set<string> {
  const { hold, agent } = session;
  const turn = hold?.turn ?? null;
  const wanted = new Set<string>();
  const want = (yes: boolean, name: string, of: number | string): void => void (yes && wanted.add(`${name}:${of}`));
  const owner = tasksOf(session).find((task) => task.id === hold?.task);
  const mayFail = onWire(turn) && owner?.lane === 'interactive';
  const isPatient = (task: Task): boolean =>
    task.lane === 'background' || task.whenBusy === 'enqueue' || task.whenBusy === 'steer';
  const suffers = (task: Task): boolean =>
    waitsForATurn(task) && !holdsBack(session, task.lane) && !(mayFail && isPatient(task));
  if (hold !== null && tasksOf(session).some(suffers)) {
    want(turn === null || (turn.interrupt === null && !turn.protected), 'hold', hold.epoch);
  }
  if (onWire(turn)) {
    want(turn.interrupt === null && turn.permissionRequests.length === 0, 'silence', turn.id);
    want(turn.interrupt === null && turn.permissionRequests.length > 0, 'permission', turn.id);
    want(turn.interrupt !== null, 'drain', turn.id);
    want(turn.protected, 'protected', turn.id);
  }
  if (agent.kind !== 'none') {
    want(agent.kind === 'starting', 'start', agent.incarnation);
    want(agent.kind === 'up' && agent.activity === 'switching', 'switch', agent.incarnation);
    want(agent.kind === 'up' && agent.unsolicited && agent.activity === 'boundary', 'unsolicited', agent.incarnation);
    want(agent.kind === 'up' && !agent.unsolicited && agent.activity === 'boundary', 'idle', agent.incarnation);
  }
  const { passedOver } = session;
  if (passedOver !== null) {
    const waits =
      treeGet(session.indexes.backgroundByAge, passedOver.admission) === passedOver.task &&
      passedOver.times < session.limits.maxPassedOver;
    want(waits, 'wait', passedOver.task);
  }
  for (const task of tasksOf(session)) {
    want(task.stage === 'collecting', 'collect', task.id);
    want(task.holder !== null, 'lease', task.id);
    want(task.expiresAt !== null && task.mergedInto === null && !task.overdue, 'expiry', task.id);
  }
  return wanted;
}
