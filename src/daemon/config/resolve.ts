/** One configuration from its four sources, in rising order: defaults, file, environment, flags. */
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../../core/errors.ts';
import type { Lane } from '../../core/model/task.ts';
import { defaultPolicies, type PermissionPolicy, untrustedPolicy } from '../../core/model/permission.ts';
import type { Policies } from '../../runtime/options.ts';
import { doorKeys, type DoorConfigs } from '../../gateways/doors.ts';
import { sourceKeys, type SourceConfigs } from '../../gateways/registry.ts';
import type {
  AgentConfig,
  LimitsConfig,
  ListenConfig,
  LogLevel,
  NodeConfig,
  SessionRule,
} from '../../protocol/config.ts';
import { defaultLogLevel, fullLimits, fullListen, fullNode } from '../../protocol/config.ts';
import { defaultOnFull, type OnFull } from '../../protocol/conversations.ts';
import { defaultExpiresIn } from '../../protocol/task-spec.ts';
import type { PermissionPolicyInput } from '../../protocol/permissions.ts';
import type { WorkspaceRule } from '../../runtime/workspace/workspaces.ts';
import type { RunnerPlace, RunnerPlaces } from '../runners.ts';
import type { Environment, Setting } from './environment.ts';
import { settingsOf } from './environment.ts';
import { findingLine, loadConfigFile } from './file.ts';
import { type AgentConfigs, checkRules } from './session-rules.ts';
import { checkConfig, type ConfigFile } from './schema.ts';
import { checkListenUrl, storeOf, type StorePlace } from './store.ts';

/** The whole configuration of a daemon, with defaults filled in. */
export interface DaemonConfig {
  readonly listen: ListenConfig;
  readonly store: StorePlace;
  /** Where the store is shared. */
  readonly node: NodeConfig;
  readonly durability: NonNullable<ConfigFile['durability']>;
  readonly logLevel: LogLevel;
  /** By name; never empty. */
  readonly agents: AgentConfigs;
  /** The first of them. */
  readonly agent: AgentConfig;
  /** There is one, which stands under `agent`: all sessions follow it. */
  readonly oneAgent: boolean;
  readonly permissions: Policies;
  readonly expiresIn: { readonly [L in Lane]: number | null };
  readonly conversation: { readonly onFull: OnFull };
  /** Folders are absolute. */
  readonly workspaces: readonly WorkspaceRule[];
  /** The first that matches counts. */
  readonly sessions: readonly SessionRule[];
  readonly runners: RunnerPlaces;
  readonly limits: LimitsConfig;
  /** As they stand in the file; each source fills in its own defaults. */
  readonly sources: SourceConfigs;
  readonly doors: DoorConfigs;
  readonly aliases: Readonly<{ [key: string]: string }>;
}

export interface ConfigSources {
  readonly file: string | null;
  readonly environment: Environment;
  /** Flags of the command line. */
  readonly flags: readonly Setting[];
  readonly logLevel?: LogLevel;
}

type Tree = { readonly [name: string]: unknown };

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function put(tree: Tree, [name = '', ...rest]: readonly string[], value: unknown): Tree {
  const member = tree[name];
  return { ...tree, [name]: rest.length === 0 ? value : put(isTree(member) ? member : {}, rest, value) };
}

/** Another agent is another section: what was said of the one that the file names is not for it. */
function forOtherAgent(tree: Tree, { path, value }: Setting): Tree {
  const { agent } = tree;
  const other = path.join('.') === 'agent.name' && isTree(agent) && agent['name'] !== value;
  return other ? { ...tree, agent: {} } : tree;
}

const samePath = (a: readonly string[], pointer: string): boolean => `/${a.join('/')}` === pointer;

/** Validates again with each setting in place, so that the message can name what the person wrote. */
function withSettings(file: ConfigFile, settings: readonly Setting[]): ConfigFile {
  const merged = settings.reduce<Tree>(
    (tree, setting) => put(forOtherAgent(tree, setting), setting.path, setting.value),
    { ...file },
  );
  const checked = checkConfig(merged);
  if (checked.ok) {
    return checked.config;
  }
  const lines = checked.findings.map((finding) => {
    const setting = settings.findLast(({ path }) => samePath(path, finding.path));
    return `  ${setting === undefined ? '' : `${setting.written}: `}${findingLine(finding)}`;
  });
  throw new AppError({
    code: 'bad_config',
    message: `the configuration is wrong:\n${lines.join('\n')}`,
    hint: 'docs/configuration.md has every key.',
  });
}

const fromBase = (path: string, base: string): string =>
  path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(base, path);

type RunnerGiven = NonNullable<ConfigFile['runners']>[string];

function runnerPlace(given: RunnerGiven, base: string): RunnerPlace {
  const { module, export: exported = 'default' } = typeof given === 'string' ? { module: given } : given;
  return { module: fromBase(module, base), export: exported };
}

