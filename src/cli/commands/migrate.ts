import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import { configuredStore, storeFlags } from '../configured-store.ts';
import type { Io } from '../io.ts';

export const command: Command = {
  name: 'migrate',
  group: 'Look after it',
  what: 'bring the store to the schema of this version; `up` does so as well',
  next: 'Next: signalbox up',
  args: [],
  flags: [{ name: 'dry-run', what: 'only name the migrations that the store lacks' }, ...storeFlags],
  examples: [{ line: 'signalbox migrate --dry-run', what: 'which migrations the store has not had yet' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const { migrateStore } = await import('../../daemon/migrate.ts');
  const { folder, place } = await configuredStore(call, io);
  const dryRun = call.on('dry-run');
  const { from, to } = await migrateStore(folder, place, dryRun);
  const name = place.kind === 'postgres' ? place.name : folder;
  if (io.json) {
    io.document({ store: name, from, to, dryRun });
  } else if (from === to) {
    io.print(`${name} has all ${to} migrations.`);
  } else {
    const range = from + 1 === to ? `migration ${to}` : `migrations ${from + 1} to ${to}`;
    io.print(`${name}: ${range} ${dryRun ? 'to be applied' : 'applied'}.`);
  }
  return 0;
}
