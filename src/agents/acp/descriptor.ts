/** The agents that speak the Agent Client Protocol: the programs whose profiles are known, and any other one. */
import { type AgentProgram, type ProgramAgent, programKeys } from '../descriptor.ts';
import { anthropicHome, anthropicLogin, loginFilesTell, openaiHome, openaiLogin } from '../shared/logins.ts';
import { below } from '../sandbox/needs.ts';
import { widening as claudeWidening } from '../claude/settings.ts';
import { wideningOfAdapter } from '../codex/settings.ts';
import { copilotWidening } from './profiles/copilot-settings.ts';
import { geminiWidening } from './profiles/gemini-settings.ts';
import type { ProfileName } from './profiles/index.ts';

function acpAgent(name: ProfileName, title: string, summary: string, program: AgentProgram | null): ProgramAgent {
  return {
    kind: 'program',
    name,
    title,
    summary,
    page: 'agents/acp.md',
    keys: [
      ...programKeys,
      'terminal',
      'authMethod',
      ...(program?.widening === undefined ? [] : (['trustSettings'] as const)),
    ],
    program,
    async load({ launch, config: { terminal, authMethod, trustSettings } }) {
      const { acpDriver } = await import('./driver.ts');
      return acpDriver({
        ...launch,
        profile: name,
        ...(terminal === undefined ? {} : { terminal }),
        ...(authMethod === undefined ? {} : { authMethod }),
        ...(trustSettings === undefined ? {} : { trustSettings }),
      });
    },
  };
}

const geminiFolder = ['~/.gemini'];
const copilotFolders = ['$COPILOT_HOME', '~/.copilot'];
const opencodeFolders = ['$XDG_CONFIG_HOME/opencode', '~/.config/opencode'];

const known = (name: ProfileName, title: string, program: AgentProgram): ProgramAgent =>
  acpAgent(name, title, `${title}, by the Agent Client Protocol`, program);

export const descriptors: readonly ProgramAgent[] = [
  known('gemini', 'Gemini CLI', {
    command: 'gemini',
    variable: 'AGENT_BIN_GEMINI',
    install: 'npm install --global @google/gemini-cli',
    widening: geminiWidening,
    login: {
      variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENAI_USE_VERTEXAI', 'GOOGLE_GENAI_USE_GCA'],
      files: ['~/.gemini/oauth_creds.json'],
      sure: loginFilesTell,
      fix: 'Run `gemini` and log in, or set GEMINI_API_KEY.',
    },
    home: {
      folders: [],
      files: [
        ...below(geminiFolder, 'shared', ['oauth_creds.json', 'google_accounts.json', 'gemini-credentials.json']),
        ...below(geminiFolder, 'copied', [
          'settings.json',
          'GEMINI.md',
          '.env',
          'trustedFolders.json',
          'installation_id',
        ]),
        ...below(geminiFolder, 'read', ['commands', 'extensions', 'policies', 'skills']),
      ],
    },
  }),
  known('copilot', 'GitHub Copilot CLI', {
    command: 'copilot',
    variable: 'AGENT_BIN_COPILOT',
    install: 'npm install --global @github/copilot',
    widening: copilotWidening,
    login: {
      // Not GH_TOKEN and GITHUB_TOKEN: those are as likely the daemon's own, and are not passed on.
      variables: ['COPILOT_GITHUB_TOKEN', 'COPILOT_PROVIDER_BASE_URL'],
      files: [],
      sure: false,
      fix: 'Run `copilot` and enter /login, or set COPILOT_GITHUB_TOKEN.',
    },
    home: {
      folders: ['COPILOT_HOME'],
      files: [
        ...below(copilotFolders, 'copied', [
          'config.json',
          'settings.json',
          'mcp-config.json',
          'copilot-instructions.md',
        ]),
        ...below(copilotFolders, 'read', ['agents', 'skills']),
      ],
    },
  }),
  known('opencode', 'OpenCode', {
    command: 'opencode',
    variable: 'AGENT_BIN_OPENCODE',
    install: 'npm install --global opencode-ai',
    login: {
      variables: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY', 'OPENCODE_API_KEY'],
      files: ['$XDG_DATA_HOME/opencode/auth.json', '~/.local/share/opencode/auth.json'],
      sure: false,
      fix: 'Run `opencode auth login`.',
    },
    home: {
      folders: [],
      files: [
        ...below(['$XDG_DATA_HOME/opencode', '~/.local/share/opencode'], 'shared', ['auth.json']),
        ...below(opencodeFolders, 'copied', ['opencode.json', 'opencode.jsonc', 'AGENTS.md']),
        ...below(opencodeFolders, 'read', ['agent', 'agents', 'command', 'commands']),
      ],
    },
  }),
  known('claude-agent-acp', 'Claude Code’s ACP adapter', {
    command: 'claude-agent-acp',
    variable: 'AGENT_BIN_CLAUDE_AGENT_ACP',
    install: 'npm install --global @agentclientprotocol/claude-agent-acp',
    widening: claudeWidening,
    login: anthropicLogin,
    home: anthropicHome,
  }),
  known('codex-acp', 'Codex’s ACP adapter', {
    command: 'codex-acp',
    variable: 'AGENT_BIN_CODEX_ACP',
    install: 'npm install --global @agentclientprotocol/codex-acp',
    widening: wideningOfAdapter,
    login: openaiLogin,
    home: openaiHome,
  }),
  acpAgent(
    'acp',
    'any ACP agent',
    'the program of `agent.command`, which speaks the Agent Client Protocol on standard input and output',
    null,
  ),
];
