import type { Call } from '../call.ts';

/** The program takes over standard input and output and ends the process itself; wrong flags it has answered at once. */
export async function run(call: Call): Promise<number> {
  const { runScriptedAgent } = await import('../../agents/scripted/program/program.ts');
  runScriptedAgent(call.raw);
  return Number(process.exitCode ?? 0);
}
