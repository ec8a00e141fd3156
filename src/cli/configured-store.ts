/** The store that a command works on without a daemon: that of the configuration, or of `--store`. */
import type { DaemonConfig } from '../daemon/config/resolve.ts';
import type { Call } from './call.ts';
import type { Flag } from './command.ts';
import { configFile, namedConfig } from './config-file.ts';
import { findDataFolder } from './data-folder.ts';
import type { Io } from './io.ts';

export const storeFlags: readonly Flag[] = [
  { name: 'store', value: 'STORE', what: 'sqlite, postgres or postgres://…; default: as configured' },
  {
    name: 'config',
    short: 'c',
    value: 'FILE',
    what: 'configuration; default: the nearest signalbox.config.ts, here or above',
  },
];

export interface ConfiguredStore {
  readonly folder: string;
  readonly place: DaemonConfig['store'];
}

/** Throws `bad_config`. */
export async function configuredStore(call: Call, io: Io): Promise<ConfiguredStore> {
  const { resolveConfig } = await import('../daemon/config/resolve.ts');
  const { env, cwd } = io;
  const { folder } = findDataFolder({ data: call.text('data'), config: namedConfig(call, io), env, cwd });
  const given = call.text('store');
  const flags = given === null ? [] : [{ written: '--store', path: ['store'], value: given }];
  const { store } = await resolveConfig({ file: configFile(call, io), environment: env, flags });
  return { folder, place: store };
}
