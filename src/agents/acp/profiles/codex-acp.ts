/**
 * The ACP adapter of Codex, measured with 2.6.0. It has steering and usage by turn. A failed request ends its turn normally,
 * with Codex's own words as text. It runs the Codex that CODEX_PATH names, or that of its own dependencies.
 */
import { fieldsAt, textAt } from '../../child/fields.ts';
import { isFields } from '../../child/json-lines.ts';
import { failureOf } from '../../codex/failures.ts';
import { wideningOfAdapter } from '../../codex/settings.ts';
import type { ProviderFailure } from '../../failures.ts';
import { type AnswerFilter, nothing } from '../answer-filter.ts';
import { failureOfText } from '../failures.ts';
import { plain } from './plain.ts';
import type { Profile } from './profile.ts';

export const codexAcp: Profile = {
  ...plain,
  keepsPrompts: true,
  provider: 'openai',
  command: 'codex-acp',
  passEnv: [
    'CODEX_ACCESS_TOKEN',
    'CODEX_API_KEY',
    'CODEX_CA_CERTIFICATE',
    'CODEX_HOME',
    'CODEX_PATH',
    'CODEX_SQLITE_HOME',
    'INITIAL_AGENT_MODE',
    'OPENAI_API_KEY',
    'OPENAI_BASE_URL',
  ],
  // A login in a browser cannot be completed here.
  env: { NO_BROWSER: '1' },
  widening: wideningOfAdapter,
  outputPiece: (toolCall) => textAt(fieldsAt(fieldsAt(toolCall, '_meta'), 'terminal_output_delta'), 'data'),
  answerFilter: codexFilter,
};

/**
 * codex-acp passes on what Codex says of its own state, in `_meta.codex` of `session_info_update`: that it tries again, and
 * that the turn failed. The words of the failure come as a piece of the answer without a message id.
 */
export function codexFilter(): AnswerFilter {
  let failed = false;
  let words = '';
  let before: ProviderFailure | null = null;
  return {
    onChunk(text, update) {
      if (textAt(update, 'messageId') !== null) {
        return [{ kind: 'text', text }];
      }
      if (!failed) {
        return [{ kind: /^(?:Config warning|Warning): /.test(text) ? 'notice' : 'text', text }];
      }
      words += text;
      return nothing;
    },
    onUpdate(update) {
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
    onEnd() {
      return { passages: nothing, failure: failed ? codexFailure(words.trim(), before) : null };
    },
  };
}

/** The words of a refused request are the body of the response. Any other failure was tried again, and classified then. */
function codexFailure(words: string, before: ProviderFailure | null): ProviderFailure {
  const told = failureOf({ message: words }, before, null);
  if (told.class !== 'unknown') {
    return told;
  }
  return before === null ? failureOfText(words) : { ...before, message: words };
}
