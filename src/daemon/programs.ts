/**
 * The agents' command-line programs: what each is called, where it comes from, and how it shows that somebody has logged in.
 * For the choice of an agent and for `doctor`. Names of variables and files are those of the programs' own documentation.
 */

export interface LoginSigns {
  /** Any of them set: it has a key, or another provider that needs none. */
  readonly variables: readonly string[];
  /** Any of them there: somebody has logged in. They are never opened. A leading `$NAME` or `~` is replaced. */
  readonly files: readonly string[];
  /** False: a login may be kept where it cannot be seen (a keychain, another program), so its absence says nothing. */
  readonly sure: boolean;
  readonly fix: string;
}

export interface AgentProgram {
  /** `agent.name` that drives it. */
  readonly agent: string;
  readonly title: string;
  /** Name on the PATH. */
  readonly command: string;
  /** Holds the path of a user's own copy, instead of the one on the PATH. */
  readonly variable: string;
  readonly install: string;
  readonly login: LoginSigns;
}

/** On a Mac the keychain keeps what stands in a file elsewhere. */
const filesTell = process.platform !== 'darwin';

const anthropic: LoginSigns = {
  variables: [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_USE_VERTEX',
    'CLAUDE_CODE_USE_FOUNDRY',
  ],
  files: ['$CLAUDE_CONFIG_DIR/.credentials.json', '~/.claude/.credentials.json'],
  sure: filesTell,
  fix: 'Run `claude` and log in, or set ANTHROPIC_API_KEY.',
};

const openai: LoginSigns = {
  variables: ['OPENAI_API_KEY', 'CODEX_API_KEY'],
  // A configuration may name another provider, with a key of its own or none.
  files: ['$CODEX_HOME/auth.json', '~/.codex/auth.json', '$CODEX_HOME/config.toml', '~/.codex/config.toml'],
  sure: filesTell,
  fix: 'Run `codex login`, or set OPENAI_API_KEY.',
};

export const agentPrograms: readonly AgentProgram[] = [
  {
    agent: 'claude',
    title: 'Claude Code',
    command: 'claude',
    variable: 'AGENT_BIN_CLAUDE',
    install: 'npm install --global @anthropic-ai/claude-code',
    login: anthropic,
  },
  {
    agent: 'codex',
    title: 'Codex',
    command: 'codex',
    variable: 'AGENT_BIN_CODEX',
    install: 'npm install --global @openai/codex',
    login: openai,
  },
  {
    agent: 'gemini',
    title: 'Gemini CLI',
    command: 'gemini',
    variable: 'AGENT_BIN_GEMINI',
    install: 'npm install --global @google/gemini-cli',
    login: {
      variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENAI_USE_VERTEXAI', 'GOOGLE_GENAI_USE_GCA'],
      files: ['~/.gemini/oauth_creds.json'],
      sure: filesTell,
      fix: 'Run `gemini` and log in, or set GEMINI_API_KEY.',
    },
  },
  {
    agent: 'copilot',
    title: 'GitHub Copilot CLI',
    command: 'copilot',
    variable: 'AGENT_BIN_COPILOT',
    install: 'npm install --global @github/copilot',
    login: {
      // Not GH_TOKEN and GITHUB_TOKEN: those are as likely the daemon's own, and are not passed on.
      variables: ['COPILOT_GITHUB_TOKEN', 'COPILOT_PROVIDER_BASE_URL'],
      files: [],
      sure: false,
      fix: 'Run `copilot` and say /login, or set COPILOT_GITHUB_TOKEN.',
    },
  },
  {
    agent: 'opencode',
    title: 'OpenCode',
    command: 'opencode',
    variable: 'AGENT_BIN_OPENCODE',
    install: 'npm install --global opencode-ai',
    login: {
      variables: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY', 'OPENCODE_API_KEY'],
      files: ['$XDG_DATA_HOME/opencode/auth.json', '~/.local/share/opencode/auth.json'],
      sure: false,
      fix: 'Run `opencode auth login`.',
    },
  },
  {
    agent: 'claude-agent-acp',
    title: 'Claude Code’s ACP adapter',
    command: 'claude-agent-acp',
    variable: 'AGENT_BIN_CLAUDE_AGENT_ACP',
    install: 'npm install --global @agentclientprotocol/claude-agent-acp',
    login: anthropic,
  },
  {
    agent: 'codex-acp',
    title: 'Codex’s ACP adapter',
    command: 'codex-acp',
    variable: 'AGENT_BIN_CODEX_ACP',
    install: 'npm install --global @agentclientprotocol/codex-acp',
    login: openai,
  },
];

export const programOf = (agent: string): AgentProgram | null =>
  agentPrograms.find((program) => program.agent === agent) ?? null;
