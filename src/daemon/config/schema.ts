/**
 * The configuration file: its general sections, and one for each webhook source and each door. Values come, in rising order, from defaults,
 * `signalbox.config.ts`, the environment and flags. The data folder is not a key: every command must find it without running
 * the file.
 */
import { doorSchemas, type DoorConfigs } from '../../gateways/doors.ts';
import { sourceSchemas, type SourceConfigs } from '../../gateways/registry.ts';
import { configSections, type ConfigSections } from '../../protocol/config.ts';
import type { ObjectSchema } from '../../protocol/schema.ts';
import type { Finding } from '../../protocol/findings.ts';
import { validate } from '../../protocol/validate.ts';

export const ConfigFileSchema: ObjectSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...configSections, ...sourceSchemas, ...doorSchemas },
};

/** What the schema accepts. */
export interface ConfigFile extends ConfigSections, SourceConfigs, DoorConfigs {}

type ConfigChecked =
  | { readonly ok: true; readonly config: ConfigFile }
  | { readonly ok: false; readonly findings: readonly Finding[] };

export function checkConfig(value: unknown): ConfigChecked {
  const checked = validate(ConfigFileSchema, value);
  return checked.ok ? { ok: true, config: checked.value as ConfigFile } : checked;
}

/** Returns what it is given. It gives types to `export default defineConfig({ … })`. */
export const defineConfig = (config: ConfigFile): ConfigFile => config;
