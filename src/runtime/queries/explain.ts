/** Why a task does not run now: a sentence for a person, and figures. It decides nothing. */
import type { Lane, Task } from '../../core/model/task.ts';
import type { Parked, Session } from '../../core/model/session.ts';
import { compareQueue, queueKey } from '../../core/queue.ts';
import { dueWaiter } from '../../core/rules/fairness.ts';
import { waits as waitsNow } from '../../core/rules/expiry.ts';
import { leaderIdOf } from '../../core/rules/parts.ts';
import { treeEntries, treeGet } from '../../core/tree.ts';
import type { TaskId } from '../../core/model/ids.ts';
import type { TimerName } from '../../core/model/timers.ts';
import type { StoredTask } from '../../store/port.ts';
import type { SessionActor } from '../session/actor.ts';
import type { PermissionRequestView, Explanation } from '../api.ts';
import { detailOf } from '../agent/host.ts';
import type { Context } from '../options.ts';
import { type ThrottleCause, waitReasons } from '../throttle/session-throttle.ts';
import { isThrottled, taskNow } from './states.ts';

/** Tasks ahead that are listed by id. */
const listedMax = 100;

type Owner = NonNullable<Explanation['owner']>;
type Wait = Explanation['waitsFor'][number];

export function ownerOf(actor: SessionActor): Owner | null {
  const { hold, tasks } = actor.committed;
  const task = hold === null ? undefined : treeGet(tasks, hold.task);
  if (hold === null || task === undefined) {
    return null;
  }
  const lane: Lane = task.lane;
  const phase = hold.turn?.phase ?? 'between-turns';
  return { task: hold.task, epoch: hold.epoch, lane, turn: hold.turn?.id ?? null, phase, since: actor.heldSince };
}

export function agentOf({ committed: session, host }: SessionActor): string {
  const { agent } = session;
  if (agent.kind !== 'up') {
    const waitsFor = host.waitsFor;
    return waitsFor === null ? agent.kind : `${agent.kind}, waits: ${detailOf(waitsFor)}`;
  }
  if (agent.unsolicited) {
    return 'in an unsolicited turn';
  }
  if (agent.activity === 'turn') {
    return 'in a turn';
  }
  const work = host.backgroundWork;
  return work.length === 0 ? 'idle' : `idle, works in the background (${work.join('; ')})`;
}

export function explainEnded(stored: StoredTask): Explanation {
  return {
    task: stored.row.id,
    session: stored.session,
    status: stored.status,
    ...taskNow(null, stored),
    summary: `The task has ended: ${stored.status}${stored.reason === null ? '' : ` (${stored.reason})`}.`,
    owner: null,
    ahead: [],
    aheadCount: 0,
    agent: 'none',
    waitsFor: [],
    parked: null,
    throttle: null,
    permissionRequests: [],
  };
}

export function explainOpen(context: Context, actor: SessionActor, stored: StoredTask, task: Task): Explanation {
  const owner = ownerOf(actor);
  const { ahead, count } = task.stage === 'waiting' ? aheadOf(actor.committed, task) : { ahead: [], count: 0 };
  const waitsFor = waits(context, actor, task, stored.admittedAt);
  return {
    task: task.id,
    session: stored.session,
    status: task.status,
    ...taskNow(actor, stored),
    summary: summary(actor, task, owner, count),
    owner,
    ahead,
    aheadCount: count,
    agent: agentOf(actor),
    waitsFor,
    parked: actor.committed.parked,
    throttle: actor.throttle.view(),
    permissionRequests: permissionRequestsOf(context, actor),
  };
}

