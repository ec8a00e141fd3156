/**
 * Driver for agents that speak the Agent Client Protocol (https://agentclientprotocol.com), version 1, over stdio. Which
 * programs are known to differ from its letter, and how, is in docs/agents/acp.md.
 */
import { AppError } from '../../core/errors.ts';
import { commonVariables, pickEnvironment } from '../../supervise/index.ts';
import type { AgentDriver } from '../port.ts';
import { refuseWidening } from '../shared/widening.ts';
import { AcpAgent } from './agent.ts';
import type { AcpDriverOptions, AcpOptions } from './options.ts';
import { profiles } from './profiles/index.ts';

/** Throws `bad_config` where neither the options nor the profile name a command. */
export function acpDriver(options: AcpDriverOptions = {}): AgentDriver {
  const name = options.profile ?? 'acp';
  const profile = profiles[name];
  const command = options.command ?? profile.command;
  if (command === null) {
    throw new AppError({
      code: 'bad_config',
      message: 'agent.command is missing',
      hint: 'Name the program that speaks the Agent Client Protocol.',
    });
  }
  const program: AcpOptions = {
    ...options,
    command,
    args: [
      ...profile.args,
      ...(options.trustSettings === true ? [] : profile.argsOver(options.args ?? [])),
      ...(options.args ?? []),
    ],
    passEnv: options.passEnv ?? [...commonVariables, ...profile.passEnv],
    env: { ...profile.env, ...options.env },
  };
  return {
    name: options.name ?? name,
    provider: options.provider ?? profile.provider,
    start(start) {
      if (options.trustSettings !== true) {
        const env = { ...pickEnvironment(program.passEnv ?? [], options.ambient ?? process.env), ...program.env };
        refuseWidening(profile.widening({ env, folder: start.folder ?? options.cwd ?? null }));
      }
      return new AcpAgent(profile, program, start);
    },
  };
}
