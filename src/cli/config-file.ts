/** What a command line says of the configuration. */
import { resolve } from 'node:path';
import type { Setting } from '../daemon/config/environment.ts';
import type { Call } from './call.ts';
import type { Io } from './io.ts';
import { findConfig } from './data-folder.ts';

export function flagsOf(call: Call): readonly Setting[] {
  const pairs: readonly (readonly [flag: string, path: readonly string[], value: unknown])[] = [
    ['agent', ['agent', 'name'], call.text('agent')],
    ['host', ['listen', 'host'], call.text('host')],
    ['port', ['listen', 'port'], call.integer('port')],
    ['store', ['store'], call.text('store')],
    ['listen-url', ['node', 'listenUrl'], call.text('listen-url')],
    ['durability', ['durability'], call.text('durability')],
    ['log-level', ['logLevel'], call.text('log-level')],
  ];
  return pairs.flatMap(([flag, path, value]) => (value === null ? [] : [{ written: `--${flag}`, path, value }]));
}

/** `--config`, or SIGNALBOX_CONFIG. */
export const namedConfig = (call: Call, io: Io): string | null =>
  call.text('config') ?? (io.env['SIGNALBOX_CONFIG'] || null);

/** The named one, or the nearest file. */
export function configFile(call: Call, io: Io): string | null {
  const named = namedConfig(call, io);
  return named === null ? findConfig(io.cwd, io.env) : resolve(io.cwd, named);
}
