/**
 * Which agent answers: from the `agent` section of the configuration to a driver. Each driver is loaded where it is chosen, so
 * a daemon carries one of them.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AgentFunction } from '../agents/function/driver.ts';
import type { AgentDriver } from '../agents/port.ts';
import { AppError } from '../core/errors.ts';
import type { AgentConfig } from '../protocol/config.ts';
import { FOLDER } from '../protocol/folder.ts';
import { nearest } from '../protocol/nearest.ts';
import { pickEnvironment } from '../supervise/index.ts';
import { agentLoaders, speaksAcp } from './agent-loaders.ts';
import type { Program } from './agent-loaders.ts';
import type { Environment } from './look.ts';
import { findAgent, findProgram } from './look.ts';
import { agentPrograms, programOf } from './programs.ts';

export interface ChosenAgent {
  readonly driver: AgentDriver;
  /** The scripted agent, which is no real one. */
  readonly standIn: boolean;
}

export interface Surroundings {
  /** Data folder of the daemon. */
  readonly folder: string;
  /** How long the agent may take to become ready. */
  readonly startMs: number;
  /** Default: those of this process. */
  readonly env?: Environment;
  readonly cwd?: string;
}

interface Given {
  readonly config: AgentConfig;
  readonly folder: string;
  readonly env: Environment;
  readonly cwd: string;
  /** What every program is given. */
  readonly common: Omit<Program, 'command' | 'args'>;
}

const bad = (message: string, hint: string): AppError => new AppError({ code: 'bad_config', message, hint });

/** Keys that say nothing to some agents: what is without effect must not look as if it had one. */
type Key = Exclude<keyof AgentConfig, 'name'>;

function refuse({ name, ...config }: AgentConfig, keys: readonly Key[], why: string): void {
  const found = keys.find((key) => config[key] !== undefined);
  if (found !== undefined) {
    throw bad(`agent.${found} is not for the agent ${name}`, why);
  }
}

async function scripted({ config, folder, common }: Given): Promise<AgentDriver> {
  refuse(config, ['command'], "Leave it out, or say `name: 'process'`.");
  refuse(config, ['model', 'provider', 'module'], 'It asks no model.');
  const { scriptedDriver } = await import('../agents/scripted/driver.ts');
  const flags = config.args === undefined ? {} : { flags: config.args };
  return scriptedDriver({ ...common, ...flags, state: join(folder, FOLDER.scripted) });
}

/** Any program that speaks the agent protocol (docs/agent-protocol.md). */
async function process_({ config, env, cwd, common }: Given): Promise<AgentDriver> {
  const { command, args = [] } = config;
  refuse(
    config,
    ['model'],
    'It is told which model a session asks for; its default is its own, or one of `agent.args`.',
  );
  refuse(config, ['module'], "Leave it out, or say `name: 'function'`.");
  if (command === undefined) {
    throw bad('agent.command is missing', 'Name the program that speaks the agent protocol (docs/agent-protocol.md).');
  }
  const { processDriver } = await import('../agents/process/driver.ts');
  return processDriver({ ...common, name: command, command: commandOf(command, env, cwd), args });
}

/** A module of the user's, whose default export is the agent; it runs in the daemon itself. */
async function function_({ config, cwd }: Given): Promise<AgentDriver> {
  refuse(
    config,
    ['command', 'args', 'env', 'passEnv', 'nice'],
    'It runs in the daemon. A program of its own is `process`.',
  );
  const file = moduleOf(config, cwd);
  const { functionDriver } = await import('../agents/function/driver.ts');
  let agent: unknown;
  try {
    agent = ((await import(pathToFileURL(file).href)) as { readonly default?: unknown }).default;
  } catch (error) {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw bad(
      `agent.module: ${file} could not be loaded: ${what}`,
      'Node runs it as it is: `node FILE` shows the same.',
    );
  }
  if (typeof agent !== 'function') {
    throw bad(`agent.module: ${file} has no function as its default export`, 'Export an async generator function.');
  }
  const { provider } = config;
  return functionDriver(agent as AgentFunction, provider === undefined ? {} : { provider });
}

