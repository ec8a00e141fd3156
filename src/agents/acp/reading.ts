/**
 * What a piece of an agent's message is. By the letter it is the model's answer; some programs also speak there themselves:
 * of what they do, of what they try again, of what has failed. One reading belongs to one turn.
 */
import { fieldsAt, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import { failureOf } from '../codex/failures.ts';
import type { ProviderFailure } from '../failures.ts';
import { failureOfText } from './failure.ts';

export type Said =
  | { readonly kind: 'text'; readonly text: string }
  /** The program's own words. */
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'retrying'; readonly failure: ProviderFailure };

export interface TurnEnd {
  /** Whether any text of this turn was the model's. */
  readonly answered: boolean;
}

export interface Reading {
  /** `text`: of an `agent_message_chunk`, `update` the whole of it. */
  chunk(text: string, update: Fields): readonly Said[];
  /** Any other update. */
  other(update: Fields): readonly Said[];
  /** The turn has ended as if it had been answered: what is left to say, and the failure, if it is one. */
  end(turn: TurnEnd): { readonly said: readonly Said[]; readonly failure: ProviderFailure | null };
}

const nothing: readonly Said[] = [];

export function plainReading(): Reading {
  return {
    chunk: (text) => [{ kind: 'text', text }],
    other: () => nothing,
    end: () => ({ said: nothing, failure: null }),
  };
}

/** Begins a whole piece that Copilot CLI says itself. */
const ofProgram = /^(?:Info|Error): /;
/**
 * Copilot CLI tells everything in the stream of the answer: `Info: …` of what it does, `Error: …` and a normal end where a
 * request to the model has failed. A piece that begins so is held back until what follows says whose words it is: the model's
 * go on with a further piece, the program's stand alone. An answer of the model in one single piece that begins with `Error: `
 * is taken for a failure: of the two mistakes that is the one that is seen.
 */
export function copilotReading(): Reading {
  let held: string | null = null;
  let first = true;
  const release = (as: 'text' | 'notice'): readonly Said[] => {
    const text = held;
    held = null;
    return text === null ? nothing : [{ kind: as, text }];
  };
  return {
    chunk(text) {
      const alone = ofProgram.test(text) && (first || held !== null);
      const before = release(alone ? 'notice' : 'text');
      first = false;
      if (!alone) {
        return [...before, { kind: 'text', text }];
      }
      held = text;
      return before;
    },
    other() {
      first = true;
      return release('notice');
    },
    end({ answered }) {
      const text = held ?? '';
      if (text.startsWith('Error: ')) {
        return { said: nothing, failure: failureOfText(text) };
      }
      // "Info: Operation cancelled by user" ends a turn whose tool was denied; a model may answer so in one piece.
      const words = text.startsWith('Info: ') && (answered || / cancelled by user/.test(text)) ? 'notice' : 'text';
      return { said: release(words), failure: null };
    },
  };
}

/**
 * codex-acp passes what Codex tells of its own state through in `_meta.codex` of `session_info_update`: that it tries again,
 * and that the turn has failed. The failure's words come as a piece of the answer without a message id.
 */
export function codexReading(): Reading {
  let failed = false;
  let words = '';
  let before: ProviderFailure | null = null;
  return {
    chunk(text, update) {
      if (textAt(update, 'messageId') !== null) {
        return [{ kind: 'text', text }];
      }
      if (!failed) {
        return [{ kind: /^(?:Config warning|Warning): /.test(text) ? 'notice' : 'text', text }];
      }
      words += text;
      return nothing;
    },
    other(update) {
      const codex = fieldsAt(fieldsAt(update, '_meta'), 'codex');
      const state = textAt(fieldsAt(codex, 'threadStatus'), 'type');
      if (state !== null) {
        failed = state === 'systemError';
      }
      const { error } = codex;
      if (!isFields(error)) {
        return nothing;
      }
      const failure = failureOf(error, before, null);
      before = failure;
      return error['willRetry'] === true ? [{ kind: 'retrying', failure }] : nothing;
    },
    end() {
      return { said: nothing, failure: failed ? codexFailure(words.trim(), before) : null };
    },
  };
}

/** A request that is refused outright is told by the body of the answer; any other one was tried again, and told then. */
function codexFailure(words: string, before: ProviderFailure | null): ProviderFailure {
  const told = failureOf({ message: words }, before, null);
  if (told.class !== 'unknown') {
    return told;
  }
  return before === null ? failureOfText(words) : { ...before, message: words };
}
