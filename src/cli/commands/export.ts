import type { Command } from '../command.ts';

export const command: Command = {
  name: 'export',
  group: 'Look after it',
  what: 'write everything that is stored into a file, also while the daemon works',
  next: 'Next: signalbox import FILE, into another data folder or database',
  args: [{ name: 'FILE' }],
  flags: [
    {
      name: 'config',
      short: 'c',
      value: 'FILE',
      what: 'configuration that names the store; default: the nearest signalbox.config.ts',
    },
    { name: 'store', value: 'STORE', what: 'sqlite, postgres://… or postgres: instead of the configured store' },
    { name: 'force', what: 'replace the file if there is one' },
  ],
  examples: [
    { line: 'signalbox export tasks.jsonl', what: 'one JSON value a line' },
    { line: 'signalbox export - | gzip > tasks.jsonl.gz', what: 'to standard output' },
  ],
  async run(call, io) {
    const { exportTo } = await import('../transfer.ts');
    return exportTo(call, io);
  },
};
