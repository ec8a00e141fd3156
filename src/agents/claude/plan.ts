/**
 * The plan that Claude Code keeps for itself. Older versions write the whole list with TodoWrite; newer ones create and update
 * tasks one by one. Shapes of both were recorded from 2.1.329.
 *
 * Owned by one agent: the tasks outlive a turn.
 */
import type { OutputPart, PlanEntry } from '../../core/model/output.ts';
import { type Fields, fieldsAt, head, isFields, listAt, textAt } from '../child/fields.ts';

const entriesMax = 100;
const textMax = 500;

export class Plan {
  readonly #tasks = new Map<string, PlanEntry>();

  /** The report of a tool that has completed. Null: it has not changed the plan. */
  take(tool: string, report: unknown): OutputPart | null {
    if (!isFields(report)) {
      return null;
    }
    switch (tool) {
      case 'TodoWrite':
        return partOf(listAt(report, 'newTodos').map((todo) => entryOf(todo, 'content')));
      case 'TaskCreate':
        this.#set(fieldsAt(report, 'task'));
        break;
      case 'TaskUpdate':
        this.#update(report);
        break;
      case 'TaskList':
        this.#tasks.clear();
        listAt(report, 'tasks').forEach((task) => this.#set(task));
        break;
      default:
        return null;
    }
    return partOf([...this.#tasks.values()]);
  }

  #set(task: Fields): void {
    const id = textAt(task, 'id');
    if (id !== null && (this.#tasks.has(id) || this.#tasks.size < entriesMax)) {
      this.#tasks.set(id, entryOf(task, 'subject'));
    }
  }

  #update(report: Fields): void {
    const id = textAt(report, 'taskId') ?? '';
    const status = textAt(fieldsAt(report, 'statusChange'), 'to');
    const known = this.#tasks.get(id);
    if (status === 'deleted') {
      this.#tasks.delete(id);
    } else if (known !== undefined && status !== null) {
      this.#tasks.set(id, { ...known, status: statusOf(status) });
    }
  }
}

const partOf = (entries: readonly PlanEntry[]): OutputPart => ({ kind: 'plan', entries: entries.slice(0, entriesMax) });

const entryOf = (fields: Fields, text: string): PlanEntry => ({
  text: head(textAt(fields, text) ?? '', textMax),
  status: statusOf(textAt(fields, 'status')),
});

const statusOf = (status: string | null): PlanEntry['status'] =>
  status === 'completed' || status === 'in_progress' ? status : 'pending';
