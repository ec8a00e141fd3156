import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import type { Io } from '../io.ts';

export const command: Command = {
  name: 'logs',
  group: 'Look after it',
  what: 'show the log of the daemon on this machine',
  next: 'Next: signalbox doctor, or signalbox hangs',
  args: [],
  flags: [
    { name: 'lines', short: 'n', value: 'N', kind: 'integer', what: 'the newest N lines; default 50' },
    { name: 'follow', short: 'f', what: 'also show the lines that come, until Ctrl-C' },
  ],
  examples: [
    { line: 'signalbox logs', what: 'also when no daemon runs: it is a file in the data folder' },
    { line: 'signalbox logs --follow --json', what: 'as the daemon writes them' },
  ],
  async run(call: Call, io: Io) {
    const { logs } = await import('../logs.ts');
    return logs(call, io);
  },
};
