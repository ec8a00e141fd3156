import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import type { Io } from '../io.ts';

export const command: Command = {
  name: 'init',
  group: 'Run it',
  what: 'write signalbox.config.ts here, for the agents that this machine has',
  next: 'Next: read the file, then signalbox up',
  args: [],
  flags: [
    { name: 'agent', short: 'a', value: 'NAME', what: 'the agent that answers; default: the first that is logged in' },
    { name: 'force', what: 'replace a file that is there' },
  ],
  examples: [{ line: 'signalbox init', what: '' }],
  async run(call: Call, io: Io) {
    const { init } = await import('../init.ts');
    return init(call, io);
  },
};
