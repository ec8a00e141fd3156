import type { Command } from '../command.ts';
import { version, versionLine } from '../version.ts';

export const command: Command = {
  name: 'version',
  group: 'Look after it',
  what: 'print the version',
  next: 'Next: signalbox doctor checks this machine',
  args: [],
  flags: [],
  examples: [{ line: 'signalbox version', what: '' }],
  run(_call, io) {
    if (io.json) {
      io.document({ version: version(), node: process.version, platform: process.platform, arch: process.arch });
    } else {
      io.print(versionLine());
    }
    return Promise.resolve(0);
  },
};
