/**
 * Gemini CLI, measured with 0.61.0. Its errors carry the HTTP status as code, its usage stands in `_meta.quota`.
 *
 * It does not understand "there is no such file" from its client: a new file could not be written by its tools. It reads by
 * itself therefore, within the folder that it was started in, and writes through us.
 *
 * A conversation that it takes up in the minute (of the clock) in which it was begun is lost: it writes over its own file. It
 * says no then, so a fresh one is begun, and said to be.
 */
import { textAt } from '../../child/fields.ts';
import { plain } from './plain.ts';
import type { Profile } from './profile.ts';

export const gemini: Profile = {
  ...plain,
  provider: 'google',
  command: 'gemini',
  args: ['--acp'],
  passEnv: [
    'GEMINI_API_KEY',
    'GEMINI_MODEL',
    'GEMINI_CLI_HOME',
    'GEMINI_CLI_TRUST_WORKSPACE',
    'GOOGLE_API_KEY',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'GOOGLE_CLOUD_LOCATION',
    'GOOGLE_CLOUD_PROJECT',
    'GOOGLE_GEMINI_BASE_URL',
    'GOOGLE_GENAI_USE_GCA',
    'GOOGLE_GENAI_USE_VERTEXAI',
    'GOOGLE_VERTEX_BASE_URL',
  ],
  files: { read: false, write: true },
  replaysLate: true,
  // `run_shell_command__run_shell_command_1795276579441_0`
  toolName: (toolCall) => /^(\w+?)__\1_/.exec(textAt(toolCall, 'toolCallId') ?? '')?.[1] ?? null,
};
