/** `signalbox config`: the configuration as a daemon would take it, and where each value comes from. */
import type { Command } from '../command.ts';
import { configFile } from '../config-file.ts';
import { type Column, table } from '../output/table.ts';

const columns: readonly Column[] = [
  { title: 'KEY', min: 20 },
  { title: 'VALUE', min: 20 },
  { title: 'FROM', min: 7 },
];

export const command: Command = {
  name: 'config',
  group: 'Look after it',
  what: 'show the configuration that a start would take, and where each value comes from; secrets are hidden',
  next: 'Next: docs/configuration.md explains each key',
  args: [],
  flags: [
    {
      name: 'config',
      short: 'c',
      value: 'FILE',
      what: 'configuration to show; default: the nearest signalbox.config.ts',
    },
  ],
  examples: [{ line: 'signalbox config', what: '' }],
  async run(call, io) {
    const { describeConfig } = await import('../../daemon/config/described.ts');
    const file = configFile(call, io);
    const items = await describeConfig({ file, environment: io.env, flags: [] });
    if (io.json) {
      io.document({ file, items });
    } else {
      const rows = items.map(({ key, value, from }) => ({
        cells: [key, JSON.stringify(value), from === file ? 'file' : from],
        paints: [io.paint.strong],
      }));
      io.print(`${file === null ? 'No file: every default.' : `file: ${file}`}\n${table(columns, rows, io)}`);
    }
    return 0;
  },
};
