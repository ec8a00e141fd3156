/** A session rebuilt from its rows is the lost one, what was in flight excepted. */
import type { Session } from '../../../src/core/model/session.ts';
import type { Task } from '../../../src/core/model/task.ts';
import { treeEntries } from '../../../src/core/tree.ts';
import type { Core } from '../core.ts';
import type { View } from '../world.ts';
import { difference } from './durable.ts';
import { same } from './same.ts';

export function rebuilt(core: Core, { session }: View): string | null {
  if (session.fenced) {
    return null;
  }
  const again = core.rebuild(core.durableOf(session), session.limits);
  const lost = difference(core.durableOf(session), core.durableOf(again));
  if (lost !== null) {
    return `${lost} is not the same after a restart`;
  }
  const { hold } = again;
  if (again.conversation.reset !== session.conversation.reset) {
    return 'it is forgotten whether the conversation was lost';
  }
  if (!same(again.assigned, session.assigned) || !same(again.assigning, session.assigning)) {
    return 'it is forgotten which agent it has';
  }
  if (again.conversation.rewind !== session.conversation.rewind) {
    return 'it is forgotten what is to be taken out of the conversation';
  }
  if (!same(hold?.turn?.permissionRequests ?? [], session.hold?.turn?.permissionRequests ?? [])) {
    return 'requests are forgotten, and nobody ends them';
  }
  if (!same(indexes(session), indexes(again))) {
    return 'an index of the tasks is not the same after a restart';
  }
  const tasks = [...treeEntries(session.tasks)].map(([id, task]) => [
    id,
    { ...task, overdue: false, call: null, ...(isGranted(task) ? {} : { run: null, holder: null }) },
  ]);
  if (!same(tasks, [...treeEntries(again.tasks)])) {
    return 'a task is not the same after a restart';
  }
  return again.agent.kind === 'none' && !again.fenced ? null : 'something lives after a restart';
}

/** A holder that has the session, or had it, goes on; a claim ends with the node. */
const isGranted = ({ mode, run }: Task): boolean => mode === 'external' && run !== null;

const indexes = ({ indexes: { queue, demand, mergeGroups } }: Session): unknown => [
  [...treeEntries(queue)],
  [...treeEntries(demand)],
  [...treeEntries(mergeGroups)],
];
