/** The text that an agent gets: the prompt of the task, the prompts merged into it, and notes about earlier turns. */
import type { TaskPayload } from '../../store/port.ts';

interface PromptParts {
  /** The task's own text; a code runner's turn text. */
  readonly text: string;
  readonly author: string | null;
  /** Those of the tasks that are merged into it, in their order. */
  readonly merged: readonly TaskPayload[];
  readonly resumed: boolean;
  /** Turns of the task have failed for a transient reason. */
  readonly retried: boolean;
  readonly cut: boolean;
  readonly lost: boolean;
}

const signed = (text: string, author: string | null): string => (author === null ? text : `${author}: ${text}`);

export function promptText(parts: PromptParts): string {
  const words =
    parts.merged.length === 0
      ? parts.text
      : [signed(parts.text, parts.author), ...parts.merged.map((part) => signed(part.prompt, part.author))].join(
          '\n\n',
        );
  const notes: string[] = [];
  if (parts.lost) {
    notes.push('The earlier conversation of this session could not be resumed; this is a fresh one.');
  }
  if (parts.cut) {
    notes.push(
      'An earlier turn on this task was interrupted. Its last tool call may or may not have happened: check before you repeat it.',
    );
  } else if (parts.resumed && parts.retried) {
    notes.push('An earlier turn on this task failed before its end.');
  } else if (parts.resumed) {
    notes.push('Your turn on this task was interrupted for urgent work, which has ended.');
  }
  if (parts.resumed) {
    notes.push('Continue from where it stopped. The task was:');
  }
  return notes.length === 0 ? words : `[signalbox] ${notes.join(' ')}\n\n${words}`;
}
