/**
 * What was denied in the turn that runs. Some agents end their turn without a word when an action is denied (Copilot CLI: no text, stop
 * reason `end_turn`). The task would be `completed` with an empty answer, so Signalbox answers in the agent's place, and says that it
 * does.
 *
 * Owned by the output of an agent. A turn that is interrupted has no such answer: its requests are denied because of that.
 */
import type { RequestedAction } from '../../core/model/permission.ts';
import { ruleFor } from '../../core/rules/permission-policy.ts';

/** Denied actions that are named. */
const namedMax = 3;
const titleMax = 200;

/** Before words of Signalbox where the agent's are expected; the notes in prompts begin so too. */
const mark = '[signalbox] ';

interface Denied {
  readonly action: RequestedAction;
  readonly byPolicy: boolean;
}

export class Denials {
  readonly #open = new Map<string, Denied>();
  readonly #denied: Denied[] = [];
  #interrupted = false;

  requested(request: string, action: RequestedAction, byPolicy: boolean): void {
    this.#open.set(request, { action, byPolicy });
  }

  answered(request: string, allow: boolean): void {
    const open = this.#open.get(request);
    this.#open.delete(request);
    if (open !== undefined && !allow) {
      this.#denied.push(open);
    }
  }

  interrupted(): void {
    this.#interrupted = true;
  }

  /** For a turn that ends without text. Null: nothing was denied in it. */
  words(): { readonly line: string; readonly actions: readonly RequestedAction[] } | null {
    const [first] = this.#denied;
    if (first === undefined || this.#interrupted) {
      return null;
    }
    const named = this.#denied.slice(0, namedMax);
    const more = this.#denied.length - named.length;
    const list = `${named.map(nameOf).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    const line = `${mark}The agent ended its turn without an answer after a denial: ${list}. ${howToAllow(first)}`;
    return { line, actions: named.map(({ action }) => action) };
  }
}

const shortened = (title: string): string => {
  const line = title.replace(/\s+/g, ' ').replaceAll('`', "'").trim();
  return line.length > titleMax ? `${line.slice(0, titleMax)}…` : line;
};

const nameOf = ({ action: { tool, title }, byPolicy }: Denied): string =>
  `\`${tool}: ${shortened(title)}\` (${byPolicy ? 'by the policy' : 'by a person, or for want of an answer in time'})`;

function howToAllow({ action, byPolicy }: Denied): string {
  const { tool, title } = action;
  if (!byPolicy) {
    return 'To allow it, send the task again and approve the request.';
  }
  const rule = shortened(title) === title ? ruleFor(action) : tool;
  return `To allow it, add the rule \`${rule}\` to \`allow\` in the permissions of the task or of its lane.`;
}
