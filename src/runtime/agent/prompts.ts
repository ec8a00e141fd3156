/** The text that an agent gets: the prompt of the task, the prompts merged into it, and notes about earlier turns. */
import type { ConversationReset } from '../../core/model/session.ts';
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
  /** The conversation has the text. */
  readonly delivered: boolean;
  /** Why the agent does not know what was said before; null: it does. */
  readonly reset: ConversationReset | null;
}

const signed = (text: string, author: string | null): string => (author === null ? text : `${author}: ${text}`);

/** One line of what the agent does not know any more. */
const resetNotes: { readonly [R in ConversationReset]: string } = {
  lost: 'The earlier conversation of this session could not be resumed; this is a fresh one.',
  fresh: 'This is a fresh conversation: you do not know what was said in this session before.',
  agent:
    'Another agent had the earlier conversation of this session; this is a fresh one, and you do not know what was said before.',
  full: 'The earlier conversation of this session was too long for the model; this is a fresh one, and you do not know what was said before.',
};

const [beginMax, endMax] = [60, 30] as const;

/** Words alone: half of a piece of code or markup means something else. */
const [wordsAhead, wordsBehind] = [
  /^[\p{L}\p{M}\p{N}\p{Zs}.,;:!?'’-]*/u,
  /[\p{L}\p{M}\p{N}\p{Zs}.,;:!?'’-]*$/u,
] as const;

/** Enough of a text to know it again and to tell it from others of its kind, which differ in their ends. Never the whole of it. */
function quoteOf(text: string): string {
  const letters = Array.from(text.trim());
  const line = Array.from(text.trim().split('\n', 1)[0] ?? '');
  const ahead = line.slice(0, Math.min(beginMax, letters.length >> 1)).join('');
  const behind = letters.slice(letters.length - Math.min(endMax, letters.length >> 2)).join('');
  const begin = wordsAhead.exec(ahead)?.[0].trimEnd() ?? '';
  const end = wordsBehind.exec(behind.split('\n').at(-1) ?? '')?.[0].trimStart() ?? '';
  return [...(begin === '' ? [] : [`begins with “${begin}…”`]), ...(end === '' ? [] : [`ends with “…${end}”`])].join(
    ' and ',
  );
}

function notesOf({ text, resumed, retried, cut, delivered, reset, merged }: PromptParts): readonly string[] {
  const notes: string[] = [];
  if (reset !== null) {
    notes.push(resetNotes[reset]);
  }
  if (resumed && retried) {
    notes.push('An earlier turn on this task failed before its end.');
  } else if (resumed && !cut) {
    notes.push('Your turn on this task was interrupted.');
  } else if (cut) {
    notes.push('An earlier turn on this task was interrupted.');
  }
  if (cut) {
    notes.push(
      'Its last tool call may or may not have happened, and a note in this conversation that it was not executed may be wrong: check before you repeat it.',
    );
  }
  if (resumed && delivered) {
    const quote = quoteOf(text);
    const which = quote === '' ? '' : ` that ${quote}`;
    const others = merged.length === 0 ? '' : ', with the messages that came with it';
    notes.push(`Continue from where it stopped. The task is the one above${which}${others}.`);
  } else if (resumed) {
    notes.push('Continue from where it stopped. The task was:');
  }
  return notes;
}

export function promptText(parts: PromptParts): string {
  const { text, author, merged, delivered } = parts;
  const notes = notesOf(parts);
  if (delivered) {
    return `[signalbox] ${notes.join(' ')}`;
  }
  const words =
    merged.length === 0
      ? text
      : [signed(text, author), ...merged.map((part) => signed(part.prompt, part.author))].join('\n\n');
  return notes.length === 0 ? words : `[signalbox] ${notes.join(' ')}\n\n${words}`;
}
