export type { ConversationFile, ConversationPlace } from './conversation-file.ts';
export type { AgentDriver, AgentEvent, AgentHandle, AgentStart } from './port.ts';
export { functionDriver } from './function/driver.ts';
export type {
  AgentFunction,
  FunctionContext,
  FunctionDriverOptions,
  FunctionFailure,
  FunctionResult,
} from './function/options.ts';
export { processDriver } from './process/driver.ts';
export type { ProcessDriverOptions } from './process/options.ts';
export type { FromAgent, ToAgent } from './process/wire.ts';
export { runScriptedAgent } from './scripted/program/program.ts';
export { scriptedDriver, scriptedProgram } from './scripted/driver.ts';
export type { ScriptedDriverOptions } from './scripted/driver.ts';
export type { AgentLogEvent, AgentLogLine } from './scripted/program/log.ts';