function aheadOf(session: Session, task: Task): { ahead: TaskId[]; count: number } {
  // A task that was passed over too often comes before all others, wherever it stands in the queue.
  const due = dueWaiter(session);
  if (due === task.id) {
    return { ahead: [], count: 0 };
  }
  const ahead: TaskId[] = due === null ? [] : [due];
  let count = ahead.length;
  const mine = queueKey(task);
  for (const [key, id] of treeEntries(session.indexes.queue)) {
    if (compareQueue(key, mine) >= 0) {
      break;
    }
    if (id === due) {
      continue;
    }
    count += 1;
    if (ahead.length < listedMax) {
      ahead.push(id);
    }
  }
  return { ahead, count };
}

/** The permission requests of the running turn that wait for a person, oldest first. The core has their ids, the host their details. */
export function permissionRequestsOf(context: Context, actor: SessionActor): PermissionRequestView[] {
  const { hold } = actor.committed;
  const turn = hold?.turn ?? null;
  if (hold === null || turn === null || turn.permissionRequests.length === 0) {
    return [];
  }
  const armed = actor.deadlines.list().find(({ name }) => name === 'permission');
  const until = armed === undefined ? null : Math.round(context.clock.wall() + armed.inMs);
  return turn.permissionRequests.flatMap((request) => {
    const open = actor.host.permissionRequests.get(turn.id, request);
    return open === null
      ? []
      : [{ session: actor.key, task: hold.task, turn: turn.id, request, ...open.action, since: open.since, until }];
  });
}

function throttled(actor: SessionActor): string {
  const view = actor.throttle.view();
  if (view !== null && waitReasons.has(view.reason)) {
    return `The session waits for an agent (${view.reason}): ${view.detail ?? 'others have it'}`;
  }
  const level = view?.level === 'background' ? 'Background work' : 'All work';
  const why = view === null ? '' : ` (${view.reason}${view.detail === null ? '' : `, ${view.detail}`})`;
  const until = view?.until ?? null;
  return `${level} of the session is throttled${why}${until === null ? '' : ` until ${new Date(until).toISOString()}`}`;
}

const leaderName = (session: Session, { mergedInto }: Task): string =>
  mergedInto === null ? '?' : leaderIdOf(session, mergedInto);

/** Why the task would not run even if it were alone, as one sentence; null: nothing holds it back. */
export function heldBack(actor: SessionActor, task: Task): string | null {
  const { parked } = actor.committed;
  if (parked !== null) {
    return `The session is parked (${parkedText(parked)}): nothing is granted until it is unparked.`;
  }
  return isThrottled(actor, task) ? `${throttled(actor)}.` : null;
}

function summary(actor: SessionActor, task: Task, owner: Owner | null, ahead: number): string {
  const { committed: session } = actor;
  if (task.stage === 'released') {
    return 'The runner of the task has given the session back, and works on without it.';
  }
  const held = heldBack(actor, task);
  if (held !== null) {
    return held;
  }
  switch (task.stage) {
    case 'unclaimed':
      return 'The task waits for its holder: no program has claimed it.';
    case 'collecting':
      return 'The task waits for further parts of the same message.';
    case 'merged':
      return `The task is merged into task ${leaderName(session, task)}: its text goes with the prompt of that.`;
    case 'steered':
      return `The task is steered into the turn of task ${leaderName(session, task)}${task.delivered ? ', which has its text' : ''}.`;
    case 'owner':
      return holding(actor, task);
    case 'waiting': {
      const others =
        ahead === 0 ? 'The task is next' : `${ahead} task${ahead === 1 ? ' is' : 's are'} ahead of this one`;
      if (owner === null) {
        return `${others}.`;
      }
      const kind = owner.lane === 'interactive' ? 'an interactive' : 'a background';
      const doing = owner.phase === 'draining' ? ' and is being interrupted' : '';
      return `${others}; ${kind} task owns the session${doing}.`;
    }
  }
}

const parkedText = ({ kind, reason }: Parked): string => (kind === 'fault' ? `a defect stopped it: ${reason}` : reason);

