/**
 * The drivers of agents that are programs, by `agent.name`. Each is loaded where it is chosen. What a driver adds to the
 * arguments and the environment of its program is its own.
 */
import type { ProfileName } from '../agents/acp/driver.ts';
import type { ProgramOptions } from '../agents/child/json-lines.ts';
import type { AgentDriver } from '../agents/port.ts';

/** What the daemon tells a driver. `command` is a file that can be run, `args` come behind the driver's own. */
export interface Program extends ProgramOptions {
  readonly args: readonly string[];
  /** Where a session asks for none. */
  readonly model?: string;
  readonly provider?: string;
  /** These two only for agents that speak ACP. */
  readonly terminal?: boolean;
  readonly authMethod?: string;
}

type Load = (program: Program) => Promise<AgentDriver>;

const acp =
  (profile: ProfileName): Load =>
  async (program) =>
    (await import('../agents/acp/driver.ts')).acpDriver({ ...program, profile });

const acpLoaders: { readonly [name: string]: Load } = {
  gemini: acp('gemini'),
  copilot: acp('copilot'),
  opencode: acp('opencode'),
  'claude-agent-acp': acp('claude-agent-acp'),
  'codex-acp': acp('codex-acp'),
  acp: acp('acp'),
};

export const agentLoaders: { readonly [name: string]: Load } = {
  claude: async (program) => (await import('../agents/claude/driver.ts')).claudeDriver(program),
  codex: async (program) => (await import('../agents/codex/driver.ts')).codexDriver(program),
  ...acpLoaders,
};

export const speaksAcp = (name: string): boolean => Object.hasOwn(acpLoaders, name);
