/**
 * Which agent answers: from the `agent` section of the configuration to a driver. Each driver is loaded where it is chosen, so
 * a daemon carries one of them.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AgentDescriptor, LaunchOptions, ProgramAgent } from '../agents/descriptor.ts';
import type { AgentDriver } from '../agents/port.ts';
import type { Widening } from '../agents/shared/widening.ts';
import { agentNamed, agents } from '../agents/registry.ts';
import { AppError, invariant } from '../core/errors.ts';
import type { FleetOptions } from '../runtime/fleet.ts';
import type { AgentConfig, SandboxMode } from '../protocol/config.ts';
import { nearest } from '../protocol/nearest.ts';
import { pickEnvironment } from '../supervise/index.ts';
import type { DaemonConfig } from './config/resolve.ts';
import { usualAgent } from './config/session-rules.ts';
import type { Environment } from './find-program.ts';
import { findAgent, findProgram, loginSign } from './find-program.ts';
import { inSandbox, sandboxMode, type SandboxState } from './sandbox.ts';

export interface ChosenAgent {
  readonly driver: AgentDriver;
  /** The scripted agent, which stands in for a real one. */
  readonly standIn: boolean;
  readonly sandbox: SandboxState;
  /** Settings of its program that allow more than a policy; empty: none, or they are trusted. */
  readonly widening: readonly Widening[];
}

/** Whether a login of the configured agent can be seen. It is not asked where the program is not the usual one. */
export function loginOf(
  { name, command, env: own }: AgentConfig,
  env: Environment = process.env,
): 'seen' | 'none' | 'unknown' {
  const agent = agentNamed(name);
  const login = agent?.kind === 'program' && command === undefined ? agent.program?.login : undefined;
  if (login === undefined) {
    return 'unknown';
  }
  return loginSign(login, { ...env, ...own }) === null ? (login.sure ? 'none' : 'unknown') : 'seen';
}

interface Surroundings {
  /** Data folder of the daemon. */
  readonly folder: string;
  /** How long the agent may take to become ready. */
  readonly startMs: number;
  /** Default: those of this process. */
  readonly env?: Environment;
  readonly cwd?: string;
}

/** What names of programs and modules are resolved against. */
interface ResolveFrom {
  readonly env: Environment;
  readonly cwd: string;
}

const badConfig = (message: string, hint: string): AppError => new AppError({ code: 'bad_config', message, hint });

/** Throws `bad_config`, `agent_not_found`. */
export async function chooseAgent(config: AgentConfig, surroundings: Surroundings): Promise<ChosenAgent> {
  const { folder: dataFolder, startMs, env = process.env, cwd = process.cwd() } = surroundings;
  const agent = agentNamed(config.name);
  if (agent === null) {
    throw unknownAgent(config.name);
  }
  refuseOtherKeys(agent, config);
  const launch = launchOptions(config, startMs, env);
  const mode = sandboxMode(agent, config);
  refuseWithoutSandbox(mode, config);
  const driver = await load(agent, config, { launch, dataFolder, from: { env, cwd } });
  const home = (agent.kind === 'program' ? agent.program?.home : null) ?? { files: [], folders: [] };
  const program = agent.kind === 'program' && config.trustSettings !== true ? agent.program : null;
  const widening = program?.widening?.({ env: { ...env, ...config.env }, folder: null }) ?? [];
  return {
    widening,
    ...inSandbox(driver, { mode, home, config, dataFolder, env }),
    standIn: agent.kind === 'built-in',
  };
}

/** Each of them, the first first, and which one a session gets. Throws as `chooseAgent` does, with the name of the agent. */
export async function chooseAgents(
  { agents, oneAgent, sessions }: Pick<DaemonConfig, 'agents' | 'oneAgent' | 'sessions'>,
  surroundings: Surroundings,
): Promise<{ readonly chosen: readonly [ChosenAgent, ...ChosenAgent[]]; readonly fleet: FleetOptions }> {
  const names = Object.keys(agents);
  const [first, ...others] = await Promise.all(
    Object.entries(agents).map(([name, config]) =>
      chooseAgent(config, surroundings).catch((error: unknown) => {
        throw oneAgent || !(error instanceof AppError) ? error : named(name, error);
      }),
    ),
  );
  invariant(first !== undefined, 'a configuration has an agent');
  const chosen = [first, ...others] as const;
  const drivers = Object.fromEntries(chosen.map(({ driver }, at) => [names[at] ?? '', driver]));
  return { chosen, fleet: { drivers, usual: usualAgent(sessions, agents), follows: oneAgent } };
}

const named = (name: string, { message, hint }: AppError): AppError => badConfig(`agents.${name}: ${message}`, hint);

