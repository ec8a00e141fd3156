/**
 * The configuration file. Sources in rising order: defaults, `signalbox.config.ts`, environment, flags. Times are in
 * milliseconds, sizes in bytes. The data folder is no key of it: every command must find that one without running the file.
 */
import { withDefaults } from './defaults.ts';
import type { GithubConfigInput, HookConfigInput } from './hooks-config.ts';
import { GithubConfigSchema, HookConfigSchema } from './hooks-config.ts';
import { SessionKeySchema } from './ids.ts';
import { RUNTIME_LIMITS, SERVER_LIMITS, WATCH_LIMITS } from './limits.ts';
import { PermissionPolicySchema } from './permissions.ts';
import type { Resolved, Schema, Wire } from './schema.ts';
import type { Finding } from './validate.ts';
import { validate } from './validate.ts';

export const ListenSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      maxLength: 253,
      default: '127.0.0.1',
      description: 'Any address but a loopback one needs a token.',
    },
    port: { type: 'integer', minimum: 0, maximum: 65_535, default: 7070, description: '0: any free port.' },
    hosts: {
      type: 'array',
      maxItems: 50,
      items: { type: 'string', minLength: 1, maxLength: 253 },
      description: 'Further names that the Host header may carry, for a reverse proxy.',
    },
  },
} as const satisfies Schema;

export const AgentConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 50, description: 'Which agent, as in the table above.' },
    command: {
      type: 'string',
      minLength: 1,
      maxLength: 4096,
      description: 'Program to run; default: its name on the PATH, or what its AGENT_BIN_* variable says.',
    },
    args: {
      type: 'array',
      maxItems: 200,
      items: { type: 'string', maxLength: 100_000 },
      description: 'Further arguments, behind those that its driver needs.',
    },
    module: {
      type: 'string',
      minLength: 1,
      maxLength: 4096,
      description: 'For `function` and `worker`: file whose default export is the agent.',
    },
    model: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'Model of sessions that ask for none; default: the one that the agent is set to.',
    },
    terminal: {
      type: 'boolean',
      description: 'For agents that speak ACP: run commands for one that asks its client to. Default: no.',
    },
    authMethod: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description:
        'For agents that speak ACP: id of the login to use where the agent asks for one. Default: none, the turn fails.',
    },
    provider: {
      type: 'string',
      pattern: '^[a-z0-9][a-z0-9_.-]{0,63}$',
      description:
        'Whom its model requests go to: agents of one provider are paused together. Default: its driver knows.',
    },
    env: {
      type: 'object',
      maxProperties: 200,
      additionalProperties: { type: 'string', maxLength: 100_000 },
      description: 'Added to its environment.',
    },
    nice: {
      type: 'integer',
      minimum: 0,
      maximum: 19,
      description:
        'Steps of niceness (nice(1)) of its processes below the daemon, which so answers whatever they do. Default: 5.',
    },
    passEnv: {
      type: 'array',
      maxItems: 200,
      items: { type: 'string', maxLength: 200, pattern: '^(?!SIGNALBOX_)[A-Za-z_][A-Za-z0-9_]*$' },
      description: 'Names of variables of the daemon that it sees as well, beside those that its driver passes on.',
    },
  },
} as const satisfies Schema;

export const LimitsConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...RUNTIME_LIMITS, ...SERVER_LIMITS, ...WATCH_LIMITS },
} as const satisfies Schema;

export const PermissionsConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    interactive: {
      ...PermissionPolicySchema,
      description: 'Of tasks that somebody waits for. Default: they may read and search.',
    },
    background: {
      ...PermissionPolicySchema,
      description: 'Of tasks that nobody waits for. Default: they may edit too, and ask for all else.',
    },
  },
} as const satisfies Schema;

