/** `node …/agents/scripted/main.js`: the scripted agent as a program of its own, without the rest of Signalbox. */
import { runScriptedAgent } from './program.ts';

runScriptedAgent(process.argv.slice(2));
