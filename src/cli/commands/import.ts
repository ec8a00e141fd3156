import type { Command } from '../command.ts';
import { storeFlags } from '../configured-store.ts';

export const command: Command = {
  name: 'import',
  group: 'Look after it',
  what: 'fill a new data folder or database from an export; one that was cut off continues when it is repeated',
  next: 'Next: signalbox up; open tasks run again as soon as the daemon starts, so stop the one that they came from first',
  args: [{ name: 'FILE' }],
  flags: [...storeFlags],
  examples: [
    {
      line: 'signalbox import tasks.jsonl --store postgres://signalbox@db.example/signalbox',
      what: 'from SQLite to Postgres',
    },
    { line: 'gunzip --stdout tasks.jsonl.gz | signalbox import - --data ./copy', what: 'from standard input' },
  ],
  async run(call, io) {
    const { importFrom } = await import('../transfer.ts');
    return importFrom(call, io);
  },
};
