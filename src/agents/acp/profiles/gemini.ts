/**
 * Gemini CLI, measured with 0.61.0. Its errors carry the HTTP status as code; its usage is in `_meta.quota`.
 *
 * It does not understand its client's answer that a file is missing, so its tools could not write a new file. Therefore it reads
 * by itself, within the folder that it was started in, and writes through us.
 *
 * It loses a conversation that it takes up in the minute (of the clock) in which that began, since it overwrites its own file.
 * Then it refuses, and a fresh conversation begins.
 */
import { textAt } from '../../child/fields.ts';
import { behindJoiner } from '../../shared/plain-text.ts';
import { geminiArgs, geminiWidening } from './gemini-settings.ts';
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
  widening: geminiWidening,
  argsOver: geminiArgs,
  // It cuts blanks off, then runs what begins with either; a path behind `@` stays text.
  plainText: (text) => behindJoiner(text, /[/$]/),
  // `run_shell_command__run_shell_command_1795276579441_0`
  toolName: (toolCall) => /^(\w+?)__\1_/.exec(textAt(toolCall, 'toolCallId') ?? '')?.[1] ?? null,
};
