import { allFlag, requestArguments, respond } from '../permission-response.ts';
import { byFlag } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'deny',
  group: 'Answer agents',
  what: 'deny what an agent requests permission for; its turn continues',
  next: 'TARGET is a session or a task. Leave it out when only one request is pending',
  args: requestArguments,
  flags: [allFlag, { name: 'reason', value: 'TEXT', what: 'the agent gets it with the denial' }, byFlag],
  examples: [{ line: 'signalbox deny hello ask-1 --reason "use the staging host"', what: '' }],
  run: (call, io) => respond(call, io, false),
};
