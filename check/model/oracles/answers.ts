/** What a sender or an operator is answered: where a message went, and which tasks a request for their end has reached. */
import type { TaskId } from '../../../src/core/model/ids.ts';
import type { InputOf } from '../../../src/core/model/inputs.ts';
import type { Claimed, Receipt, Reply } from '../../../src/core/model/replies.ts';
import type { Session } from '../../../src/core/model/session.ts';
import type { Task } from '../../../src/core/model/task.ts';
import { treeEntries, treeGet } from '../../../src/core/tree.ts';
import type { Report } from '../report.ts';
import { onWire } from '../world.ts';
import { all } from './state.ts';
import { entryOf, type Facts, leaderOf } from './told/facts.ts';

const admitted = 'the answer to a message says where it stands';
const held = 'rule 12: a holder learns what has become of its claim and its call, and asks nothing twice';
const reached = 'the receipts of a request name each task that it is about, once, and the turn that still has its text';

export function judgeAnswer(facts: Facts, report: Report): void {
  const { input, result } = facts;
  const { reply } = result;
  if (input.type === 'submit' && reply.kind === 'admitted') {
    judgeAdmitted(facts, input, reply, report);
  } else if (input.type === 'cancel' && reply.kind === 'receipt') {
    judgeReceipts(facts, [input.task], [reply.receipt], report);
  } else if (input.type === 'stop' && reply.kind === 'receipts') {
    judgeReceipts(facts, meant(facts.before, input.scope), reply.receipts, report);
  } else if (input.type === 'claim' && reply.kind === 'claimed') {
    judgeClaimed(facts, input, reply, report);
  } else if (input.type === 'call') {
    judgeCall(facts, input, report);
  }
  judgeKnown(facts, report);
}

/** A holder knows of its grant by the answer to its claim, and one that speaks under its epoch does; nothing else tells it. */
function judgeKnown({ before, after, input, result: { reply } }: Facts, report: Report): void {
  const speaks =
    (input.type === 'claim' && reply.kind === 'claimed' && reply.run !== null) ||
    ((input.type === 'call' || input.type === 'progress' || input.type === 'heartbeat' || input.type === 'release') &&
      (reply.kind === 'ok' || reply.kind === 'answered'));
  const spoken = speaks ? input.task : null;
  for (const [id, { holder }] of treeEntries(after.tasks)) {
    if (holder === null) {
      continue;
    }
    const was = treeGet(before.tasks, id)?.holder ?? null;
    const knew = was !== null && was.name === holder.name && was.told;
    if (holder.told !== (knew || id === spoken)) {
      report.fail(
        held,
        `${holder.name} of ${id} ${holder.told ? 'is said to know' : 'is not said to know'} of its grant`,
      );
    }
  }
}

/** A holder learns whether it has the session, under which epoch, and where an earlier process of its name had come to. */
function judgeClaimed({ after }: Facts, { task: id, holder }: InputOf<'claim'>, reply: Claimed, report: Report): void {
  const task = treeGet(after.tasks, id);
  if (task?.holder?.name !== holder || task.stage === 'unclaimed') {
    report.fail(held, `${holder} has claimed ${id}, and is not there`);
  } else if (
    reply.run !== task.run ||
    reply.attempt !== task.attempts ||
    reply.interruptedMidTurn !== task.interruptedMidTurn ||
    reply.call !== (task.holder.answered?.call ?? null)
  ) {
    report.fail(held, `${holder} is answered ${JSON.stringify(reply)}`);
  }
}

/** A call that was answered is answered again by its turn, and never begins another; one that is open changes nothing. */
function judgeCall({ before, after, result }: Facts, { task: id, call }: InputOf<'call'>, report: Report): void {
  const was = treeGet(before.tasks, id);
  const is = treeGet(after.tasks, id);
  const isKnown = was?.holder?.answered?.call === call;
  const turn = result.reply.kind === 'answered' ? result.reply.turn : null;
  if (turn !== (isKnown ? was.holder.answered.turn : null)) {
    report.fail(held, `call ${call} of ${id} is answered by turn ${turn}`);
  }
  if (isKnown && was.call !== is?.call) {
    report.fail(held, `call ${call} of ${id} was answered, and is asked anew`);
  }
  if (was?.call?.id === call && (was.call !== is?.call || result.records.length > 0)) {
    report.fail(held, `call ${call} of ${id} is open, and its repetition changes something`);
  }
}

