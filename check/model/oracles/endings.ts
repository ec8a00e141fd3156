/** How tasks end, and what an attempt costs (rules 10, 15). */
import type { Task, Verdict } from '../../../src/core/model/task.ts';
import type { PartEnding, Session, Turn, TurnResult } from '../../../src/core/model/session.ts';
import { treeEntries, treeGet } from '../../../src/core/tree.ts';
import type { Report } from '../report.ts';
import { dropsGrant, givesWay, isLapse, isRetried, takesDaemon } from './told/facts.ts';
import { onWire, slotOf } from '../world.ts';
import type { Move } from './move.ts';

const unasked = 'rule 15: nobody is cancelled who was not asked';
const inferred = 'rule 10: outcomes are stated, never inferred';
const conserved = 'messages are conserved: what completes has been read by the agent';
const budget = 'rule 10: preemption burns no attempt, and only losses do';
const blame = 'rule 10: an attempt burns only for what the turn itself may have caused';
const retry = 'a failure that passes takes a retry, a preemption takes none';
const receipt = 'the receipt of a cancel says what became of it';
const first = 'rule 15: the first verdict stands';
const limit = 'a limit of the turn fails its task, and names itself';

export function judgeEndings(move: Move, report: Report): void {
  const { world, result } = move;
  for (const record of result.records) {
    if (record.type !== 'end') {
      continue;
    }
    const task = treeGet(world.session.tasks, record.task);
    const slot = world.slots[slotOf(world, record.task)];
    const { status } = record.final;
    const answered = status === 'completed' && task?.mode === 'prompt';
    if (task !== undefined && task.verdict !== null && task.verdict.status !== status && !answered) {
      report.fail(first, `${record.task} was to end ${task.verdict.status} and ends ${status}`);
    }
    const decided = task === undefined ? null : decidedStatus(world.session, task);
    if (decided !== null && decided !== status) {
      report.fail(first, `the end of ${record.task} was decided as ${decided}, and it ends ${status}`);
    }
    switch (status) {
      case 'cancelled':
        if (slot?.asked !== true) {
          report.fail(unasked, `${record.task} ends cancelled`);
        }
        break;
      case 'completed':
        if (task !== undefined) {
          judgeCompleted(move, task, slot?.inTurn === true, report);
        }
        break;
      case 'failed':
        if (task !== undefined) {
          judgeFailed(move, task, report);
        }
    }
  }
  judgeLimit(move, report);
  judgeAttempts(move, report);
  judgeRetries(move, report);
  judgeReceipts(move, report);
}

/** The turn at its limit is the owner's, and it fails for that, by name, whatever waits. */
function judgeLimit({ world, input, result }: Move, report: Report): void {
  if (input.type !== 'turn-limit' || result.reply.kind !== 'ok') {
    return;
  }
  const { hold } = world.session;
  const task = hold === null ? undefined : treeGet(result.session.tasks, hold.task);
  const { verdict } = task ?? { verdict: null };
  const names = verdict?.by?.kind === 'limit' && verdict.by.name === input.limit;
  if (verdict?.status !== 'failed' || !names || verdict.reason !== 'turn_output_limit') {
    report.fail(limit, `${task?.id ?? 'nobody'} is to end ${verdict?.status} (${verdict?.reason})`);
  }
}

/** The result that the step may have read: the one that comes with it, or the one that waited for an ack or a deadline. */
function resultOf({ world, input }: Move): TurnResult | null {
  return input.type === 'result' ? input.result : (world.session.hold?.turn?.result ?? null);
}

