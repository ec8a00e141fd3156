import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import type { Io } from '../io.ts';

export const command: Command = {
  name: 'status',
  group: 'Watch',
  what: 'show on one screen what runs, waits, asks and is throttled',
  next: 'Next: signalbox session SESSION, or signalbox explain TASK',
  args: [],
  flags: [{ name: 'watch', short: 'w', what: 'show it again every second, until Ctrl-C' }],
  examples: [
    { line: 'signalbox status', what: '' },
    { line: 'signalbox status --watch', what: '' },
  ],
  async run(call: Call, io: Io) {
    const { status } = await import('../status.ts');
    return status(call, io);
  },
};
