/** The scripted agent as a command of `signalbox`, without the rest of the daemon. */
export { runScriptedAgent } from '../agents/scripted/program.ts';