function judgeCompleted(move: Move, task: Task, inTurn: boolean, report: Report): void {
  const { input, world } = move;
  if (task.mode !== 'prompt') {
    const own = input.type === 'finish' && input.task === task.id && input.status === 'completed';
    if (!own && task.verdict?.status !== 'completed') {
      report.fail(inferred, `${task.id} completes without its runner`);
    }
    return;
  }
  if (isSettled(world.session, task, (settlement) => settlement.status === 'completed')) {
    if (!inTurn) {
      report.fail(conserved, `${task.id} completes and its text was not in the turn`);
    }
    return;
  }
  const result = resultOf(move);
  const draining = world.session.hold?.turn?.phase === 'draining';
  if (result === null || result.outcome !== 'completed' || (result.empty && draining)) {
    report.fail(inferred, `${task.id} completes without an answer`);
  }
  if (!inTurn) {
    report.fail(conserved, `${task.id} completes and its text was not in the turn`);
  }
}

/** How the parts of a settlement end; null: not decided, or by the policy of each. */
function decidedStatus({ settling }: Session, task: Task): PartEnding['status'] | null {
  const own = settling.find(({ entry, kind }) => entry === task.mergedInto && kind === task.stage);
  switch (own?.kind) {
    case 'merged':
      return own.ending.status;
    case 'steered':
      return (task.delivered ? own.delivered : own.undelivered)?.status ?? null;
    case 'begin':
    case undefined:
      return null;
  }
}

/** That it ends so was decided in an earlier step, with all parts of its entry. */
function isSettled({ settling }: Session, task: Task, fits: (ending: PartEnding) => boolean): boolean {
  return settling.some((one) => {
    const ending = one.kind === 'merged' ? one.ending : one.kind === 'steered' ? one.delivered : null;
    return one.entry === task.mergedInto && ending !== null && fits(ending);
  });
}

/** The task that leads its entry fails in this step, or has failed, and its parts are being settled. One whose time is up fails alone. */
function failsWithLeader({ world, result }: Move, { mergedInto: entry, stage }: Task): boolean {
  const { settling, tasks } = world.session;
  const leads = (id: Task['id'] | null): boolean => {
    const task = id === null ? undefined : treeGet(tasks, id);
    return task !== undefined && task.mergedInto === null && (task.leads ?? task.id) === entry;
  };
  return (
    settling.some(
      (one) =>
        one.entry === entry &&
        ((one.kind === 'merged' && one.ending.status === 'failed') || (one.kind === 'steered' && one.loss !== null)),
    ) ||
    (stage === 'merged' &&
      result.records.some(
        (record) =>
          record.type === 'end' &&
          record.final.status === 'failed' &&
          record.final.reason !== 'expired' &&
          leads(record.task),
      ))
  );
}

function judgeFailed(move: Move, task: Task, report: Report): void {
  const { input, world } = move;
  const turn = world.session.hold?.turn ?? null;
  if (task.verdict?.status === 'failed') {
    return;
  }
  if (input.type === 'evict') {
    return;
  }
  if (input.type === 'timer' && input.name === 'hold') {
    return;
  }
  if (task.overdue || (input.type === 'timer' && input.name === 'expiry' && input.subject === task.id)) {
    return;
  }
  if (input.type === 'finish' && input.task === task.id && input.status === 'failed') {
    return;
  }
  const given = resultOf(move);
  if (given?.outcome === 'failed' && task.stage === 'owner') {
    const failure = given.report?.failure;
    if (turn !== null && isRetried(world.session, turn, given)) {
      report.fail(retry, `${task.id} fails for a reason that passes`);
    }
    const end = move.result.records.find((record) => record.type === 'end' && record.task === task.id);
    if (failure !== undefined && end?.type === 'end' && end.final.reason !== failure.class) {
      report.fail(retry, `${task.id} fails for ${failure.class}, and its final says ${end.final.reason}`);
    }
    return;
  }
  // What was read with the text of another task shares its failure.
  if (task.mergedInto !== null && failsWithLeader(move, task)) {
    return;
  }
  if (isLapse(input, task.id)) {
    if (
      task.run === null ||
      task.holder?.told === false ||
      (task.onLost === 'retry' && task.attempts < task.maxAttempts)
    ) {
      report.fail(budget, `${task.id} fails with its holder, and had another attempt`);
    }
    return;
  }
  // What was never sent is lost to nobody: it is tried again whatever the task's policy says.
  const risky = losesRunner(task, input) || onWire(world.session);
  if (task.onLost === 'fail' && risky) {
    return;
  }
  if (!isTurnToBlame(turn, input) && !takesDaemon(world.session, input, task)) {
    report.fail(blame, `${task.id} fails for what its turn cannot have caused`);
  }
  if (task.attempts < task.maxAttempts) {
    report.fail(budget, `${task.id} fails with attempts left`);
  }
}

