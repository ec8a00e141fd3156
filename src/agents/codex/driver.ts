/**
 * Driver for Codex (`codex app-server`, https://developers.openai.com/codex). What it does where, and what was measured to find
 * out, is in docs/agents/codex.md.
 */
import { commonVariables, pickEnvironment } from '../../supervise/index.ts';
import type { AgentDriver } from '../port.ts';
import { CodexAgent } from './agent.ts';
import { refuseWidening } from '../shared/widening.ts';
import type { CodexDriverOptions } from './options.ts';
import { settingsOver, widening } from './settings.ts';

/** Variables of the daemon that Codex may see, beside the common ones: where its files are, and its login. */
const codexVariables: readonly string[] = [
  'CODEX_HOME',
  'CODEX_SQLITE_HOME',
  'CODEX_CA_CERTIFICATE',
  'CODEX_API_KEY',
  'CODEX_ACCESS_TOKEN',
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
];

export function codexDriver(options: CodexDriverOptions = {}): AgentDriver {
  const { command = 'codex', args = [], passEnv = [...commonVariables, ...codexVariables], ...rest } = options;
  const env = { ...pickEnvironment(passEnv, options.ambient ?? process.env), ...options.env };
  /** Throws `settings_widen`. */
  const over = (folder: string | null): readonly string[] => {
    if (options.trustSettings === true) {
      return [];
    }
    refuseWidening(widening({ env, folder }));
    return settingsOver({ env, folder });
  };
  return {
    name: 'codex',
    provider: options.provider ?? 'openai',
    start(start) {
      const own = over(start.folder ?? options.cwd ?? null);
      return new CodexAgent({ ...rest, command, passEnv, args: ['app-server', ...own, ...args] }, start);
    },
  };
}