export const WorkspacesConfigSchema = {
  type: 'array',
  maxItems: 1000,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['session', 'folder'],
    properties: {
      session: { type: 'string', minLength: 1, maxLength: 200, description: 'Key of a session; `*`: any characters.' },
      folder: { type: 'string', minLength: 1, maxLength: 4096 },
    },
  },
  description:
    'Working folders of agents, `{ session, folder }`; the first that fits counts, else each session has one of its own in the data folder.',
} as const satisfies Schema;

export const ConfigFileSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    listen: ListenSchema,
    durability: {
      type: 'string',
      enum: ['power', 'process'],
      default: 'power',
      description: 'What a commit survives: loss of power, or the death of the process only.',
    },
    logLevel: { type: 'string', enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], default: 'info' },
    agent: AgentConfigSchema,
    permissions: PermissionsConfigSchema,
    workspaces: WorkspacesConfigSchema,
    limits: LimitsConfigSchema,
    github: GithubConfigSchema,
    hooks: {
      type: 'object',
      maxProperties: 200,
      propertyNames: { type: 'string', pattern: '^(?!github$)[a-z0-9][a-z0-9-]{0,63}$' },
      additionalProperties: HookConfigSchema,
      description: 'By name; `github` has a section of its own.',
    },
    aliases: {
      type: 'object',
      maxProperties: 10_000,
      propertyNames: SessionKeySchema,
      additionalProperties: SessionKeySchema,
      description: 'Keys that mean the same session as another key.',
    },
  },
} as const satisfies Schema;

/**
 * What the schema accepts, member by member: inferring it from the whole schema is more than the compiler can do.
 * `MEMBERS` does not compile when the two have different keys.
 */
export interface ConfigFile {
  readonly listen?: Wire<typeof ListenSchema>;
  readonly durability?: 'power' | 'process';
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly agent?: Wire<typeof AgentConfigSchema>;
  readonly permissions?: Wire<typeof PermissionsConfigSchema>;
  readonly workspaces?: Wire<typeof WorkspacesConfigSchema>;
  readonly limits?: Wire<typeof LimitsConfigSchema>;
  readonly github?: GithubConfigInput;
  readonly hooks?: { readonly [name: string]: HookConfigInput };
  readonly aliases?: { readonly [key: string]: string };
}

export type ConfigKey = keyof typeof ConfigFileSchema.properties;
const MEMBERS: { readonly [K in ConfigKey]: keyof ConfigFile } & { readonly [K in keyof ConfigFile]-?: ConfigKey } = {
  listen: 'listen',
  durability: 'durability',
  logLevel: 'logLevel',
  agent: 'agent',
  permissions: 'permissions',
  workspaces: 'workspaces',
  limits: 'limits',
  github: 'github',
  hooks: 'hooks',
  aliases: 'aliases',
};
/** Keys of the configuration. */
export const CONFIG_KEYS = Object.keys(MEMBERS) as readonly ConfigKey[];

export type ConfigChecked =
  | { readonly ok: true; readonly config: ConfigFile }
  | { readonly ok: false; readonly findings: readonly Finding[] };

export function checkConfig(value: unknown): ConfigChecked {
  const schema: Schema = ConfigFileSchema;
  const checked = validate(schema, value);
  return checked.ok ? { ok: true, config: checked.value as ConfigFile } : checked;
}

/** Values of a checked configuration, with defaults. */
export const fullListen = (listen: NonNullable<ConfigFile['listen']>): ListenConfig =>
  withDefaults(ListenSchema, listen) as ListenConfig;
export const fullLimits = (limits: NonNullable<ConfigFile['limits']>): LimitsConfig =>
  withDefaults(LimitsConfigSchema, limits) as LimitsConfig;

/** Gives back what it is given: it is there for the types, in `export default defineConfig({ … })`. */
export const defineConfig = (config: ConfigFile): ConfigFile => config;

export type LimitsConfig = Resolved<typeof LimitsConfigSchema>;
export type ListenConfig = Resolved<typeof ListenSchema>;
export type AgentConfig = Wire<typeof AgentConfigSchema>;
