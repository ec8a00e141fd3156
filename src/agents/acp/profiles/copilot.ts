/**
 * GitHub Copilot CLI, measured with 1.0.102. A failed request ends its turn normally, with text, and its usage is the sum of
 * its process. A cancel that it reads 2 to 4 ms after the prompt is lost in a few of a hundred turns. GITHUB_TOKEN and
 * GH_TOKEN are not passed on: they are as likely the daemon's own.
 */
import { behindJoiner } from '../../shared/plain-text.ts';
import { type AnswerFilter, type Passage, nothing } from '../answer-filter.ts';
import { failureOfText } from '../failures.ts';
import { copilotWidening } from './copilot-settings.ts';
import { plain } from './plain.ts';
import type { Profile } from './profile.ts';

export const copilot: Profile = {
  ...plain,
  keepsPrompts: true,
  provider: 'github',
  command: 'copilot',
  args: ['--acp'],
  passEnv: [
    'COPILOT_GITHUB_TOKEN',
    'COPILOT_HOME',
    'COPILOT_MODEL',
    'COPILOT_OFFLINE',
    'COPILOT_PROVIDER_API_KEY',
    'COPILOT_PROVIDER_BASE_URL',
    'COPILOT_PROVIDER_BEARER_TOKEN',
    'COPILOT_PROVIDER_TYPE',
    'COPILOT_PROVIDER_WIRE_API',
    'GH_HOST',
  ],
  // A program that replaces itself while it runs cannot be supervised.
  env: { COPILOT_AUTO_UPDATE: 'false' },
  sumsUsage: true,
  startedAfterMs: 100,
  widening: copilotWidening,
  // It cuts blanks off, then runs the commands that it knows (`/cwd`, `/compact`); a path behind `@` stays text.
  plainText: (text) => behindJoiner(text, /\//),
  modelArgs: (model) => ['--model', model],
  answerFilter: copilotFilter,
};

/** How a piece begins that is Copilot CLI's own. */
const ofProgram = /^(?:Info|Error): /;
/**
 * Copilot CLI says everything in the stream of the answer: `Info: …` of what it does, and `Error: …` with a normal end where a
 * request to the model failed. A piece that begins so is withheld until the next one shows its origin: another piece
 * follows the model's, and none the program's. An answer of the model in one single piece that begins with `Error: ` counts as
 * a failure, since that mistake is seen.
 */
export function copilotFilter(): AnswerFilter {
  let held: string | null = null;
  let first = true;
  const release = (as: 'text' | 'notice'): readonly Passage[] => {
    const text = held;
    held = null;
    return text === null ? nothing : [{ kind: as, text }];
  };
  return {
    onChunk(text) {
      const alone = ofProgram.test(text) && (first || held !== null);
      const before = release(alone ? 'notice' : 'text');
      first = false;
      if (!alone) {
        return [...before, { kind: 'text', text }];
      }
      held = text;
      return before;
    },
    onUpdate() {
      first = true;
      return release('notice');
    },
    onEnd({ answered }) {
      const text = held ?? '';
      if (text.startsWith('Error: ')) {
        return { passages: nothing, failure: failureOfText(text) };
      }
      // "Info: Operation cancelled by user" ends a turn whose tool was denied; a model may answer so in one piece.
      const words = text.startsWith('Info: ') && (answered || / cancelled by user/.test(text)) ? 'notice' : 'text';
      return { passages: release(words), failure: null };
    },
  };
}
