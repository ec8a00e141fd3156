/** Commands for one task. Each becomes an input of the actor of its session; `step` decides. */
import { type TaskId, taskId } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { Reply } from '../../core/model/replies.ts';
import type { StoredTask } from '../../store/port.ts';
import type { CommandAnswer, TaskCommands } from '../api.ts';
import { originOf } from '../origin.ts';
import type { RuntimeParts } from '../parts.ts';
import { refusal, refused } from '../refusals.ts';

export type MakeInput = (id: TaskId, at: number) => Input;
/** `stored`: as it was before; null: there is no such task. */
type Answer =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly stored: StoredTask | null }
  | { readonly kind: 'ended'; readonly task: StoredTask };

/** Everything but `submit`, which `admission.ts` implements. */
export function taskCommands(parts: RuntimeParts): Omit<TaskCommands, 'submit'> {
  const command = async (task: string, make: MakeInput): Promise<CommandAnswer> => {
    const answer = await ask(parts, task, make);
    if (answer.kind === 'ended') {
      return refused('task_ended');
    }
    return answer.reply.kind === 'ok' ? { kind: 'ok' } : refusal(answer.reply);
  };
  return {
    async cancel(task, { by, reason = 'cancelled' } = {}) {
      const answer = await ask(parts, task, (id, at) => ({ type: 'cancel', at, task: id, reason, by: by ?? null }));
      if (answer.kind === 'ended') {
        return { kind: 'already-terminal', task: answer.task };
      }
      const { reply } = answer;
      return reply.kind === 'receipt' ? { kind: 'receipt', receipt: reply.receipt } : refusal(reply);
    },
    async edit(task, { prompt, by }) {
      const known = await parts.context.store.task(taskId(task));
      if (known === null) {
        return refused('unknown_task');
      }
      const payload = { ...known.payload, prompt };
      const { title } = originOf(payload);
      return command(task, (id, at) => ({ type: 'edit', at, task: id, title, payload, by: by ?? null }));
    },
    async move(task, { lane = null, priority = null, where = null, by }) {
      return command(task, (id, at) => ({ type: 'move', at, task: id, lane, priority, where, by: by ?? null }));
    },
  };
}

/** A command for one open task. The answer is `ended` also where the task ends before the command reaches it. */
export async function ask({ context, registry, ready }: RuntimeParts, task: string, make: MakeInput): Promise<Answer> {
  await ready;
  const { store } = context;
  const id = taskId(task);
  const stored = await store.task(id);
  if (stored === null) {
    return { kind: 'reply', reply: { kind: 'refused', code: 'unknown_task' }, stored: null };
  }
  if (stored.endedAt !== null) {
    return { kind: 'ended', task: stored };
  }
  const reply = await registry.ask(stored.session, make(id, context.clock.wall()));
  if (
    (reply.kind === 'refused' && reply.code === 'unknown_task') ||
    (reply.kind === 'stale' && reply.what === 'ended')
  ) {
    const ended = await store.task(id);
    if (ended !== null && ended.endedAt !== null) {
      return { kind: 'ended', task: ended };
    }
  }
  return { kind: 'reply', reply, stored };
}
