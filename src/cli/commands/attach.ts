import type { Call } from '../call.ts';
import { sessionArgument } from '../flags.ts';
import type { Command } from '../command.ts';
import type { Io } from '../io.ts';
import { taskFlags } from '../task-flags.ts';

export const command: Command = {
  name: 'attach',
  group: 'Give it work',
  what: 'talk with a session: each line is a task, and its answer is shown; Ctrl-D detaches, and the tasks continue',
  next: 'In it: /approve, /deny REASON, /stop, /help',
  args: [sessionArgument],
  flags: taskFlags,
  examples: [
    { line: 'signalbox attach hello', what: '' },
    { line: 'cat prompts.txt | signalbox attach hello', what: 'one task for each line; it ends when they have ended' },
  ],
  async run(call: Call, io: Io) {
    const { attach } = await import('../attach.ts');
    return attach(call, io);
  },
};
