/**
 * The ACP adapter of Claude Code, measured with 0.100.0: steering, costs, a word of failure in `data.errorKind`. It runs the
 * Claude Code of its own dependencies unless CLAUDE_CODE_EXECUTABLE names another one.
 */
import { fieldsAt, textAt } from '../../child/fields.ts';
import { behindJoiner } from '../../shared/plain-text.ts';
import { memoryVariable, settingsOver, widening } from '../../claude/settings.ts';
import { plain } from './plain.ts';
import type { Profile } from './profile.ts';

export const claudeAgentAcp: Profile = {
  ...plain,
  keepsPrompts: true,
  provider: 'anthropic',
  command: 'claude-agent-acp',
  passEnv: [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'ANTHROPIC_BASE_URL',
    'ANTHROPIC_CUSTOM_HEADERS',
    'ANTHROPIC_MODEL',
    'CLAUDE_CODE_EXECUTABLE',
    'CLAUDE_CODE_MAX_RETRIES',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_USE_FOUNDRY',
    'CLAUDE_CODE_USE_VERTEX',
    'CLAUDE_CONFIG_DIR',
  ],
  env: { DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_DISABLE_FILE_MENTIONS: '1' },
  widening,
  metaOver: (places) => ({
    claudeCode: {
      options: {
        settingSources: ['user'],
        settings: settingsOver(places),
        env: memoryVariable,
        ...(places.folder === null ? {} : { additionalDirectories: [places.folder] }),
      },
    },
  }),
  // Behind a blank Claude Code takes `/clear` for text, and the adapter still obeys `/remote-control`.
  plainText: (text) => behindJoiner(text, /\//),
  toolName: (toolCall) => textAt(fieldsAt(fieldsAt(toolCall, '_meta'), 'claudeCode'), 'toolName'),
};
