/**
 * The ACP adapter of Codex, measured with 2.6.0: steering, usage by turn, and failed requests as a normal end with text, for
 * which it passes Codex's own words on. It runs the Codex that CODEX_PATH names, or that of its own dependencies.
 */
import { codexReading } from '../reading.ts';
import { plain } from './plain.ts';
import type { Profile } from './profile.ts';

export const codexAcp: Profile = {
  ...plain,
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
  // A login by a browser cannot be answered here.
  env: { NO_BROWSER: '1' },
  reading: codexReading,
};
