/**
 * Commands of our conversation that run. Codex begins a command as an item of a turn, and completes that item when the command ends,
 * which may be after the turn: then it is a background terminal.
 *
 * Owned by the agent's handle.
 */
import { textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import { toolPartOf } from './tools.ts';

const commandsMax = 1_000;

export class OpenCommands {
  readonly #open = new Map<string, string>();

  get titles(): readonly string[] {
    return [...this.#open.values()];
  }

  take(item: Fields, completed: boolean): void {
    const id = textAt(item, 'id');
    if (item['type'] !== 'commandExecution' || id === null) {
      return;
    }
    if (completed) {
      this.#open.delete(id);
    } else if (this.#open.size < commandsMax) {
      this.#open.set(id, toolPartOf(item, false)?.title ?? 'a command');
    }
  }

  /** Codex has ended all of them. */
  clear(): void {
    this.#open.clear();
  }
}
