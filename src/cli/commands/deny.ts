import { allFlag, answer, requestArguments } from '../permission-response.ts';
import { byFlag } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'deny',
  group: 'Answer agents',
  what: 'do not let an agent do what it asks for; it goes on without',
  next: 'TARGET is a session or a task; without it, the one request that there is',
  args: requestArguments,
  flags: [allFlag, { name: 'reason', value: 'TEXT', what: 'told to the agent' }, byFlag],
  examples: [{ line: 'signalbox deny hello ask-1 --reason "use the staging host"', what: '' }],
  run: (call, io) => answer(call, io, false),
};
