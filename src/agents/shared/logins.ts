/** How a login shows at the providers that several programs share, and what these programs need of the user's home for it. */
import type { LoginSigns } from '../descriptor.ts';
import type { HomeNeeds } from '../sandbox/agent-sandbox.ts';
import { below } from '../sandbox/needs.ts';

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

const claudeFolders = ['$CLAUDE_CONFIG_DIR', '~/.claude'];
const bedrock = 'CLAUDE_CODE_USE_BEDROCK';
const vertex = 'CLAUDE_CODE_USE_VERTEX';

export const anthropicHome: HomeNeeds = {
  folders: ['CLAUDE_CONFIG_DIR'],
  files: [
    ...below(claudeFolders, 'shared', ['.credentials.json']),
    ...below(['~', '$CLAUDE_CONFIG_DIR'], 'copied', ['.claude.json']),
    ...below(claudeFolders, 'copied', ['settings.json', 'CLAUDE.md']),
    ...below(claudeFolders, 'read', ['agents', 'commands', 'output-styles', 'plugins', 'rules', 'skills']),
    ...['$AWS_CONFIG_FILE', '$AWS_SHARED_CREDENTIALS_FILE', '$AWS_WEB_IDENTITY_TOKEN_FILE', '~/.aws'].map(
      (path) => ({ path, as: 'read', when: bedrock }) as const,
    ),
    ...['$GOOGLE_APPLICATION_CREDENTIALS', '~/.config/gcloud/application_default_credentials.json'].map(
      (path) => ({ path, as: 'read', when: vertex }) as const,
    ),
  ],
};

const codexFolders = ['$CODEX_HOME', '~/.codex'];

export const openaiHome: HomeNeeds = {
  folders: ['CODEX_HOME', 'CODEX_SQLITE_HOME'],
  files: [
    ...below(codexFolders, 'shared', ['auth.json']),
    ...below(codexFolders, 'copied', ['config.toml', 'AGENTS.md']),
    ...below(codexFolders, 'read', ['prompts', 'rules', 'skills']),
    { path: '$CODEX_CA_CERTIFICATE', as: 'read' },
  ],
};
