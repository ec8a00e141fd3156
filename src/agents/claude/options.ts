/** What a user may set for Claude Code, and what the driver sets by itself: arguments and environment. */
import type { Environment } from '../../supervise/index.ts';
import { commonVariables, pickEnvironment } from '../../supervise/index.ts';
import type { ProgramOptions } from '../child/json-lines.ts';
import { type SettingsPlaces, unlessGiven } from '../shared/widening.ts';
import { memoryVariable, settingsOver } from './settings.ts';

export interface ClaudeDriverOptions extends Partial<ProgramOptions> {
  /** Further arguments, behind the driver's own: `--permission-mode`, `--allowedTools`, `--mcp-config`, `--add-dir`, … */
  readonly args?: readonly string[];
  /** Whom its model requests go to. Default: `anthropic`. */
  readonly provider?: string;
  /** Used where a session asks for no model. Default: Claude Code's own. */
  readonly model?: string;
  /**
   * True: a prompt that begins with `/` is a command of Claude Code, and `@path` reads that file into the prompt without
   * a permission request. Default false: prompts come from outside, and are plain text.
   */
  readonly expandPrompts?: boolean;
  /** True: the settings of Claude Code, in the home and in the folder, stand over the policy of the task. Default false. */
  readonly trustSettings?: boolean;
  /** How often a turn that emits nothing emits a sign of life. Default 30,000. */
  readonly activityMs?: number;
  /** Wall-clock ms. Default: Date.now. */
  readonly wall?: () => number;
}

/** Variables of the daemon that are passed to Claude Code, beside the common ones: for its files, its login, its provider. */
export const claudeVariables: readonly string[] = [
  'CLAUDE_CONFIG_DIR',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_CUSTOM_HEADERS',
  'ANTHROPIC_BETAS',
  'ANTHROPIC_MODEL',
  'ANTHROPIC_DEFAULT_OPUS_MODEL',
  'ANTHROPIC_DEFAULT_SONNET_MODEL',
  'ANTHROPIC_DEFAULT_HAIKU_MODEL',
  'ANTHROPIC_SMALL_FAST_MODEL',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_SKIP_BEDROCK_AUTH',
  'ANTHROPIC_BEDROCK_BASE_URL',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_PROFILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_BEARER_TOKEN_BEDROCK',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'CLAUDE_CODE_USE_VERTEX',
  'CLAUDE_CODE_SKIP_VERTEX_AUTH',
  'ANTHROPIC_VERTEX_BASE_URL',
  'ANTHROPIC_VERTEX_PROJECT_ID',
  'CLOUD_ML_REGION',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'GOOGLE_CLOUD_PROJECT',
  'CLAUDE_CODE_USE_FOUNDRY',
  'ANTHROPIC_FOUNDRY_API_KEY',
  'ANTHROPIC_FOUNDRY_BASE_URL',
  'ANTHROPIC_FOUNDRY_RESOURCE',
  'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
  'CLAUDE_CODE_MAX_RETRIES',
  'MAX_THINKING_TOKENS',
  'API_TIMEOUT_MS',
  'BASH_DEFAULT_TIMEOUT_MS',
  'BASH_MAX_TIMEOUT_MS',
  'IS_SANDBOX',
];

/**
 * Set unless the user sets them. Three retries: the runtime throttles all sessions of a provider that fails, and retries when it
 * may. Claude Code's default of ten retries, over three minutes, would hide the failure.
 */
const quiet: Environment = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_TELEMETRY: '1',
  DISABLE_ERROR_REPORTING: '1',
  DISABLE_AUTOUPDATER: '1',
  CLAUDE_CODE_DISABLE_TERMINAL_TITLE: '1',
  CLAUDE_CODE_MAX_RETRIES: '3',
};

/** JSON lines both ways; text in pieces; our messages echoed when they are read; permission requests on this connection. */
const fixedArgs: readonly string[] = [
  '-p',
  '--input-format',
  'stream-json',
  '--output-format',
  'stream-json',
  '--verbose',
  '--include-partial-messages',
  '--replay-user-messages',
  '--permission-prompt-tool',
  'stdio',
];

/** How the conversation is opened. A fresh one gets its id from us, so that the id is known before the first turn. */
export type Opening = { readonly kind: 'fresh' | 'resumed'; readonly conversation: string };

/** `folder`: the session's; null: none. */
export function programOptions(
  options: ClaudeDriverOptions,
  opening: Opening,
  model: string | null,
  folder: string | null,
): ProgramOptions {
  const passEnv = options.passEnv ?? [...commonVariables, ...claudeVariables];
  const mentions: Environment = options.expandPrompts === true ? {} : { CLAUDE_CODE_DISABLE_FILE_MENTIONS: '1' };
  const memory: Environment = options.trustSettings === true ? {} : memoryVariable;
  const env = {
    ...quiet,
    ...mentions,
    ...memory,
    ...pickEnvironment(passEnv, options.ambient ?? process.env),
    ...options.env,
  };
  const wanted = model ?? options.model ?? null;
  const conversation = [opening.kind === 'fresh' ? '--session-id' : '--resume', opening.conversation];
  // `ids` names messages. A cookie that came twice would let the end of one agent end another one.
  const { ids: _, ...program } = options;
  return {
    ...program,
    command: options.command ?? 'claude',
    args: [
      ...fixedArgs,
      ...conversation,
      ...(wanted === null ? [] : ['--model', wanted]),
      ...(options.trustSettings === true ? [] : argsOver({ env, folder }, options.args ?? [])),
      ...(options.args ?? []),
    ],
    env,
    passEnv,
  };
}

/** What stands over the settings of Claude Code, unless the user gives a flag of that name. */
function argsOver(places: SettingsPlaces, given: readonly string[]): readonly string[] {
  const { folder } = places;
  // `--add-dir` takes several folders, so it is not the last one.
  return [
    ...(folder === null ? [] : ['--add-dir', folder]),
    ...unlessGiven(
      [
        ['--permission-mode', 'default'],
        ['--setting-sources', 'user'],
        ['--settings', JSON.stringify(settingsOver(places))],
      ],
      given,
    ),
  ];
}
