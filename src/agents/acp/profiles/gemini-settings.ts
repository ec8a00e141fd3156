/**
 * The settings of Gemini CLI, and what the driver sets over them. Measured with 0.61.0: `tools.allowed`, the approval mode and
 * the user's policies let a tool be used without a request, and flags stand over each. Folders that are added can be read without
 * one, and no flag takes them away; nor the trust in a server.
 */
import { join } from 'node:path';
import { fieldsAt, isFields, textAt } from '../../child/fields.ts';
import {
  type SettingsFile,
  type SettingsPlaces,
  type Widening,
  homeIn,
  readSettings,
  textsIn,
  unlessGiven,
} from '../../shared/widening.ts';

/** No tool has that name, and no file that path: an empty list would not be taken. */
const over = [
  ['--approval-mode', 'default'],
  ['--allowed-tools', 'none'],
  ['--policy', '/nonexistent/signalbox'],
] as const;

export const geminiArgs = (given: readonly string[]): readonly string[] => unlessGiven(over, given);

export function geminiWidening(places: SettingsPlaces): readonly Widening[] {
  const { env, folder } = places;
  const named = env['GEMINI_CLI_HOME'] ?? '';
  const home = readSettings(named === '' ? homeIn(places) : named, '.gemini', 'settings.json');
  // The settings of a folder are obeyed only where it is trusted.
  const isTrusted = folder !== null && env['GEMINI_CLI_TRUST_WORKSPACE'] === 'true';
  const own = isTrusted ? readSettings(join(folder, '.gemini'), 'settings.json') : null;
  return [
    ...(home === null ? [] : settingsThatWiden(home)),
    ...(own === null ? [] : [...settingsThatWiden(own), ...settingsThatRun(own)]),
  ];
}

function settingsThatWiden({ file, settings }: SettingsFile): readonly Widening[] {
  const mode = textAt(fieldsAt(settings, 'general'), 'defaultApprovalMode');
  const servers = Object.entries(fieldsAt(settings, 'mcpServers'));
  const overruled = [
    ...textsIn(fieldsAt(settings, 'tools')['allowed']).map((tool) => `tools.allowed: ${tool}`),
    ...(mode === null || mode === 'default' || mode === 'plan' ? [] : [`general.defaultApprovalMode: ${mode}`]),
  ];
  const refused = [
    ...textsIn(fieldsAt(settings, 'context')['includeDirectories']).map(
      (folder) => `context.includeDirectories: ${folder}`,
    ),
    ...servers
      .filter(([, server]) => isFields(server) && server['trust'] === true)
      .map(([name]) => `mcpServers.${name}.trust`),
  ];
  return [
    ...overruled.map((setting) => ({ file, setting, overruled: true })),
    ...refused.map((setting) => ({ file, setting, overruled: false })),
  ];
}

/** Those of a folder come from a repository, and start programs. */
const settingsThatRun = ({ file, settings }: SettingsFile): readonly Widening[] => [
  ...['hooks', 'mcpServers']
    .filter((name) => Object.keys(fieldsAt(settings, name)).length > 0)
    .map((setting) => ({ file, setting, overruled: false })),
  ...['discoveryCommand', 'callCommand']
    .filter((name) => textAt(fieldsAt(settings, 'tools'), name) !== null)
    .map((name) => ({ file, setting: `tools.${name}`, overruled: false })),
];