/** A code runner dies with its node or a fault, and a holder is given up by a fault alone. */
const losesRunner = ({ mode, run }: Task, input: Move['input']): boolean =>
  mode === 'code' || (mode === 'external' && run !== null && input.type === 'fault');

/**
 * Rule 10, as a closed list: an attempt burns where the agent died by itself in the turn, or was silent in it. All else is done by us, by others on
 * this machine, or by nobody. A turn that was to give way is not to blame once its agent had confirmed it.
 */
function isTurnToBlame(turn: Turn | null, input: Move['input']): boolean {
  if (turn === null || turn.phase === 'pending') {
    return false;
  }
  if (turn.interrupt?.intent === 'silence') {
    return turn.tools.root === null && input.type !== 'evict' && input.type !== 'submit';
  }
  return (
    input.type === 'agent-exited' && input.loss !== 'agent_killed' && !(givesWay(turn) && turn.phase === 'draining')
  );
}

function judgeAttempts({ world, input, result }: Move, report: Report): void {
  const lost = new Set<string>();
  for (const record of result.records) {
    if (record.type === 'event' && record.event.type === 'attempt-lost' && record.task !== null) {
      lost.add(record.task);
    }
  }
  const started = new Set(result.effects.map((effect) => (effect.type === 'run' ? effect.task : null)));
  for (const [id, task] of treeEntries(world.session.tasks)) {
    const after = treeGet(result.session.tasks, id);
    if (after === undefined) {
      continue;
    }
    if (after.leads !== task.leads) {
      const former = formerLeader(world.session, after);
      if (former === undefined || after.attempts !== former.attempts || treeGet(result.session.tasks, former.id)) {
        report.fail(budget, `${id} leads an entry, and its attempts are not those of the task that led it`);
      }
      continue;
    }
    const burnt = after.attempts - task.attempts;
    const begun = task.status === 'queued' || started.has(id);
    // A runner that was lost is counted with the next one.
    const forgiven =
      burnt === -1 &&
      (dropsGrant(input, task) || ((input.type === 'fault' || input.type === 'recovered') && losesRunner(task, input)));
    if (burnt !== 0 && !(burnt === 1 && (begun || lost.has(id))) && !forgiven) {
      report.fail(budget, `${id} goes from attempt ${task.attempts} to ${after.attempts}`);
    }
    const isSettledLate = world.session.settling.some((one) => one.kind === 'steered' && one.burns);
    if (
      burnt === 1 &&
      !begun &&
      !isSettledLate &&
      !isTurnToBlame(world.session.hold?.turn ?? null, input) &&
      !takesDaemon(world.session, input, task)
    ) {
      report.fail(blame, `${id} is charged for what its turn cannot have caused`);
    }
    if (lost.has(id) && after.verdict === null && task.onLost === 'fail' && wasSent(world.session, task, input)) {
      report.fail(budget, `${id} was sent, must not be sent again, and is tried again`);
    }
    if (after.attempts > task.maxAttempts) {
      report.fail(budget, `${id} is at attempt ${after.attempts}`);
    }
    if (task.verdict !== null && (after.verdict === null || !sameEnd(task.verdict, after.verdict))) {
      report.fail(first, `the verdict on ${id} changes`);
    }
  }
}