function judgeAdmitted(
  { before, after }: Facts,
  { task: asked }: InputOf<'submit'>,
  reply: Extract<Reply, { kind: 'admitted' }>,
  report: Report,
): void {
  const { id, whenBusy } = asked;
  const born = treeGet(after.tasks, id);
  const into = born === undefined || born.mergedInto === null ? null : (leaderOf(before, born.mergedInto)?.id ?? null);
  const fallback = whenBusy === 'steer' && born?.stage !== 'steered';
  if (reply.task !== id || reply.stage !== born?.stage || reply.mergedInto !== into || reply.fallback !== fallback) {
    report.fail(admitted, `${id} is ${born?.stage ?? 'not there'}, and the answer is ${JSON.stringify(reply)}`);
  }
  const ended = endedBy(before, asked).toSorted().join();
  if (reply.endedTasks.toSorted().join() !== ended) {
    report.fail(admitted, `it ends ${ended}, and the answer names ${reply.endedTasks.join()}`);
  }
}

const interrupts = ({ whenBusy }: Pick<Task, 'whenBusy'>): boolean =>
  whenBusy === 'interrupt' || whenBusy === 'rollback';

/** The tasks that a message ends (rule 4), in no order: the owner with what its turn has, and tasks that wait with what is merged into them. */
function endedBy(session: Session, asked: InputOf<'submit'>['task']): readonly TaskId[] {
  const owner = ownerOf(session);
  const open = all(session);
  const ends = ({ id, lane, stage, status, whenBusy, mergeGroup, mergedInto }: Task): boolean => {
    if (mergedInto !== null || mergeGroup === null || mergeGroup !== asked.mergeGroup) {
      return false;
    }
    if (asked.whenBusy === 'replace') {
      const mayReplace = asked.lane === 'interactive' || lane === 'background';
      return (
        mayReplace && status === 'queued' && (stage === 'waiting' || stage === 'collecting' || stage === 'unclaimed')
      );
    }
    const isLate = id === owner?.id || status === 'running' || interrupts({ whenBusy });
    return interrupts(asked) && asked.lane === 'interactive' && lane === 'interactive' && isLate;
  };
  return open
    .filter(ends)
    .flatMap((task) => [task.id, ...open.filter((part) => isTaken(session, task, part)).map(({ id }) => id)]);
}

/** Its text goes with the prompts of the other task, or was taken by its turn. */
const isTaken = (session: Session, task: Task, part: Task): boolean =>
  part.mergedInto === entryOf(task) &&
  (part.stage === 'merged' || (part.delivered && isWithOwner(session, ownerOf(session), part)));

const ownerOf = ({ hold, tasks }: Session): Task | null => (hold === null ? null : (treeGet(tasks, hold.task) ?? null));

/** It goes with the owner: what was steered into its last turn, and is only to be settled, does not. */
function isWithOwner(session: Session, owner: Task | null, task: Task): boolean {
  if (owner === null) {
    return false;
  }
  const left = session.settling.some((one) => one.kind === 'steered' && one.entry === entryOf(owner));
  return task.id === owner.id || (task.mergedInto === entryOf(owner) && !(left && task.stage === 'steered'));
}

function meant(session: Session, scope: InputOf<'stop'>['scope']): readonly TaskId[] {
  const owner = ownerOf(session);
  return all(session)
    .filter((task) => scope === 'session' || (scope === 'turn') === isWithOwner(session, owner, task))
    .map(({ id }) => id);
}

function judgeReceipts(
  { before, input }: Facts,
  wanted: readonly TaskId[],
  receipts: readonly Receipt[],
  report: Report,
): void {
  const named = receipts.map(({ task }) => task).toSorted();
  if (named.join() !== wanted.toSorted().join()) {
    report.fail(reached, `it is about ${wanted.join()}, and names ${named.join()}`);
  }
  const owner = ownerOf(before);
  for (const { task: id, state, turn } of receipts) {
    const task = treeGet(before.tasks, id);
    if (task === undefined) {
      continue;
    }
    const isPart = onWire(before) && isWithOwner(before, owner, task);
    const isRead = task.stage !== 'steered' || task.delivered;
    // A stop interrupts the turn for all its parts; a cancel of one of them leaves it alone.
    const running = isPart && (input.type === 'stop' || isRead) ? (before.hold?.turn?.id ?? null) : null;
    if (turn !== running) {
      report.fail(reached, `${id} is in turn ${running}, and its receipt says ${turn}`);
    }
    if (id === owner?.id && state !== (onWire(before) ? 'requested' : 'acknowledged')) {
      report.fail(reached, `the end of ${id} is ${state}`);
    }
  }
}
