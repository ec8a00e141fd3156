/**
 * opencode, measured with 1.18.33. Its usage is that of the last request of a turn. For a failed request it gives the
 * provider's words without a status.
 */
import { plain } from './plain.ts';
import type { Profile } from './profile.ts';

export const opencode: Profile = {
  ...plain,
  keepsPrompts: true,
  provider: 'opencode',
  command: 'opencode',
  args: ['acp'],
  passEnv: [
    'ANTHROPIC_API_KEY',
    'GEMINI_API_KEY',
    'GOOGLE_GENERATIVE_AI_API_KEY',
    'OPENAI_API_KEY',
    'OPENCODE_API_KEY',
    'OPENCODE_CONFIG',
    'OPENCODE_CONFIG_CONTENT',
    'OPENCODE_CONFIG_DIR',
    'OPENCODE_DISABLE_MODELS_FETCH',
    'OPENROUTER_API_KEY',
    'XDG_STATE_HOME',
  ],
  env: { OPENCODE_DISABLE_AUTOUPDATE: '1' },
};