interface Given {
  readonly launch: LaunchOptions;
  readonly dataFolder: string;
  readonly from: ResolveFrom;
}

function load(agent: AgentDescriptor, config: AgentConfig, given: Given): Promise<AgentDriver> {
  const { launch, dataFolder, from } = given;
  switch (agent.kind) {
    case 'program': {
      const command = programFile(agent, config, from);
      return agent.load({ config, dataFolder, launch: { ...launch, command, args: config.args ?? [] } });
    }
    case 'module':
      return agent.load({ config, dataFolder, launch, module: moduleFile(agent, config, from) });
    case 'built-in':
      return agent.load({ config, dataFolder, launch });
  }
}

function launchOptions(
  { env, passEnv = [], model, provider, nice }: AgentConfig,
  startMs: number,
  ambient: Environment,
) {
  return {
    startDeadlineMs: startMs,
    ambient,
    env: { ...pickEnvironment(passEnv, ambient), ...env },
    ...(model === undefined ? {} : { model }),
    ...(provider === undefined ? {} : { provider }),
    ...(nice === undefined ? {} : { nice }),
  };
}

function refuseOtherKeys({ name, keys }: AgentDescriptor, config: AgentConfig): void {
  const taken: readonly string[] = ['name', ...keys];
  const given = Object.keys(config) as (keyof AgentConfig)[];
  const refused = given.find((key) => config[key] !== undefined && !taken.includes(key));
  if (refused === undefined) {
    return;
  }
  const takers = agents.filter((one) => one.keys.some((key) => key === refused)).map((one) => one.name);
  throw badConfig(
    `agent.${refused} is not for the agent ${name}`,
    `Remove it. These agents take it: ${takers.join(', ')}.`,
  );
}

const sandboxKeys = ['network', 'readable', 'writable', 'maxProcesses', 'maxMemoryBytes'] as const;

/** What only a sandbox can do must not look as if it were done. */
function refuseWithoutSandbox(mode: SandboxMode, config: AgentConfig): void {
  const given = sandboxKeys.find((key) => config[key] !== undefined);
  if (mode === 'off' && given !== undefined) {
    throw badConfig(
      `agent.${given} has no effect without a sandbox`,
      'Remove it, or set `agent.sandbox` to `required`.',
    );
  }
}

/** Throws `bad_config`. */
function moduleFile({ page }: AgentDescriptor, { module }: AgentConfig, { cwd }: ResolveFrom): string {
  if (module === undefined) {
    throw badConfig('agent.module is missing', `Name the file whose default export is the agent (docs/${page}).`);
  }
  const file = resolve(cwd, module);
  if (!existsSync(file)) {
    throw badConfig(`agent.module: there is no file ${file}`, 'Name the file relative to the folder of the daemon.');
  }
  return file;
}

/** Throws `bad_config`, `agent_not_found`. */
function programFile(
  { program, title, page }: ProgramAgent,
  { command }: AgentConfig,
  { env, cwd }: ResolveFrom,
): string {
  if (command !== undefined) {
    return commandFile(command, { env, cwd });
  }
  if (program === null) {
    throw badConfig('agent.command is missing', `Name the program; docs/${page} says what it has to speak.`);
  }
  const found = findAgent(program, env, cwd);
  if (found.kind === 'found') {
    return found.file;
  }
  throw new AppError({
    code: 'agent_not_found',
    message:
      found.kind === 'absent'
        ? `${title} is not installed: there is no program ${program.command} on the PATH`
        : `${program.variable}: there is no program ${found.value}`,
    hint: `${program.install}, or name its file with ${program.variable} or \`agent.command\`. \`signalbox doctor\` shows what is found.`,
  });
}

/** Throws `agent_not_found`. */
function commandFile(command: string, { env, cwd }: ResolveFrom): string {
  const file = findProgram(command, env, cwd);
  if (file === null) {
    throw new AppError({
      code: 'agent_not_found',
      message: `agent.command: there is no program ${command}`,
      hint: 'Name an executable file, or a program on the PATH.',
    });
  }
  return file;
}

function unknownAgent(name: string): AppError {
  const names = agents.map((one) => one.name);
  const meant = nearest(name, names) ?? agents.find(({ title }) => title.toLowerCase() === name.toLowerCase())?.name;
  return badConfig(
    `agent.name: there is no agent ${JSON.stringify(name)}`,
    meant === undefined
      ? `Known: ${names.join(', ')}. Any program can be one: \`process\` (docs/agent-protocol.md), or \`acp\`.`
      : `Did you mean \`${meant}\`?`,
  );
}
