import { allFlag, answer, requestArguments } from '../permission-response.ts';
import { byFlag } from '../flags.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  name: 'approve',
  group: 'Answer agents',
  what: 'let an agent do what it asks for',
  next: 'TARGET is a session or a task; without it, the one request that there is',
  args: requestArguments,
  flags: [allFlag, byFlag],
  examples: [
    { line: 'signalbox approve', what: 'the only request there is' },
    { line: 'signalbox approve hello ask-1', what: '' },
    { line: 'signalbox approve hello --all', what: '' },
  ],
  run: (call, io) => answer(call, io, true),
};
