/** Which agent answers: from the `agent` section of the configuration to a driver. */
import { join } from 'node:path';
import { processDriver, scriptedDriver } from '../agents/index.ts';
import type { AgentDriver } from '../agents/port.ts';
import { AppError } from '../core/errors.ts';
import type { AgentConfig } from '../protocol/config.ts';
import { FOLDER } from '../protocol/folder.ts';
import { nearest } from '../protocol/nearest.ts';

export interface ChosenAgent {
  readonly driver: AgentDriver;
  /** The scripted agent, which is no real one. */
  readonly standIn: boolean;
}

/** `process`: any program that speaks the agent protocol (docs/agent-protocol.md). */
const known = ['scripted', 'process'] as const;

const bad = (message: string, hint: string): AppError => new AppError({ code: 'bad_config', message, hint });

/** Throws `bad_config`. `startMs`: how long the agent may take to become ready. */
export function chooseAgent(config: AgentConfig, folder: string, startMs: number): ChosenAgent {
  const { name, command, args, cwd, env } = config;
  const common = {
    startDeadlineMs: startMs,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  };
  if (name === 'scripted') {
    if (command !== undefined)
      throw bad('agent.command is not for the scripted agent', "Leave it out, or say `name: 'process'`.");
    const flags = args === undefined ? {} : { flags: args };
    return { driver: scriptedDriver({ ...common, ...flags, state: join(folder, FOLDER.scripted) }), standIn: true };
  }
  if (name === 'process') {
    if (command === undefined)
      throw bad(
        'agent.command is missing',
        'Name the program that speaks the agent protocol (docs/agent-protocol.md).',
      );
    return { driver: processDriver({ ...common, name: command, command, args: args ?? [] }), standIn: false };
  }
  const meant = nearest(name, known);
  throw bad(
    `agent.name: there is no driver ${JSON.stringify(name)}`,
    meant === null
      ? `Known: ${known.join(', ')}. Drivers for Claude Code, Codex and ACP agents come with a later version.`
      : `Did you mean \`${meant}\`?`,
  );
}
