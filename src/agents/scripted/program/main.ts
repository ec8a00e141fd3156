/** `node …/agents/scripted/program/main.js`: the scripted agent as a program, without the rest of Signalbox. */
import { runScriptedAgent } from './program.ts';

runScriptedAgent(process.argv.slice(2));
