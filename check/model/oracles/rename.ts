/**
 * Renaming: ids and tokens are names. A step taken with all of them renamed gives the renamed result. This is what makes
 * the canonical encoding sound, and what finds a rule that looks at the value of a token.
 *
 * The new names keep the order of the old ones, since tasks are listed by id and by admission. A `seq` is not a name but a count from
 * 1, and the core calculates with positions: both are left as they are.
 */
import type { Indexes } from '../../../src/core/model/indexes.ts';
import type { Input } from '../../../src/core/model/inputs.ts';
import type { Session } from '../../../src/core/model/session.ts';
import type { StepResult } from '../../../src/core/model/replies.ts';
import { taskId } from '../../../src/core/model/ids.ts';
import { type Tree, treeEntries, treePut } from '../../../src/core/tree.ts';
import type { Core } from '../core.ts';
import { type TokenKind, subjectKind, tokenKind } from '../tokens.ts';
import { same } from './same.ts';

const shift: { readonly [K in TokenKind]: number } = {
  epoch: 1000,
  turn: 20_000,
  incarnation: 300_000,
  admission: 4000,
  position: 0,
};
/** Calls are names too, though a configuration counts them. */
const callShift = 600_000;
const isId = new Set(['task', 'carrier', 'into', 'mergedInto', 'from', 'before', 'owner']);
const areIds = new Set(['riders', 'mergedTasks', 'endedTasks']);

const renameId = (id: string): string => `task ${id}`;

/** Renames plain data by the names of its fields. `kind` says what `id` and `subject` mean where they stand. */
function rename(value: unknown, key: string, kind: string): unknown {
  if (typeof value === 'number') {
    const name = key === 'subject' ? subjectKind(kind) : tokenKind(key);
    return value + (key === 'call' ? callShift : name === null ? 0 : shift[name]);
  }
  if (typeof value === 'string') {
    return isId.has(key) || key === 'id' || key === 'subject' ? renameId(value) : value;
  }
  if (Array.isArray(value)) {
    return value.map((entry: unknown) =>
      typeof entry === 'string' && areIds.has(key) ? renameId(entry) : rename(entry, '', kind),
    );
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const timer = 'timer' in value ? value.timer : 'name' in value ? value.name : kind;
  const inner = typeof timer === 'string' ? timer : kind;
  const fields = value as { readonly [field: string]: unknown };
  const out: { [field: string]: unknown } = {};
  for (const field in fields) {
    out[field] = renameField(fields[field], field, inner, value);
  }
  return out;
}

function renameField(entry: unknown, field: string, kind: string, holder: object): unknown {
  // An actor: of all kinds only a task has an id for a name.
  if (field === 'by' && typeof entry === 'object' && entry !== null && 'kind' in entry && 'name' in entry) {
    return entry.kind === 'task' ? { ...entry, name: renameId(String(entry.name)) } : entry;
  }
  // Of a model or an agent, not of a task; and the number of a call, not of a turn.
  if (field === 'from' && ('to' in holder || 'conversationLost' in holder)) {
    return entry;
  }
  if (field === 'call' && typeof entry === 'object' && entry !== null && 'id' in entry) {
    return { ...entry, id: rename(entry.id, 'call', kind) };
  }
  if (
    field === 'mergeGroups' ||
    field === 'order' ||
    field === 'queue' ||
    field === 'demand' ||
    field === 'backgroundByAge' ||
    field === 'tasks'
  ) {
    return entry;
  }
  if (field === 'turns' && 'mode' in holder) {
    return entry;
  }
  return rename(entry, field, kind);
}

const renamed = <T>(value: T): T => rename(value, '', '') as T;

function renamedSession(core: Core, session: Session): Session {
  // `rebuild` puts the trees together again; what is not durable is added to it.
  const durable = renamed(core.durableOf(session));
  const rebuilt = core.rebuild(durable, session.limits);
  let tasks = rebuilt.tasks;
  for (const [id, task] of treeEntries(session.tasks)) {
    tasks = withTask(tasks, renamed(task), renameId(id));
  }
  const hold = renamed(session.hold);
  // Which runner has asked for a turn is not durable, and the index depends on it.
  let backgroundByAge: Indexes['backgroundByAge'] = { ...rebuilt.indexes.backgroundByAge, root: null };
  for (const [admission, id] of treeEntries(session.indexes.backgroundByAge)) {
    backgroundByAge = treePut(backgroundByAge, admission + shift.admission, taskId(renameId(id)));
  }
  return {
    ...rebuilt,
    tasks,
    indexes: { ...rebuilt.indexes, backgroundByAge },
    hold,
    agent: renamed(session.agent),
    throttle: session.throttle,
    fenced: session.fenced,
  };
}

function withTask(
  tasks: Session['tasks'],
  task: Session['tasks'] extends Tree<infer _K, infer V> ? V : never,
  id: string,
): Session['tasks'] {
  const root = tasks.root;
  const put = (node: typeof root): typeof root => {
    if (node === null) {
      return null;
    }
    if (node.key === id) {
      return { ...node, value: task };
    }
    return node.key < id ? { ...node, right: put(node.right) } : { ...node, left: put(node.left) };
  };
  return { compare: tasks.compare, root: put(root) };
}

/** All moves of a state begin with the same session, so the last one is kept. */
let last: { readonly session: Session | null; readonly renamed: Session | null } = { session: null, renamed: null };

function renamedBefore(core: Core, session: Session): Session {
  if (last.renamed === null || last.session !== session) {
    const again = renamedSession(core, session);
    last = { session, renamed: again };
    return again;
  }
  return last.renamed;
}

/** What differs, or null. */
/** What differs, or null. */
export function judgeRenamed(core: Core, before: Session, input: Input, result: StepResult): string | null {
  const again = core.step(renamedBefore(core, before), renamed(input));
  if (!same(again.reply, renamed(result.reply))) {
    return `the answer to ${input.type} depends on names`;
  }
  if (!same(again.records, renamed(result.records))) {
    return `the records of ${input.type} depend on names`;
  }
  if (!same(again.effects, renamed(result.effects))) {
    return `the effects of ${input.type} depend on names`;
  }
  const { row, seq } = core.durableOf(result.session);
  const durable = core.durableOf(again.session);
  if (!same(durable.row, renamed(row)) || durable.seq !== seq) {
    return `the state after ${input.type} depends on names`;
  }
  return same(live(again.session), renamed(live(result.session)))
    ? null
    : `the live state after ${input.type} depends on names`;
}

/** What is not in the session's row: each task, and all that a restart forgets. */
const live = ({ hold, agent, throttle, fenced, tasks }: Session): unknown => ({
  hold,
  agent,
  throttle,
  fenced,
  open: Array.from(treeEntries(tasks), ([id, task]) => ({ id, task })),
});
