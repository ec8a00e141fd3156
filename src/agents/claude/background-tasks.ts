/**
 * What Claude Code runs in the background: shells and agents that go on after their turn. 2.1.329 lists all of them with each change
 * (`background_tasks_changed`); 2.1.197 only says that a task starts and ends.
 *
 * Owned by the agent.
 */
import { type Fields, listAt, textAt } from '../child/fields.ts';
import type { BackgroundList } from '../shared/background-list.ts';

export class BackgroundTasks {
  readonly #list: BackgroundList;
  /** Titles by the ids of tasks. */
  readonly #open = new Map<string, string>();
  #isListed = false;

  constructor(list: BackgroundList) {
    this.#list = list;
  }

  onList(frame: Fields): void {
    this.#isListed = true;
    this.#list.is(listAt(frame, 'tasks').map(titleOf));
  }

  /** `task_started`, `task_notification`; another notice changes nothing. */
  onNotice(name: string, frame: Fields): void {
    const id = textAt(frame, 'task_id');
    if (this.#isListed || id === null) {
      return;
    }
    if (name === 'task_started') {
      this.#open.set(id, titleOf(frame));
    } else if (name === 'task_notification') {
      this.#open.delete(id);
    }
    this.#list.is([...this.#open.values()]);
  }
}

const titleOf = (task: Fields): string => textAt(task, 'description') ?? textAt(task, 'task_type') ?? 'a task';
