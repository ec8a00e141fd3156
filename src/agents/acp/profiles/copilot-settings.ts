/**
 * The settings of Copilot CLI. Measured with 1.0.102: hooks of the folder and of the home run in any folder, and one that allows stands
 * over every request; no flag, and not `disableAllHooks`, turns them off. Servers of a folder start only where it is trusted.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fieldsAt } from '../../child/fields.ts';
import { pathWithin } from '../../shared/paths.ts';
import {
  type SettingsFile,
  type SettingsPlaces,
  type Widening,
  homeIn,
  projectFolders,
  readSettings,
  textsIn,
} from '../../shared/widening.ts';

export function copilotWidening(places: SettingsPlaces): readonly Widening[] {
  const named = places.env['COPILOT_HOME'] ?? '';
  const home = named === '' ? join(homeIn(places), '.copilot') : named;
  const own = ['settings.json', 'config.json'].map((name) => readSettings(home, name)).filter((one) => one !== null);
  const hooks = own.filter(({ settings }) => Object.keys(fieldsAt(settings, 'hooks')).length > 0);
  const files = [
    ...jsonIn(join(home, 'hooks')),
    ...projectFolders(places).flatMap((at) => jsonIn(join(at, '.github', 'hooks'))),
  ];
  return [
    ...[...hooks.map(({ file }) => file), ...files].map((file) => ({ file, setting: 'hooks', overruled: false })),
    ...serversOf(places, own),
  ];
}

/** Of a folder that is trusted, itself or by one above it. */
function serversOf({ folder }: SettingsPlaces, own: readonly SettingsFile[]): readonly Widening[] {
  const trusted = own.flatMap(({ settings }) =>
    ['trustedFolders', 'trusted_folders'].flatMap((name) => textsIn(settings[name])),
  );
  if (folder === null || !trusted.some((one) => pathWithin(one, folder) !== null)) {
    return [];
  }
  return ['.mcp.json', '.vscode/mcp.json', '.github/mcp.json', '.github/copilot/settings.json']
    .map((name) => join(folder, name))
    .filter((file) => existsSync(file))
    .map((file) => ({ file, setting: 'settings of a trusted folder', overruled: false }));
}

const jsonIn = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .map((name) => join(folder, name))
    : [];
