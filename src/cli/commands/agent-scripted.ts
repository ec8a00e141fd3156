import type { Call } from '../call.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'agent scripted',
  group: 'Look after it',
  what: 'the scripted agent, on standard input and output (the daemon runs it)',
  next: 'It speaks newline-delimited JSON; docs/agent-protocol.md says which',
  args: [{ name: 'ARGS', optional: true, rest: true }],
  flags: [],
  raw: true,
  examples: [{ line: 'signalbox agent scripted --help', what: 'its own flags' }],
  run,
};

/** The program takes over standard input and output and ends the process itself; wrong flags it has answered at once. */
async function run(call: Call): Promise<number> {
  const { runScriptedAgent } = await import('../../agents/scripted/program/program.ts');
  runScriptedAgent(call.raw);
  return Number(process.exitCode ?? 0);
}
