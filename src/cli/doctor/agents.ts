/** The agent programs that Signalbox drives: whether they are on this machine, run, and have a login. */
import type { InstalledAgent } from '../../agents/registry.ts';
import type { AgentConfig } from '../../protocol/config.ts';
import type * as Programs from '../../daemon/find-program.ts';
import type { Check } from './check.ts';
import { note, ok } from './check.ts';

/** What the names of the checks of agents begin with. */
export const agentPrefix = 'agent ';
export const standIn = `${agentPrefix}scripted`;

/**
 * How long a program may take to say its version. The slowest of the known ones takes 1.4 s from a cold disk, and 10 s beside other work
 * on two cores; all are asked at once.
 */
const versionDeadlineMs = 20_000;

interface AgentCheckOptions {
  readonly env: Programs.Environment;
  readonly cwd: string;
  /** Default 5,000. */
  readonly deadlineMs?: number;
  /** As configured; null: the configuration is wrong. */
  readonly configured?: AgentConfig | null;
}

/** Null: the program starts in a sandbox, or there is none, or it is not to have one. */
async function lackInSandbox(
  agent: InstalledAgent,
  file: string,
  { env, deadlineMs = versionDeadlineMs, configured = null }: AgentCheckOptions,
): Promise<string | null> {
  const { askInSandbox, findSandbox, sandboxMode } = await import('../../daemon/sandbox.ts');
  const config = configured?.name === agent.name ? configured : { name: agent.name };
  const found = sandboxMode(agent, config) === 'off' ? null : findSandbox(env);
  if (found?.kind !== 'found') {
    return null;
  }
  const readable = [...(config.readable ?? []), ...(config.writable ?? [])];
  const asked = await askInSandbox(file, { bubblewrap: found.file, readable, env, deadlineMs });
  switch (asked.kind) {
    case 'version':
      return null;
    case 'hangs':
      return 'hangs';
    case 'silent':
      return asked.said === '' ? asked.how : asked.said.replace(/\s+/g, ' ');
  }
}

async function checkAgent(
  agent: InstalledAgent,
  programs: typeof Programs,
  options: AgentCheckOptions,
): Promise<Check> {
  const { title, program } = agent;
  const { command, variable, install, login } = program;
  const { env, cwd, deadlineMs = versionDeadlineMs } = options;
  const name = `agent ${agent.name}`;
  const found = programs.findAgent(program, env, cwd);
  if (found.kind === 'absent') {
    return note(name, `${title} is not on the PATH`, install);
  }
  if (found.kind === 'wrong-variable') {
    return note(name, `${variable}: ${found.value} is not a program`, `Name its file, or unset ${variable}.`);
  }
  const { file } = found;
  const asked = await programs.askVersion(file, env, deadlineMs);
  switch (asked.kind) {
    case 'hangs':
      return note(
        name,
        `${file} hangs: \`--version\` was not over after ${asked.deadlineMs / 1000} s, and was ended`,
        `Try \`${command} --version\`; perhaps install it again: ${install}`,
      );
    case 'silent': {
      const said = asked.said === '' ? '' : `: ${asked.said.replace(/\s+/g, ' ')}`;
      return note(
        name,
        `${file} does not say its version (${asked.how})${said}`,
        `Try \`${command} --version\`; perhaps install it again: ${install}`,
      );
    }
    case 'version': {
      const wide = program.widening?.({ env, folder: null }) ?? [];
      if (wide.length > 0) {
        const { describeWidening } = await import('../../agents/shared/widening.ts');
        const refused = wide.some(({ overruled }) => !overruled);
        return note(
          name,
          `${title} ${asked.version} (${file}); its own settings allow more than a policy: ${wide.map(describeWidening).join('; ')}`,
          refused
            ? 'It does not start with these: remove those that the page of the agent calls refused, or set `agent.trustSettings`.'
            : 'Signalbox sets the policy over them, unless `agent.trustSettings` is set.',
        );
      }
      const what = `${title} ${asked.version} (${file})`;
      const lack = await lackInSandbox(agent, file, options);
      if (lack !== null) {
        const fix =
          'Name the folders that it consists of in `agent.readable`, or set `agent.sandbox` to `off` (docs/sandbox.md).';
        return note(name, `${what}, but it does not start in the sandbox: ${lack}`, fix);
      }
      const sign = programs.loginSign(login, env);
      if (sign !== null) {
        return ok(name, `${what}, login: ${sign}`);
      }
      return login.sure
        ? note(name, `${what}, but it is not logged in`, login.fix)
        : ok(name, `${what}; whether it has a login cannot be seen`, login.fix);
    }
  }
}

/** What `doctor` says of one agent; null: it is not a program of another maker. */
export async function checkOneAgent(name: string, options: AgentCheckOptions): Promise<Check | null> {
  const { installedAgents } = await import('../../agents/registry.ts');
  const agent = installedAgents.find((one) => one.name === name);
  return agent === undefined ? null : checkAgent(agent, await import('../../daemon/find-program.ts'), options);
}

export async function checkAgents(options: AgentCheckOptions): Promise<readonly Check[]> {
  const { installedAgents } = await import('../../agents/registry.ts');
  const programs = await import('../../daemon/find-program.ts');
  return Promise.all(installedAgents.map((agent) => checkAgent(agent, programs, options)));
}
