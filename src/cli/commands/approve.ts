import { allFlag, requestArguments, respond } from '../permission-response.ts';
import { byFlag } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'approve',
  group: 'Answer agents',
  what: 'allow what an agent requests permission for',
  next: 'TARGET is a session or a task. Leave it out when only one request is pending',
  args: requestArguments,
  flags: [allFlag, byFlag],
  examples: [
    { line: 'signalbox approve', what: 'when only one request is pending' },
    { line: 'signalbox approve hello ask-1', what: '' },
    { line: 'signalbox approve hello --all', what: '' },
  ],
  run: (call, io) => respond(call, io, true),
};