/** The agent may have acted on its text, or its runner on its own. */
const wasSent = (session: Session, task: Task, input: Move['input']): boolean =>
  task.stage === 'steered'
    ? task.delivered
    : losesRunner(task, input) || isLapse(input, task.id) || (task.stage === 'owner' && onWire(session));

const sameEnd = (a: Verdict, b: Verdict): boolean => a.status === b.status && a.reason === b.reason && a.by === b.by;

const formerLeader = ({ tasks }: Session, { leads }: Task): Task | undefined => {
  for (const [, task] of treeEntries(tasks)) {
    if (task.mergedInto === null && (task.leads ?? task.id) === leads) {
      return task;
    }
  }
  return undefined;
};

const hasAnswer = ({ result }: Move, id: Task['id']): boolean =>
  result.records.some(
    (record) =>
      record.type === 'event' &&
      record.task === id &&
      record.event.type === 'turn-ended' &&
      record.event.data.outcome === 'completed',
  );

/** A retry is for the owner's turn that failed by itself; only a whole answer gives a runner its budget back. */
function judgeRetries(move: Move, report: Report): void {
  const { world, result } = move;
  const given = resultOf(move);
  const turn = world.session.hold?.turn ?? null;
  const preempted = turn !== null && givesWay(turn);
  for (const [id, task] of treeEntries(world.session.tasks)) {
    const after = treeGet(result.session.tasks, id);
    if (after === undefined) {
      continue;
    }
    const owns = task.stage === 'owner';
    if (hasAnswer(move, id) && after.retries > 0) {
      report.fail(retry, `${id} has an answer, and ${after.retries} retries are still counted`);
    }
    if (after.retries === task.retries || after.leads !== task.leads) {
      continue;
    }
    const taken =
      owns &&
      after.retries === task.retries + 1 &&
      (given?.report?.failure?.transient === true || given?.report?.failure?.class === 'context') &&
      !preempted;
    const renewed = owns && after.retries === 0 && task.mode !== 'prompt' && given?.outcome === 'completed';
    if (!taken && !renewed) {
      report.fail(retry, `${id} goes from retry ${task.retries} to ${after.retries}`);
    }
    if (taken && after.attempts !== task.attempts) {
      report.fail(retry, `${id} burns an attempt and a retry`);
    }
  }
}

function judgeReceipts({ result }: Move, report: Report): void {
  const { reply, session } = result;
  const receipts = reply.kind === 'receipt' ? [reply.receipt] : reply.kind === 'receipts' ? reply.receipts : [];
  for (const given of receipts) {
    const task = treeGet(session.tasks, given.task);
    const turn = session.hold?.turn ?? null;
    if (given.state === 'acknowledged') {
      const end = result.records.find((record) => record.type === 'end' && record.task === given.task);
      if (end?.type === 'end' && (end.final.status !== given.verdict || end.final.reason !== given.reason)) {
        report.fail(receipt, `${given.task} ends ${end.final.status}, and its receipt says ${given.verdict}`);
      }
      if (task !== undefined && !session.settling.some((one) => one.entry === task.mergedInto)) {
        report.fail(receipt, `${given.task} is acknowledged and still open`);
      }
      continue;
    }
    const owner = session.hold === null ? undefined : treeGet(session.tasks, session.hold.task);
    const isPart = owner !== undefined && task !== undefined && task.mergedInto === (owner.leads ?? owner.id);
    const verdict = isPart ? owner.verdict : (task?.verdict ?? null);
    if (verdict === null || (isPart && verdict.scope === 'task')) {
      report.fail(receipt, `${given.task} is requested and has no verdict`);
    } else if (verdict.status !== given.verdict || verdict.reason !== given.reason) {
      report.fail(receipt, `${given.task} is to end ${verdict.status}, and its receipt says ${given.verdict}`);
    } else if (turn === null || given.turn !== turn.id || turn.interrupt?.intent !== 'verdict') {
      report.fail(receipt, `${given.task} is requested and its turn is not being interrupted`);
    }
  }
}
