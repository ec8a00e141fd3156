import type { Command } from '../command.ts';
import { storeFlags } from '../configured-store.ts';

export const command: Command = {
  name: 'export',
  group: 'Look after it',
  what: 'write everything that is stored into a file, also while the daemon works',
  next: 'Next: signalbox import FILE, into another data folder or database',
  args: [{ name: 'FILE' }],
  flags: [...storeFlags, { name: 'force', what: 'replace the file if there is one' }],
  examples: [
    { line: 'signalbox export tasks.jsonl', what: 'one JSON value a line' },
    { line: 'signalbox export - | gzip > tasks.jsonl.gz', what: 'to standard output' },
  ],
  async run(call, io) {
    const { exportTo } = await import('../transfer.ts');
    return exportTo(call, io);
  },
};
