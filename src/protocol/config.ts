/**
 * The sections of the configuration file; those of webhook sources are in the folder of each source, and
 * `src/daemon/config/schema.ts` combines them. Times are in milliseconds, sizes in bytes.
 */
import { withDefaults } from './defaults.ts';
import { ConversationConfigSchema } from './conversations.ts';
import type { Lane } from '../core/model/task.ts';
import { SessionKeySchema } from './ids.ts';
import { outgoingLimits, runtimeLimits, serverLimits, watchLimits } from './limits.ts';
import { ttlBounds } from './lease-times.ts';
import { NodeLabelsSchema, NodeNameSchema } from './nodes.ts';
import { PermissionPolicySchema } from './permissions.ts';
import type { Resolved, Schema, Wire } from './schema.ts';
import { defaultExpiresIn } from './task-spec.ts';

export const ListenSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      maxLength: 253,
      default: '127.0.0.1',
      description: 'Every address except a loopback address needs a token.',
    },
    port: { type: 'integer', minimum: 0, maximum: 65_535, default: 7070, description: '0: any free port.' },
    hosts: {
      type: 'array',
      maxItems: 50,
      items: { type: 'string', minLength: 1, maxLength: 253 },
      description: 'Further names that the Host header may have, for a reverse proxy.',
    },
  },
} as const satisfies Schema;

export const sandboxModes = ['auto', 'required', 'off'] as const;
export type SandboxMode = (typeof sandboxModes)[number];

/** Far above what builds need, and far below what a machine has. */
export const defaultMaxProcesses = 4_096;

const paths = { type: 'array', maxItems: 200, items: { type: 'string', minLength: 1, maxLength: 4096 } } as const;

export const AgentConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 50, description: 'Name of the agent, from the table above.' },
    command: {
      type: 'string',
      minLength: 1,
      maxLength: 4096,
      description: 'Program to run. Default: the file that its AGENT_BIN_* variable names, or its name on the PATH.',
    },
    args: {
      type: 'array',
      maxItems: 200,
      items: { type: 'string', maxLength: 100_000 },
      description: 'Further arguments, after those of its driver.',
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
      description: "Model of sessions that name none. Default: the agent's own default.",
    },
    terminal: {
      type: 'boolean',
      description: 'For ACP agents: run the commands that the agent asks its client to run. Default: no.',
    },
    authMethod: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description:
        'For ACP agents: id of the login method, where the agent asks for one. Default: none, and the turn fails.',
    },
    trustSettings: {
      type: 'boolean',
      description:
        "Lets the settings of the agent's program, in the home of the user and in the session's folder, allow what no policy allows, and run hooks. Default: no; the driver sets the policy over them, or the agent does not start.",
    },
    provider: {
      type: 'string',
      pattern: '^[a-z0-9][a-z0-9_.-]{0,63}$',
      description:
        'The provider that its model requests go to. A throttle covers all agents of one provider. Default: its driver knows.',
    },
    env: {
      type: 'object',
      maxProperties: 200,
      additionalProperties: { type: 'string', maxLength: 100_000 },
      description: 'Variables added to its environment.',
    },
    nice: {
      type: 'integer',
      minimum: 0,
      maximum: 19,
      description:
        'Niceness (nice(1)) of its processes above that of the daemon, so that the daemon answers while they are busy. Default: 5.',
    },
    sandbox: {
      type: 'string',
      enum: sandboxModes,
      description:
        'Whether its programs run in a [sandbox](sandbox.md). `auto`: where this machine has one. `required`: no agent starts without one, and tasks wait. Default: `auto`; `off` for a program that `command` names for `process` or `acp`.',
    },
    network: {
      anyOf: [
        { type: 'string', enum: ['all', 'none'] },
        {
          type: 'array',
          minItems: 1,
          maxItems: 200,
          items: { type: 'string', maxLength: 260, pattern: '^(\\*\\.)?[A-Za-z0-9_.-]+(:[0-9]{1,5})?$' },
        },
      ],
      description:
        'What its programs can connect to from the sandbox: `all`, `none`, or a list of hosts (`api.anthropic.com`, `*.github.com`, `localhost:8080`), which they reach by a proxy. With a list or `none`, `auto` is as `required`. Default: `all`.',
    },
    readable: {
      ...paths,
      description:
        'Further files and folders that its programs can read in the sandbox. `~/`: in the home of the user.',
    },
    writable: {
      ...paths,
      description: 'Further files and folders that its programs can change in the sandbox.',
    },
    maxProcesses: {
      type: 'integer',
      minimum: 10,
      maximum: 4_000_000,
      description: `Processes and threads that an agent may have in the sandbox, with all that it starts, where the system bounds them. Default: ${defaultMaxProcesses}.`,
    },
    maxMemoryBytes: {
      type: 'integer',
      minimum: 16_777_216,
      maximum: 1_125_899_906_842_624,
      description:
        'Memory that an agent may have in the sandbox, with all that it starts, where the system bounds it. Default: no bound.',
    },
    passEnv: {
      type: 'array',
      maxItems: 200,
      items: { type: 'string', maxLength: 200, pattern: '^(?!SIGNALBOX_)[A-Za-z_][A-Za-z0-9_]*$' },
      description: 'Names of further variables of the daemon that its driver passes on.',
    },
  },
} as const satisfies Schema;

