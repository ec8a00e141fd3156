/** What an edit and a move do, and when they are refused. Where a move puts its task is judged by `line.ts`. */
import type { InputOf } from '../../../src/core/model/inputs.ts';
import type { Session } from '../../../src/core/model/session.ts';
import type { Lane, Task, WhenBusy } from '../../../src/core/model/task.ts';
import { treeGet } from '../../../src/core/tree.ts';
import type { Report } from '../report.ts';
import { onWire, slotOf } from '../world.ts';
import type { Move } from './move.ts';

const edits = 'a text can be edited until it is with the agent, and not after that';
const moves = 'a task can be moved while no turn of it is on the wire';
const promotion = 'a task that is moved to a lane acts like one of that lane';

export function judgeEdit({ world, input, result: { reply, records } }: Move, report: Report): void {
  if (input.type !== 'edit' || world.session.fenced) {
    return;
  }
  const slot = world.slots[slotOf(world, input.task)];
  const task = treeGet(world.session.tasks, input.task);
  if (slot === undefined || task === undefined) {
    return;
  }
  // It leaves with the confirmation of the turn.
  const isOnItsWay = task.stage === 'steered' && world.session.hold?.turn?.phase !== 'sent';
  // A grant that its holder never learned of is on the tape, too, and was given out with the text.
  const isGranted = slot.runs > 0 || (task.mode === 'external' && task.status === 'running');
  const due = slot.prompted || isGranted || isOnItsWay ? 'text_sent' : 'ok';
  const answer = reply.kind === 'refused' ? reply.code : reply.kind;
  if (answer !== due) {
    report.fail(edits, `an edit of ${task.id} is answered ${answer}, and not ${due}`);
  }
  const isStored = records.some(
    (record) => record.type === 'payload' && record.task === task.id && record.payload === input.payload,
  );
  if (reply.kind === 'ok' && !isStored) {
    report.fail(edits, `the new text of ${task.id} is not stored`);
  }
}

export function judgeMove({ world, input, result: { reply, session } }: Move, report: Report): void {
  if (input.type !== 'move' || world.session.fenced) {
    return;
  }
  const before = treeGet(world.session.tasks, input.task);
  if (before === undefined) {
    return;
  }
  const due = whyNot(world.session, before, input) ?? 'ok';
  const answer = reply.kind === 'refused' ? reply.code : reply.kind;
  if (answer !== due) {
    report.fail(moves, `a move of ${before.id} is answered ${answer}, and not ${due}`);
    return;
  }
  const after = treeGet(session.tasks, input.task);
  if (answer !== 'ok' || after === undefined) {
    return;
  }
  const lane = input.lane ?? before.lane;
  if (after.lane !== lane || after.priority !== (input.priority ?? before.priority)) {
    report.fail(moves, `${before.id} is not in the lane or has not the priority that it was moved to`);
  }
  const whenBusy = before.whenBusy === usual[before.lane] ? usual[lane] : before.whenBusy;
  if (after.whenBusy !== whenBusy) {
    report.fail(promotion, `${before.id} is moved from ${before.lane} to ${lane}, and acts by ${after.whenBusy}`);
  }
  if (before.stage === 'collecting' && after.stage !== 'collecting') {
    report.fail(moves, `the window of ${before.id} is closed by a move`);
  }
}

const usual: { readonly [L in Lane]: WhenBusy } = { interactive: 'preempt', background: 'enqueue' };

/** The code of its refusal, or null. */
function whyNot(session: Session, task: Task, { lane, priority, where }: InputOf<'move'>): string | null {
  if (task.stage === 'merged' || task.stage === 'steered') {
    return 'task_merged';
  }
  if (session.hold?.task === task.id && onWire(session)) {
    return 'turn_sent';
  }
  if (where === null || where === 'first' || where === 'last') {
    return null;
  }
  const other = treeGet(session.tasks, where.before);
  const target = { ...task, lane: lane ?? task.lane, priority: priority ?? task.priority };
  const competes =
    other !== undefined &&
    other.id !== task.id &&
    (other.stage === 'waiting' || other.stage === 'collecting') &&
    other.lane === target.lane &&
    (target.lane === 'interactive' ||
      (other.status === target.status && (target.status === 'running' || other.priority === target.priority)));
  return competes ? null : 'not_movable';
}
