/** How a login shows at the providers that several programs share. */
import type { LoginSigns } from '../descriptor.ts';

/** On a Mac the keychain keeps what is in a file elsewhere. */
export const loginFilesTell: boolean = process.platform !== 'darwin';

export const anthropicLogin: LoginSigns = {
  variables: [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_USE_VERTEX',
    'CLAUDE_CODE_USE_FOUNDRY',
  ],
  files: ['$CLAUDE_CONFIG_DIR/.credentials.json', '~/.claude/.credentials.json'],
  sure: loginFilesTell,
  fix: 'Run `claude` and log in, or set ANTHROPIC_API_KEY.',
};

export const openaiLogin: LoginSigns = {
  variables: ['OPENAI_API_KEY', 'CODEX_API_KEY'],
  // A configuration may name another provider, with a key of its own or none.
  files: ['$CODEX_HOME/auth.json', '~/.codex/auth.json', '$CODEX_HOME/config.toml', '~/.codex/config.toml'],
  sure: loginFilesTell,
  fix: 'Run `codex login`, or set OPENAI_API_KEY.',
};