const { name: _name, ...agentProperties } = AgentConfigSchema.properties;

export const AgentsConfigSchema = {
  type: 'object',
  maxProperties: 100,
  propertyNames: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$' },
  additionalProperties: {
    type: 'object',
    additionalProperties: false,
    properties: {
      kind: {
        type: 'string',
        minLength: 1,
        maxLength: 50,
        description: 'Which agent it is, from the table above. Default: its name here.',
      },
      ...agentProperties,
    },
  },
  description:
    'Several agents by the names that you choose, in place of `agent`; each has the keys of `agent`, and `kind` in place of `name`. The first is that of sessions for which `sessions` names none.',
} as const satisfies Schema;

export const LimitsConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...runtimeLimits, ...outgoingLimits, ...serverLimits, ...watchLimits },
} as const satisfies Schema;

export const PermissionsConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    interactive: {
      ...PermissionPolicySchema,
      description: 'Policy of interactive tasks. Default: they may read and search.',
    },
    background: {
      ...PermissionPolicySchema,
      description:
        'Policy of background tasks. Default: they may also edit, and must request permission for anything else.',
    },
    untrusted: {
      type: 'object',
      additionalProperties: false,
      description:
        'Policies of tasks of the rights class `untrusted`, by their lane. Default, for both: they may read and search, and request nothing.',
      properties: {
        interactive: { ...PermissionPolicySchema, description: 'Policy of untrusted interactive tasks.' },
        background: { ...PermissionPolicySchema, description: 'Policy of untrusted background tasks.' },
      },
    },
  },
} as const satisfies Schema;

const expiry = (lane: Lane, time: string) =>
  ({
    type: ['integer', 'null'],
    minimum: 1,
    maximum: 31_536_000_000,
    default: defaultExpiresIn[lane],
    description: `Milliseconds. For ${lane} tasks. Default: ${time}.`,
  }) as const;

export const ExpiresInConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { interactive: expiry('interactive', 'one day'), background: expiry('background', 'seven days') },
  description:
    'How long a task may wait until it runs, if its sender does not say. Then it ends `failed` with the reason `expired`. null: as long as it takes.',
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
    'Working folders of agents, `{ session, folder }`. The first entry that matches counts; else each session has its own folder in the data folder.',
} as const satisfies Schema;

const runnerModule = {
  type: 'string',
  minLength: 1,
  maxLength: 4096,
  description: 'File, relative to the folder of the configuration file.',
} as const satisfies Schema;

export const RunnersConfigSchema = {
  type: 'object',
  maxProperties: 1000,
  propertyNames: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$' },
  additionalProperties: {
    anyOf: [
      runnerModule,
      {
        type: 'object',
        additionalProperties: false,
        required: ['module'],
        properties: {
          module: runnerModule,
          export: {
            type: 'string',
            minLength: 1,
            maxLength: 100,
            description: 'Name of the export; default `default`.',
          },
        },
      },
    ],
  },
  description:
    'Code runners by name: the file whose default export is the runner, or `{ module, export }`. They run in the daemon (docs/runners.md).',
} as const satisfies Schema;

export const StoreConfigSchema = {
  type: 'string',
  maxLength: 4096,
  pattern: '^(?:sqlite|postgres|postgres(?:ql)?://[^]+)$',
  default: 'sqlite',
  description:
    'Where tasks, tapes and sessions are stored: `sqlite`, a file in the data folder; the URL of a [Postgres](postgres.md) database; or `postgres`, the database of the variable `DATABASE_URL`, or else of `PGHOST`, `PGDATABASE`, `PGUSER` and `PGPASSWORD`.',
} as const satisfies Schema;

export const NodeConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: {
      ...NodeNameSchema,
      description:
        'What others call this daemon. Default: the name of the machine, with some letters for the data folder.',
    },
    ttlMs: {
      type: 'integer',
      minimum: ttlBounds.minMs,
      maximum: ttlBounds.maxMs,
      default: ttlBounds.defaultMs,
      description:
        'Milliseconds. Without a sign of life for so long another daemon takes its sessions over. Its agents stand still after 65 % of that.',
    },
    labels: {
      ...NodeLabelsSchema,
      default: [],
      description: 'What this daemon has that some sessions need, such as `gpu`.',
    },
    pollMs: {
      type: 'integer',
      minimum: 50,
      maximum: 60_000,
      default: 1_000,
      description: 'Milliseconds. How often it looks for what other daemons have for it, where no hint has told.',
    },
    listenUrl: {
      type: 'string',
      minLength: 1,
      maxLength: 4096,
      description:
        'URL of the database itself, for hints of other daemons, where that of `store` is a pooler in transaction mode, which keeps them back. Default: that of `store`.',
    },
  },
} as const satisfies Schema;