/** Folders are meant from the file that names them, `~/` from the user's home. */
function placed({ session, folder }: WorkspaceRule, base: string): WorkspaceRule {
  return { session, folder: fromBase(folder, base) };
}

function placedAgent(agent: AgentConfig, base: string): AgentConfig {
  const placedIn = (key: 'readable' | 'writable') => {
    const given = agent[key];
    return given === undefined ? {} : { [key]: given.map((path) => fromBase(path, base)) };
  };
  return { ...agent, ...placedIn('readable'), ...placedIn('writable') };
}

const newForm = `agents: { claude: {}, codex: {} }, sessions: [{ match: 'github:acme/*', agent: 'codex' }]`;

function agentsOf(config: ConfigFile, base: string): Pick<DaemonConfig, 'agent' | 'agents' | 'oneAgent'> {
  const { agent: one, agents: named } = config;
  if (one !== undefined && named !== undefined) {
    throw new AppError({
      code: 'bad_config',
      message: 'the configuration has both `agent` and `agents`',
      hint: `Name each agent under \`agents\`, the usual one first, and leave \`agent\` out (also --agent and SIGNALBOX_AGENT_*): ${newForm}`,
    });
  }
  if (named === undefined) {
    const agent = placedAgent(one ?? { name: 'scripted' }, base);
    return { agent, agents: { [agent.name]: agent }, oneAgent: true };
  }
  const agents = Object.fromEntries(
    Object.entries(named).map(([name, { kind = name, ...rest }]) => [name, placedAgent({ name: kind, ...rest }, base)]),
  );
  const [agent] = Object.values(agents);
  if (agent === undefined) {
    throw new AppError({
      code: 'bad_config',
      message: '`agents` names no agent',
      hint: `Name one or more: ${newForm}`,
    });
  }
  return { agent, agents, oneAgent: false };
}

function sessionRules(rules: readonly SessionRule[], base: string): readonly SessionRule[] {
  return rules.map((rule) => (rule.folder === undefined ? rule : { ...rule, folder: fromBase(rule.folder, base) }));
}

function checkedNode(node: NodeConfig): NodeConfig {
  if (node.listenUrl !== undefined) {
    checkListenUrl(node.listenUrl);
  }
  return node;
}

const policyOf = (given: PermissionPolicyInput | undefined, byDefault: PermissionPolicy): PermissionPolicy =>
  given === undefined ? byDefault : { allow: [], deny: [], ...given };

function filled(
  config: ConfigFile,
  { environment, logLevel = defaultLogLevel }: ConfigSources,
  base: string,
): DaemonConfig {
  const { interactive, background } = defaultPolicies;
  return {
    listen: fullListen(config.listen ?? {}),
    store: storeOf(config.store ?? 'sqlite', environment),
    node: checkedNode(fullNode(config.node ?? {})),
    durability: config.durability ?? 'power',
    logLevel: config.logLevel ?? logLevel,
    ...agentsOf(config, base),
    permissions: {
      interactive: policyOf(config.permissions?.interactive, interactive),
      background: policyOf(config.permissions?.background, background),
      untrusted: {
        interactive: policyOf(config.permissions?.untrusted?.interactive, untrustedPolicy),
        background: policyOf(config.permissions?.untrusted?.background, untrustedPolicy),
      },
    },
    expiresIn: { ...defaultExpiresIn, ...config.expiresIn },
    conversation: { onFull: defaultOnFull, ...config.conversation },
    sessions: sessionRules(config.sessions ?? [], base),
    workspaces: (config.workspaces ?? []).map((rule) => placed(rule, base)),
    runners: Object.fromEntries(
      Object.entries(config.runners ?? {}).map(([name, given]) => [name, runnerPlace(given, base)]),
    ),
    limits: fullLimits(config.limits ?? {}),
    sources: Object.fromEntries(sourceKeys.filter((key) => config[key] !== undefined).map((key) => [key, config[key]])),
    doors: Object.fromEntries(doorKeys.filter((key) => config[key] !== undefined).map((key) => [key, config[key]])),
    aliases: config.aliases ?? {},
  };
}

/** What the file, the environment and the flags say, checked; without the defaults. Throws `bad_config`. */
export async function mergeConfig({ file, environment, flags }: ConfigSources): Promise<ConfigFile> {
  return withSettings(file === null ? {} : await loadConfigFile(file), [...settingsOf(environment), ...flags]);
}

/** Throws `AppError` `bad_config`. `logLevel` is the default. */
export async function resolveConfig(sources: ConfigSources): Promise<DaemonConfig> {
  const config = await mergeConfig(sources);
  const base = sources.file === null ? process.cwd() : dirname(resolve(sources.file));
  const full = filled(config, sources, base);
  checkRules(full.sessions, full.agents);
  return full;
}
