/** What stands in a letter between nodes, and in its answer. JSON. */
import type { FixedHintCode } from '../../core/error-codes.ts';
import { AppError } from '../../core/errors.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { Reply } from '../../core/model/replies.ts';

/** A command is applied by `step` and answered in its commit. A question is answered by the other node's own reads and is done by nobody else. */
export type LetterBody =
  | { readonly kind: 'command'; readonly input: Input }
  | { readonly kind: 'question'; readonly ask: string; readonly about: unknown };

export type LetterAnswer =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };

export const replyAnswer = (reply: Reply): LetterAnswer => ({ kind: 'reply', reply });

export const errorAnswer = (error: unknown): LetterAnswer => ({
  kind: 'error',
  code: error instanceof AppError ? error.code : 'invariant_broken',
  message: error instanceof Error ? error.message : String(error),
});

/** What the asker gets. Throws what the other node threw. */
export function answerOf(stored: unknown): unknown {
  const answer = stored as LetterAnswer;
  if (answer.kind === 'error') {
    throw new AppError({ code: answer.code as FixedHintCode, message: answer.message });
  }
  return answer.kind === 'reply' ? answer.reply : answer.answer;
}
