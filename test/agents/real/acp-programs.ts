/**
 * The real ACP agents as tests start them: offline, against a fake model API, with a home of their own. A program is found
 * by its AGENT_BIN_* variable, else where `e2e/clients` installs it; one that is not there says so.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export type ProgramName = 'gemini' | 'copilot' | 'opencode' | 'claude-agent-acp' | 'codex-acp';

export interface Program {
  readonly name: ProgramName;
  readonly command: string;
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<{ [name: string]: string }>;
}

export const programNames: readonly ProgramName[] = ['gemini', 'copilot', 'opencode', 'claude-agent-acp', 'codex-acp'];

const clients = fileURLToPath(new URL('../../../e2e/clients', import.meta.url));
/** The tests' own Node comes first: some programs are scripts of `env node`. */
const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);

/** Where a command-line client is; null: nowhere. */
export function findBinary(name: string): string | null {
  const own = process.env[`AGENT_BIN_${name.toUpperCase().replaceAll('-', '_')}`];
  const places = [
    ...(own === undefined || own === '' ? [] : [resolve(own)]),
    ...['ci', 'more'].map((group) => join(clients, group, 'node_modules', '.bin', name)),
  ];
  return places.find((place) => existsSync(place)) ?? null;
}

interface Lodging {
  /** `http://127.0.0.1:PORT` of the fake model API. */
  readonly model: string;
  /** An empty folder that becomes HOME. */
  readonly home: string;
}

/** Null with a reason in words where it cannot be started here. */
export function realProgram(name: ProgramName, lodging: Lodging): Program | { readonly unable: string } {
  const command = findBinary(name);
  if (command === null) {
    return missing(name);
  }
  mkdirSync(lodging.home, { recursive: true });
  const base = { PATH: path, HOME: lodging.home, LANG: 'C.UTF-8', NO_COLOR: '1' };
  const program = (args: readonly string[], env: Program['env']): Program => ({
    name,
    command,
    args,
    env: { ...base, ...env },
  });
  switch (name) {
    case 'gemini':
      return program(['--acp', '-m', 'gemini-2.5-flash'], geminiSetup(lodging));
    case 'copilot':
      return program(['--acp', '--disable-client-telemetry'], copilotSetup(lodging));
    case 'opencode':
      return program(['acp', '--pure'], opencodeSetup(lodging));
    case 'claude-agent-acp': {
      const claude = findBinary('claude');
      return claude === null ? missing('claude') : program([], claudeSetup(lodging, claude));
    }
    case 'codex-acp': {
      const codex = findBinary('codex');
      return codex === null ? missing('codex') : program([], codexSetup(lodging, codex));
    }
  }
}

const missing = (name: string): { readonly unable: string } => ({
  unable: `${name} is not installed: set AGENT_BIN_${name.toUpperCase().replaceAll('-', '_')}, or install e2e/clients`,
});

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function geminiSetup({ home, model }: Lodging): Program['env'] {
  const settings = {
    security: { auth: { selectedType: 'gemini-api-key' } },
    privacy: { usageStatisticsEnabled: false },
    general: { enableAutoUpdate: false, disableUpdateNag: true, maxAttempts: 2 },
  };
  write(join(home, '.gemini', 'settings.json'), JSON.stringify(settings));
  return { GEMINI_API_KEY: 'dummy-gemini', GOOGLE_GEMINI_BASE_URL: model, GEMINI_CLI_TRUST_WORKSPACE: 'true' };
}

function copilotSetup({ model }: Lodging): Program['env'] {
  return {
    COPILOT_OFFLINE: 'true',
    COPILOT_PROVIDER_BASE_URL: `${model}/v1`,
    COPILOT_PROVIDER_TYPE: 'openai',
    COPILOT_PROVIDER_WIRE_API: 'completions',
    COPILOT_MODEL: 'fake-model',
    COPILOT_PROVIDER_API_KEY: 'dummy-copilot',
    COPILOT_AUTO_UPDATE: 'false',
  };
}

function opencodeSetup({ home, model }: Lodging): Program['env'] {
  const models = { 'fake-model': { name: 'Fake' }, 'fake-other': { name: 'Other' } };
  const options = { baseURL: `${model}/v1`, apiKey: 'dummy-opencode' };
  const config = {
    provider: { fake: { npm: '@ai-sdk/openai-compatible', name: 'Fake', options, models } },
    model: 'fake/fake-model',
    small_model: 'fake/fake-model',
    permission: { bash: 'ask', edit: 'ask' },
    autoupdate: false,
    share: 'disabled',
  };
  write(join(home, '.config', 'opencode', 'opencode.json'), JSON.stringify(config));
  return { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' };
}

function claudeSetup({ home, model }: Lodging, claude: string): Program['env'] {
  return {
    CLAUDE_CODE_EXECUTABLE: claude,
    CLAUDE_CONFIG_DIR: join(home, '.claude'),
    ANTHROPIC_BASE_URL: model,
    ANTHROPIC_API_KEY: 'sk-ant-dummy',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_ERROR_REPORTING: '1',
    CLAUDE_CODE_MAX_RETRIES: '1',
    // Else a stream that breaks is asked for again in one piece, which a fake model cannot break.
    CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: '1',
    IS_SANDBOX: '1',
  };
}

function codexSetup({ home, model }: Lodging, codex: string): Program['env'] {
  const config = [
    'model = "fake-model"',
    'model_provider = "fake"',
    '[model_providers.fake]',
    'name = "fake"',
    `base_url = "${model}/v1"`,
    'wire_api = "responses"',
    'env_key = "FAKE_KEY"',
    'request_max_retries = 1',
    'stream_max_retries = 1',
    '[tools.update_plan]',
    'enabled = true',
  ];
  const codexHome = join(home, '.codex');
  write(join(codexHome, 'config.toml'), `${config.join('\n')}\n`);
  // In its read-only mode a command that wants more is asked for.
  const mode = { INITIAL_AGENT_MODE: 'read-only', NO_BROWSER: '1' };
  return { CODEX_PATH: codex, CODEX_HOME: codexHome, FAKE_KEY: 'dummy-codex', ...mode };
}
