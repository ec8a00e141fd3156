/**
 * A stop of many tasks is applied in several steps, each with its own commit, so that other sessions are served in between. No other
 * input of its session comes between them: for the session it is one.
 */
import type { Entry, Split } from './batch.ts';
import type { Reply } from '../../core/model/replies.ts';

/** The entry as its first step, and the entry of the rest; null: its answer is whole. A step that is applied again has its rest already. */
export function splitEntry(entry: Entry, reply: Reply): { readonly step: Entry; readonly rest: Entry } | null {
  if (reply.kind !== 'receipts' || reply.more !== true || entry.input.type !== 'stop' || entry.isStep === true) {
    return null;
  }
  const split: Split = entry.split ?? { receipts: [], failed: false, whole: entry };
  const fail = (error: unknown): void => {
    split.failed = true;
    split.whole.fail?.(error);
  };
  const step: Entry = {
    ...entry,
    split,
    isStep: true,
    fail,
    done: (answer) => void (answer.kind === 'receipts' && split.receipts.push(...answer.receipts)),
  };
  const rest: Entry = {
    ...entry,
    split,
    input: { ...entry.input, goesOn: true },
    fail,
    done: (answer) => split.whole.done?.(joined(split, answer)),
  };
  return { step, rest };
}

/** What its sender is answered by the last of its steps. */
export const wholeReply = ({ split }: Entry, reply: Reply): Reply =>
  split === undefined ? reply : joined(split, reply);

const joined = ({ receipts }: Split, reply: Reply): Reply =>
  reply.kind === 'receipts' ? { kind: 'receipts', receipts: [...receipts, ...reply.receipts] } : reply;