export const SessionsConfigSchema = {
  type: 'array',
  maxItems: 1000,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['match'],
    properties: {
      match: { type: 'string', minLength: 1, maxLength: 200, description: 'Key of a session; `*`: any characters.' },
      agent: {
        type: 'string',
        minLength: 1,
        maxLength: 50,
        description: 'Name of the agent of new sessions. Default: the first of `agents`.',
      },
      model: {
        type: 'string',
        minLength: 1,
        maxLength: 200,
        description: "Model of new sessions, for tasks that name none. Default: the agent's own default.",
      },
      folder: {
        type: 'string',
        minLength: 1,
        maxLength: 4096,
        description: 'Working folder of the agent, as in `workspaces`, which hold where this is left out.',
      },
      labels: { ...NodeLabelsSchema, description: 'Only a daemon that has all of them runs its agent.' },
    },
  },
  description:
    'What holds for single sessions, `{ match, agent, model, folder, labels }`. The first entry that matches counts, with all that it says. `labels`: where the [store is shared](scaling.md#placement). The same for all daemons.',
} as const satisfies Schema;

const durabilities = ['power', 'process'] as const;
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export const defaultLogLevel: LogLevel = 'info';

/**
 * The sections of the configuration that are not a webhook source's, member by member: inferring them from the whole schema is
 * more than the compiler can do. `configSections` does not compile when the two have different keys.
 */
export interface ConfigSections {
  readonly listen?: Wire<typeof ListenSchema>;
  readonly store?: Wire<typeof StoreConfigSchema>;
  readonly node?: Wire<typeof NodeConfigSchema>;
  readonly durability?: (typeof durabilities)[number];
  readonly logLevel?: LogLevel;
  readonly agent?: Wire<typeof AgentConfigSchema>;
  readonly agents?: { readonly [name: string]: NamedAgentConfig };
  readonly permissions?: Wire<typeof PermissionsConfigSchema>;
  readonly expiresIn?: Wire<typeof ExpiresInConfigSchema>;
  readonly conversation?: Wire<typeof ConversationConfigSchema>;
  readonly workspaces?: Wire<typeof WorkspacesConfigSchema>;
  readonly sessions?: Wire<typeof SessionsConfigSchema>;
  readonly runners?: Wire<typeof RunnersConfigSchema>;
  readonly limits?: Wire<typeof LimitsConfigSchema>;
  readonly aliases?: { readonly [key: string]: string };
}

export const configSections = {
  listen: ListenSchema,
  store: StoreConfigSchema,
  node: NodeConfigSchema,
  durability: {
    type: 'string',
    enum: durabilities,
    default: 'power',
    description:
      'What a commit to SQLite survives: a power failure, or only the end of the process. Of Postgres, the server decides.',
  },
  logLevel: { type: 'string', enum: logLevels, default: defaultLogLevel },
  agent: AgentConfigSchema,
  agents: AgentsConfigSchema,
  permissions: PermissionsConfigSchema,
  expiresIn: ExpiresInConfigSchema,
  conversation: ConversationConfigSchema,
  workspaces: WorkspacesConfigSchema,
  sessions: SessionsConfigSchema,
  runners: RunnersConfigSchema,
  limits: LimitsConfigSchema,
  aliases: {
    type: 'object',
    maxProperties: 10_000,
    propertyNames: SessionKeySchema,
    additionalProperties: SessionKeySchema,
    description: 'Keys that are aliases of the session of another key.',
  },
} as const satisfies { readonly [K in keyof ConfigSections]-?: Schema };

/** Values of a checked configuration, with defaults. */
export const fullListen = (listen: NonNullable<ConfigSections['listen']>): ListenConfig =>
  withDefaults(ListenSchema, listen) as ListenConfig;
export const fullLimits = (limits: NonNullable<ConfigSections['limits']>): LimitsConfig =>
  withDefaults(LimitsConfigSchema, limits) as LimitsConfig;

export const fullNode = (node: NonNullable<ConfigSections['node']>): NodeConfig =>
  withDefaults(NodeConfigSchema, node) as NodeConfig;

export type NodeConfig = Resolved<typeof NodeConfigSchema>;
export type LimitsConfig = Resolved<typeof LimitsConfigSchema>;
export type ListenConfig = Resolved<typeof ListenSchema>;
export type AgentConfig = Wire<typeof AgentConfigSchema>;
export type NamedAgentConfig = Omit<AgentConfig, 'name'> & { readonly kind?: string };
export type SessionRule = Wire<typeof SessionsConfigSchema>[number];
