import type { Call } from '../call.ts';
import type { Command } from '../command.ts';
import type { Io } from '../io.ts';

export const command: Command = {
  name: 'migrate',
  group: 'Look after it',
  what: 'bring the store to the schema of this version; `up` does so as well',
  next: 'Next: signalbox up',
  args: [],
  flags: [
    { name: 'dry-run', what: 'only name the migrations that the store lacks' },
    { name: 'store', value: 'STORE', what: 'sqlite, postgres or postgres://…; default: as configured' },
    {
      name: 'config',
      short: 'c',
      value: 'FILE',
      what: 'configuration; default: the nearest signalbox.config.ts, here or above',
    },
  ],
  examples: [{ line: 'signalbox migrate --dry-run', what: 'which migrations the store has not had yet' }],
  run,
};

async function run(call: Call, io: Io): Promise<number> {
  const { findDataFolder } = await import('../data-folder.ts');
  const { configFile, namedConfig } = await import('../config-file.ts');
  const { resolveConfig } = await import('../../daemon/config/resolve.ts');
  const { migrateStore } = await import('../../daemon/migrate.ts');
  const { folder } = findDataFolder({
    data: call.text('data'),
    config: namedConfig(call, io),
    env: io.env,
    cwd: io.cwd,
  });
  const given = call.text('store');
  const flags = given === null ? [] : [{ written: '--store', path: ['store'], value: given }];
  const { store } = await resolveConfig({ file: configFile(call, io), environment: io.env, flags });
  const dryRun = call.on('dry-run');
  const { from, to } = await migrateStore(folder, store, dryRun);
  const name = store.kind === 'postgres' ? store.name : folder;
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