/** The same in a thread of its own: it cannot block the daemon, and can be ended. */
async function worker({ config, cwd, common }: Given): Promise<AgentDriver> {
  refuse(config, ['command', 'args', 'nice'], 'It runs in a thread of the daemon. A program of its own is `process`.');
  refuse(config, ['model'], 'It is told which model a session asks for.');
  const module = moduleOf(config, cwd);
  if (!existsSync(module)) {
    throw bad(`agent.module: there is no file ${module}`, 'Name the file from the folder of the daemon.');
  }
  const { workerDriver } = await import('../agents/worker/driver.ts');
  const { env, ambient, startDeadlineMs } = common;
  return workerDriver({
    module,
    ...(ambient === undefined ? {} : { ambient }),
    ...(env === undefined ? {} : { env }),
    ...(startDeadlineMs === undefined ? {} : { startDeadlineMs }),
    ...(config.provider === undefined ? {} : { provider: config.provider }),
  });
}

function moduleOf({ name, module }: AgentConfig, cwd: string): string {
  if (module === undefined) {
    throw bad('agent.module is missing', `Name the file whose default export is the ${name}.`);
  }
  return resolve(cwd, module);
}

/** Throws `agent_not_found`. */
function commandOf(command: string, env: Environment, cwd: string): string {
  const file = findProgram(command, env, cwd);
  if (file !== null) {
    return file;
  }
  throw new AppError({
    code: 'agent_not_found',
    message: `agent.command: there is no program ${command}`,
    hint: 'Name a file that can be run, or a program on the PATH.',
  });
}

/** Throws `agent_not_found`. */
function programFile({ config, env, cwd }: Given): string {
  if (config.command !== undefined) {
    return commandOf(config.command, env, cwd);
  }
  const program = programOf(config.name);
  if (program === null) {
    throw bad('agent.command is missing', 'Name the program that speaks the Agent Client Protocol.');
  }
  const found = findAgent(program, env, cwd);
  if (found.kind === 'found') {
    return found.file;
  }
  const { title, command, variable, install } = program;
  throw new AppError({
    code: 'agent_not_found',
    message:
      found.kind === 'absent'
        ? `${title} is not installed: there is no program ${command} on the PATH`
        : `${variable}: there is no program ${found.value}`,
    hint: `${install}, or name its file with ${variable} or \`agent.command\`. \`signalbox doctor\` shows what is found.`,
  });
}

const own: { readonly [name: string]: (given: Given) => Promise<AgentDriver> } = {
  scripted,
  process: process_,
  function: function_,
  worker,
};

/** Names that `agent.name` may have. */
export const knownAgents: readonly string[] = [...Object.keys(own), ...Object.keys(agentLoaders)];

/** Throws `bad_config`, `agent_not_found`. */
export async function chooseAgent(config: AgentConfig, surroundings: Surroundings): Promise<ChosenAgent> {
  const { name, passEnv = [], model, provider, nice } = config;
  const { folder, startMs, env = process.env, cwd = process.cwd() } = surroundings;
  const common = {
    startDeadlineMs: startMs,
    ambient: env,
    env: { ...pickEnvironment(passEnv, env), ...config.env },
    ...(model === undefined ? {} : { model }),
    ...(provider === undefined ? {} : { provider }),
    ...(nice === undefined ? {} : { nice }),
  };
  if (!speaksAcp(name)) {
    refuse(config, ['terminal', 'authMethod'], 'It is for agents that speak ACP.');
  }
  const given: Given = { config, folder, env, cwd, common };
  const make = Object.hasOwn(own, name) ? own[name] : undefined;
  if (make !== undefined) {
    return { driver: await make(given), standIn: name === 'scripted' };
  }
  const load = Object.hasOwn(agentLoaders, name) ? agentLoaders[name] : undefined;
  if (load === undefined) {
    throw unknownAgent(name);
  }
  refuse(config, ['module'], "Leave it out, or say `name: 'function'`.");
  const { args = [], terminal, authMethod } = config;
  const program: Program = {
    ...common,
    command: programFile(given),
    args,
    ...(terminal === undefined ? {} : { terminal }),
    ...(authMethod === undefined ? {} : { authMethod }),
  };
  return { driver: await load(program), standIn: false };
}

function unknownAgent(name: string): AppError {
  const meant = nearest(name, knownAgents) ?? agentPrograms.find(({ title }) => title.toLowerCase() === name)?.agent;
  return bad(
    `agent.name: there is no driver ${JSON.stringify(name)}`,
    meant === undefined
      ? `Known: ${knownAgents.join(', ')}. Any program can be one: \`process\` (docs/agent-protocol.md), or \`acp\`.`
      : `Did you mean \`${meant}\`?`,
  );
}