function betweenTurns({ mode, holder }: Task): string {
  switch (mode) {
    case 'prompt':
      return 'The task owns the session.';
    case 'code':
      return 'The task owns the session; its runner is between two turns.';
    case 'external':
      return `The task owns the session; its holder ${holder?.name ?? ''} is between two turns.`;
  }
}

function holding(actor: SessionActor, task: Task): string {
  const { committed: session } = actor;
  const turn = session.hold?.turn ?? null;
  if (turn === null) {
    return betweenTurns(task);
  }
  switch (turn.phase) {
    case 'pending':
      return `The task owns the session and waits for the agent (${agentOf(actor)}).`;
    case 'sent':
      return 'The agent has the prompt of the task, and has not confirmed it yet.';
    case 'running':
      if (turn.permissionRequests.length > 0) {
        return `The task runs, and waits for a person to answer ${turn.permissionRequests.length === 1 ? 'a permission request' : `${turn.permissionRequests.length} permission requests`}.`;
      }
      return turn.protected ? 'The task runs, protected from preemption for a while.' : 'The task runs.';
    case 'draining':
      return `The turn of the task is being interrupted (${turn.interrupt?.intent ?? 'unknown'}).`;
  }
}

const isOfTask = (name: TimerName): boolean =>
  name === 'collect' || name === 'wait' || name === 'expiry' || name === 'lease';

/** Every deadline that bounds what the task waits for. */
function waits(context: Context, actor: SessionActor, task: Task, admittedAt: number): Wait[] {
  const wall = context.clock.wall();
  const list: Wait[] = [];
  const since = task.stage === 'owner' ? actor.heldSince : admittedAt;
  for (const { name, of, inMs } of actor.deadlines.list()) {
    if (
      name === 'idle' ||
      (isOfTask(name) && of !== task.id) ||
      (name === 'expiry' && !waitsNow(actor.committed, task, true))
    ) {
      continue;
    }
    list.push({ what: waitTexts[name], since, deadline: name, at: Math.round(wall + inMs) });
  }
  const { turnEndsAt } = actor.host;
  if (turnEndsAt !== null) {
    const at = Math.round(wall + turnEndsAt - context.clock.now());
    list.push({ what: 'the end of the turn', since: actor.heldSince, deadline: 'turn-limit', at });
  }
  const throttle = actor.throttle.view();
  if (throttle !== null && isThrottled(actor, task)) {
    const what = `${causeTexts[throttle.cause]}: ${throttle.reason}${throttle.detail === null ? '' : ` (${throttle.detail})`}`;
    const dueAt = actor.host.waitsFor?.dueAt ?? null;
    list.push({
      what,
      since: throttle.since,
      ...(dueAt === null
        ? { deadline: 'throttle', at: throttle.until }
        : // It comes before all others then, and no further session is asked for its slot in vain.
          { deadline: 'wait', at: Math.round(wall + dueAt - context.clock.now()) }),
    });
  }
  if (actor.committed.parked !== null) {
    list.push({ what: 'a person to unpark the session', since, deadline: null, at: null });
  }
  return list;
}

const causeTexts: { readonly [C in ThrottleCause]: string } = {
  provider: 'the provider of the model',
  retry: 'the retry of a failed turn',
  context: 'the conversation, which is too long',
  crash: 'the agent, which keeps ending',
  start: 'the agent, which cannot be started',
  slot: 'an agent slot',
  folder: 'the working folder',
  node: 'a node that the agent can run on',
};

const waitTexts = {
  start: 'the agent to become ready',
  switch: 'the agent to change its model',
  permission: 'a person to answer a permission request',
  drain: 'the interrupted turn to end',
  silence: 'output of the agent or of its running tool',
  hold: 'the owner to give way',
  protected: 'the end of a protected turn',
  wait: 'the background task that others were granted before',
  unsolicited: 'an unsolicited turn to end',
  collect: 'further parts of the message',
  lease: 'the next sign of life of its holder',
  expiry: 'its own time, after which the task ends as expired',
} as const;
