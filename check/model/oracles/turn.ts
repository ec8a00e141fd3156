/** Turns: they only go forward, they are interrupted for a stated cause, and they end by their own events (rules 5 to 10). */
import type { Session, Turn, TurnPhase } from '../../../src/core/model/session.ts';
import { treeGet } from '../../../src/core/tree.ts';
import type { Report } from '../report.ts';
import type { Move } from './move.ts';
import { isLapse } from './told/facts.ts';

const number = 'rule 7: turns are numbered anew, and begin uninterrupted';
const sticky = 'rule 7: an interrupt is cleared by the end of its turn and by nothing else';
const cause = 'rules 4, 7: a turn is interrupted for a stated cause';
const fenced = 'an event of another turn or process is never applied';
const order: { readonly [P in TurnPhase]: number } = { pending: 0, sent: 1, running: 2, draining: 3 };
const strength = { none: 0, preempt: 1, hold: 1, close: 1, 'give-way': 1, silence: 2, release: 3, verdict: 4 } as const;

export function judgeTurn(move: Move, report: Report): void {
  const { world, result } = move;
  judgeLeaving(move, report);
  const before = world.session.hold?.turn ?? null;
  const after = result.session.hold?.turn ?? null;
  judgeFencing(move, before, report);
  if (after === null) {
    return;
  }
  if (before === null || before.id !== after.id) {
    if (after.id <= world.session.turns) {
      report.fail(number, `turn ${after.id} follows turn ${world.session.turns}`);
    }
    if (after.interrupt !== null || after.result !== null || after.permissionRequests.length > 0) {
      report.fail(number, 'a new turn begins with the interrupt, ack, result or request of another');
    }
    judgeModel(move, after, report);
    return;
  }
  if (order[after.phase] < order[before.phase]) {
    report.fail(sticky, `a turn goes from ${before.phase} to ${after.phase}`);
  }
  if (strength[after.interrupt?.intent ?? 'none'] < strength[before.interrupt?.intent ?? 'none']) {
    report.fail(sticky, 'an interrupt is taken back');
  }
  if ((isAcked(before) && !isAcked(after)) || (before.result !== null && after.result === null)) {
    report.fail(sticky, 'an ack or a result is forgotten');
  }
  const isReassigned = before.phase === 'pending' && hasChanged(move);
  if (isReassigned) {
    judgeModel(move, after, report);
  } else if (after.model !== before.model) {
    report.fail(number, `turn ${after.id} changes its model`);
  }
  if (
    move.input.type === 'park' &&
    move.input.kind === 'closing' &&
    after.interrupt === null &&
    after.phase !== 'pending'
  ) {
    report.fail(cause, 'the daemon closes, and the turn is not interrupted for it');
  }
  judgeGivingWay(move, before, after, report);
  if (after.protected && !before.protected) {
    report.fail('rule 17: a turn is protected from its beginning', 'it becomes so');
  }
  if (after.interrupt?.intent !== before.interrupt?.intent) {
    judgeCause(move, before, after, report);
  }
}

const isAcked = ({ interrupt }: Turn): boolean => interrupt !== null && interrupt.acked;

/** The session has another agent or model from this step on. */
const hasChanged = ({ world: { session }, result }: Move): boolean => session.assigned !== result.session.assigned;

/** The model that the sender asked for, or the runner for this turn; else that of the session. */
function judgeModel({ config, world, result, input }: Move, turn: Turn, report: Report): void {
  const id = result.session.hold?.task;
  const name = input.type === 'submit' && input.task.id === id ? input.task.id : null;
  const slot = world.slots.findIndex((one) => one.id === id && (one.state === 'open' || one.id === name));
  const spec = config.slots[slot];
  if (spec === undefined) {
    return;
  }
  const wanted =
    (turn.call === null ? null : spec.models[turn.call - 1]) ?? spec.model ?? result.session.assigned?.model ?? null;
  if (turn.model !== wanted) {
    report.fail(number, `turn ${turn.id} is for model ${turn.model}, and ${wanted} was asked for`);
  }
}

/** An agent that leaves for another session gets no further prompt. */
function judgeLeaving({ world, result }: Move, report: Report): void {
  const { agent } = world.session;
  const leaves = agent.kind === 'up' && agent.leavesFor !== null;
  if (leaves && result.effects.some((effect) => effect.type === 'prompt' && effect.incarnation === agent.incarnation)) {
    report.fail('rule 20: an agent that leaves for another session gets nothing to do', 'it gets a prompt');
  }
}

