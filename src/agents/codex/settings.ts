/**
 * The settings of Codex, and what the driver sets over them. Measured with 0.169.0:
 *
 *  - A rule that allows a command (`rules/*.rules`) lets it run without a request, and nothing can be set over it.
 *  - A folder in which a turn may write counts as trusted: `.codex` in it starts servers, sets variables and runs hooks. Where there is
 *    one, the folder is declared untrusted; then AGENTS.md is not read either.
 *  - Hooks may allow what is asked for, so there are none. Nor is there a program to notify.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type SettingsPlaces, type Widening, homeIn, projectFolders, readLines } from '../shared/widening.ts';

const codexHome = (places: SettingsPlaces): string => {
  const named = places.env['CODEX_HOME'] ?? '';
  return named === '' ? join(homeIn(places), '.codex') : named;
};

/** Behind `app-server`. */
export function settingsOver(places: SettingsPlaces): readonly string[] {
  const { folder } = places;
  const untrusted =
    folder === null || foldersOfSettings(places).length === 0
      ? []
      : ['-c', `projects={${JSON.stringify(folder)}={trust_level="untrusted"}}`];
  return ['-c', 'features.hooks=false', '-c', 'notify=[]', ...untrusted];
}

export function widening(places: SettingsPlaces): readonly Widening[] {
  const home = codexHome(places);
  const config = readLines(home, 'config.toml');
  const approved = config === null ? null : /^.*approval_mode\s*=\s*"(?:approve|auto)".*$/m.exec(config.text);
  return [
    ...rulesThatAllow(join(home, 'rules')),
    ...(config === null || approved === null
      ? []
      : [{ file: config.file, setting: approved[0].trim(), overruled: false }]),
    ...foldersOfSettings(places).map((file) => ({ file, setting: 'all settings of the folder', overruled: true })),
  ];
}

/** For an adapter that starts Codex by itself, so that nothing can be set over its settings. */
export const wideningOfAdapter = (places: SettingsPlaces): readonly Widening[] =>
  widening(places).map((one) => ({ ...one, overruled: false }));

/** `decision` is `allow` where a rule does not say it. */
function rulesThatAllow(folder: string): readonly Widening[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.rules')) : [];
  return names.flatMap((name) => {
    const found = readLines(folder, name);
    const code = (found?.text ?? '').replace(/#.*$/gm, '');
    const rules = code.match(/\b(?:prefix_rule|host_executable|network_rule)\s*\(/g)?.length ?? 0;
    const kept = code.match(/\bdecision\s*=\s*["'](?:prompt|forbidden)["']/g)?.length ?? 0;
    return found === null || rules <= kept ? [] : [{ file: found.file, setting: 'rules that allow', overruled: false }];
  });
}

/** `.codex` in the folder, and above it as far as the project goes. */
const foldersOfSettings = (places: SettingsPlaces): readonly string[] =>
  projectFolders(places)
    .map((at) => join(at, '.codex'))
    .filter((settings) => settings !== codexHome(places) && existsSync(settings));
