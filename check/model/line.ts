/**
 * The order of the open tasks, kept a second time as two plain lists: by place, which operators, a message that replaces
 * others, and the cancel of a task that leads others change, and by age, which nothing changes.
 */
import type { Input, InputOf } from '../../src/core/model/inputs.ts';
import type { TaskId } from '../../src/core/model/ids.ts';
import type { StepResult } from '../../src/core/model/replies.ts';
import type { Session } from '../../src/core/model/session.ts';
import type { Task } from '../../src/core/model/task.ts';
import { treeEntries, treeGet } from '../../src/core/tree.ts';
import type { Report } from './report.ts';

export interface Lines {
  readonly byPlace: readonly TaskId[];
  readonly byAge: readonly TaskId[];
}

interface Ordered {
  readonly session: Session;
  readonly lines: Lines;
}

/** The lists after a step. */
export function linesAfter(world: Ordered, input: Input, { reply, records }: StepResult): Lines {
  const { lines, session } = world;
  if (reply.kind === 'refused' || reply.kind === 'stale') {
    return lines;
  }
  let { byPlace, byAge } = lines;
  if (input.type === 'submit') {
    byPlace = inserted(byPlace, input.task.id, replacedBy(session, byAge, input));
    byAge = [...byAge, input.task.id];
  } else if (input.type === 'move') {
    byPlace = moved(byPlace, input);
  }
  const ended = new Set(records.map((record) => (record.type === 'end' ? record.task : null)));
  for (const record of records) {
    if (record.type === 'event' && record.event.type === 'requeued' && isMerged(session, record.task)) {
      byPlace = leading(byPlace, record.task, record.event.data.from);
    }
  }
  if (byPlace === lines.byPlace && ended.size <= 1 && ended.has(null)) {
    return lines;
  }
  const isOpen = (id: TaskId): boolean => !ended.has(id);
  return { byPlace: byPlace.filter(isOpen), byAge: byAge.filter(isOpen) };
}

const isMerged = (session: Session, id: TaskId | null): id is TaskId =>
  id !== null && treeGet(session.tasks, id)?.stage === 'merged';

/** It leads the entry from now on, at the place of the task that did. */
const leading = (line: readonly TaskId[], id: TaskId, from: TaskId): readonly TaskId[] =>
  line.flatMap((other) => (other === from ? [id, from] : other === id ? [] : [other]));

const inserted = (line: readonly TaskId[], id: TaskId, before: TaskId | null): readonly TaskId[] =>
  before === null ? [...line, id] : line.flatMap((other) => (other === before ? [id, other] : [other]));

function moved(line: readonly TaskId[], { task, where }: InputOf<'move'>): readonly TaskId[] {
  const others = line.filter((other) => other !== task);
  if (where === null) {
    return line;
  }
  if (where === 'first') {
    return [task, ...others];
  }
  return inserted(others, task, where === 'last' ? null : where.before);
}

/** The oldest task of its lane and merge group that is still queued and that the message replaces: it takes its place. */
function replacedBy(session: Session, byAge: readonly TaskId[], { task: asked }: InputOf<'submit'>): TaskId | null {
  const isReplaced = (id: TaskId): boolean => {
    const task = treeGet(session.tasks, id);
    return (
      task !== undefined &&
      task.mergeGroup === asked.mergeGroup &&
      task.lane === asked.lane &&
      task.status === 'queued' &&
      task.mergedInto === null &&
      (asked.whenBusy === 'replace' || interrupts(task))
    );
  };
  const replaces = asked.whenBusy === 'replace' || (interrupts(asked) && asked.lane === 'interactive');
  return replaces && asked.mergeGroup !== null ? (byAge.find(isReplaced) ?? null) : null;
}

export function judgeLines({ lines, session }: Ordered, report: Report): void {
  const tasks = Array.from(treeEntries(session.tasks), ([, task]) => task);
  const places = tasks.toSorted((a, b) => a.position - b.position).map(({ id }) => id);
  if (places.join() !== lines.byPlace.join()) {
    report.fail('rule 2: a task is where it was put', `the order is ${places.join()}, and not ${lines.byPlace.join()}`);
  }
  const ages = tasks.toSorted((a, b) => a.admission - b.admission).map(({ id }) => id);
  if (ages.join() !== lines.byAge.join()) {
    report.fail(
      'rule 17: nothing changes the age of a task',
      `by age they are ${ages.join()}, not ${lines.byAge.join()}`,
    );
  }
}

const interrupts = ({ whenBusy }: Pick<Task, 'whenBusy'>): boolean =>
  whenBusy === 'interrupt' || whenBusy === 'rollback';