/** Rule 20: the background turn that another session asks for is interrupted, if it is not protected. */
function judgeGivingWay({ input, world }: Move, before: Turn, after: Turn, report: Report): void {
  const { tasks, hold } = world.session;
  const lane = hold === null ? undefined : treeGet(tasks, hold.task)?.lane;
  const isAsked = input.type === 'give-way' && input.interrupts === before.id && before.phase !== 'pending';
  if (isAsked && lane === 'background' && !before.protected && after.interrupt === null) {
    report.fail(cause, 'another session needs the slot, and the turn does not give way');
  }
}

function judgeCause({ world, input, result }: Move, before: Turn, after: Turn, report: Report): void {
  const session = result.session;
  const owner = session.hold === null ? undefined : treeGet(session.tasks, session.hold.task);
  switch (after.interrupt?.intent) {
    case 'preempt': {
      const { by } = after.interrupt;
      const demander = by?.kind === 'task' ? [...demanders(session)].find((id) => id === by.name) : undefined;
      if (owner?.lane !== 'background') {
        report.fail(cause, 'an interactive turn is preempted');
      }
      if (demander === undefined) {
        report.fail(cause, 'a turn is preempted for nobody who waits and wants it');
      }
      if (after.protected) {
        report.fail('rule 17: a protected turn is not preempted', 'it is');
      }
      return;
    }
    case 'hold':
      if (input.type !== 'timer' || input.name !== 'hold') {
        report.fail(cause, 'a turn is cut for a limit that was not reached');
      }
      if (owner?.lane !== 'background' || after.protected) {
        report.fail(cause, 'an interactive or protected turn is cut at the hold limit, and its task goes on');
      }
      return;
    case 'close':
      if (input.type !== 'park' || input.kind !== 'closing') {
        report.fail(cause, 'a turn is cut for a daemon that does not close');
      }
      return;
    case 'give-way':
      if (input.type !== 'give-way' || input.interrupts !== before.id) {
        report.fail(cause, 'a turn gives way to another session that has not asked for it');
      }
      if (owner?.lane !== 'background' || after.protected) {
        report.fail(cause, 'an interactive or protected turn gives way to another session');
      }
      return;
    case 'silence':
      if (input.type !== 'timer' || input.name !== 'silence') {
        report.fail(cause, 'a turn is cut for a silence that was not');
      }
      return;
    case 'release':
      if (owner === undefined || !((input.type === 'release' && input.task === owner.id) || isLapse(input, owner.id))) {
        report.fail(cause, 'a turn is cut for a runner that has not given the session back');
      }
      return;
    case 'verdict':
      if (owner?.verdict === null || owner === undefined) {
        report.fail(cause, 'a turn is to end without a verdict');
      }
      return;
    case undefined:
      report.fail(sticky, `an interrupt (${before.interrupt?.intent}) of ${world.session.hold?.task} is cleared`);
  }
}

/** The demand, stated a second time: ids of waiting interactive tasks that were submitted to preempt. */
export function* demanders(session: Session): Generator<string> {
  const open = [session.tasks.root];
  for (const node of open) {
    if (node === null) {
      continue;
    }
    open.push(node.left, node.right);
    const task = node.value;
    const calm = task.whenBusy === 'enqueue' || task.whenBusy === 'steer';
    if (task.stage === 'waiting' && task.lane === 'interactive' && !calm) {
      yield task.id;
    }
  }
}

/** What was applied carried the tokens of the live process, turn, hold or runner. */
function judgeFencing({ world, input }: Move, turn: Turn | null, report: Report): void {
  const { agent, hold, tasks } = world.session;
  if ('incarnation' in input && (agent.kind === 'none' || agent.incarnation !== input.incarnation)) {
    report.fail(fenced, `${input.type} of process ${input.incarnation} is applied`);
  }
  if ('turn' in input && input.turn !== null && turn?.id !== input.turn) {
    report.fail(fenced, `${input.type} of turn ${input.turn} is applied`);
  }
  if ('run' in input && treeGet(tasks, input.task)?.run !== input.run) {
    report.fail(fenced, `${input.type} of a runner that is not the live one is applied`);
  }
  if (input.type === 'evict' && input.epoch !== null && hold?.epoch !== input.epoch) {
    report.fail('rule 13: release only your own', 'an eviction that names another hold is applied');
  }
}
