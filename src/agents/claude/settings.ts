/**
 * The settings of Claude Code, and what the driver sets over them. Measured with 2.1.329:
 *
 *  - Rules of `allow`, `acceptEdits`, folders that are added, and hooks that allow let a tool be used without a request. A rule of
 *    `ask` for the same tool stands over all of them, wherever each is.
 *  - The settings of the folder run hooks and start servers (`.mcp.json`), also in a folder that is not trusted. They are not read;
 *    CLAUDE.md is, by way of an added folder.
 */
import { isAbsolute, join } from 'node:path';
import { type Fields, fieldsAt, isFields, textAt } from '../child/fields.ts';
import {
  type SettingsFile,
  type SettingsPlaces,
  type Widening,
  homeIn,
  readSettings,
  textsIn,
} from '../shared/widening.ts';

const editors = ['Edit', 'Write', 'NotebookEdit', 'WebFetch', 'WebSearch'] as const;
const all = ['Bash', 'Read', 'Glob', 'Grep', ...editors] as const;

/** What reads CLAUDE.md of the folder although its settings are not read. */
export const memoryVariable = { CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD: '1' } as const;

export const configFolder = (places: SettingsPlaces): string => {
  const named = places.env['CLAUDE_CONFIG_DIR'] ?? '';
  return named === '' ? join(homeIn(places), '.claude') : named;
};

/** Those that are obeyed: of the home alone. */
const homeSettings = (places: SettingsPlaces): SettingsFile | null =>
  readSettings(configFolder(places), 'settings.json');

/** Events of hooks whose answer may allow the use of a tool. */
const allowingHooks = ['PreToolUse', 'PermissionRequest'] as const;

const hooksIn = ({ settings }: SettingsFile): readonly string[] =>
  allowingHooks.filter((event) => fieldsAt(settings, 'hooks')[event] !== undefined);

/** The value of `--settings`. */
export function settingsOver(places: SettingsPlaces): Fields {
  const home = homeSettings(places);
  const permissions = home === null ? {} : fieldsAt(home.settings, 'permissions');
  const added = textsIn(permissions['additionalDirectories']).flatMap((folder) => {
    const path = isAbsolute(folder) ? `/${folder}` : folder;
    return [`Read(${path}/**)`, `Edit(${path}/**)`];
  });
  const hooked = home === null || hooksIn(home).length === 0 ? [] : all;
  const ask = new Set([...editors, ...hooked, ...textsIn(permissions['allow']), ...added]);
  return {
    permissions: { ask: [...ask], defaultMode: 'default' },
    sandbox: { autoAllowBashIfSandboxed: false },
    enableAllProjectMcpServers: false,
  };
}

export function widening(places: SettingsPlaces): readonly Widening[] {
  const home = homeSettings(places);
  const { folder } = places;
  const ofFolder = folder === null ? [] : [join(folder, '.claude'), folder];
  const unread = ofFolder.flatMap((at) =>
    ['settings.json', 'settings.local.json', '.mcp.json'].map((name) => readSettings(at, name)),
  );
  return [
    ...(home === null ? [] : settingsThatWiden(home)),
    ...unread
      .filter((one) => one !== null)
      .map(({ file }) => ({ file, setting: 'all settings of the folder', overruled: true })),
  ];
}

function settingsThatWiden(found: SettingsFile): readonly Widening[] {
  const permissions = fieldsAt(found.settings, 'permissions');
  const mode = textAt(permissions, 'defaultMode');
  const { sandbox } = found.settings;
  const named = [
    ...textsIn(permissions['allow']).map((rule) => `permissions.allow: ${rule}`),
    ...(mode === null || mode === 'default' || mode === 'plan' ? [] : [`permissions.defaultMode: ${mode}`]),
    ...textsIn(permissions['additionalDirectories']).map((folder) => `permissions.additionalDirectories: ${folder}`),
    ...(isFields(sandbox) && sandbox['enabled'] === true && sandbox['autoAllowBashIfSandboxed'] !== false
      ? ['sandbox.autoAllowBashIfSandboxed']
      : []),
    ...hooksIn(found).map((event) => `hooks.${event}`),
  ];
  return named.map((setting) => ({ file: found.file, setting, overruled: true }));
}
