/** One configuration from its four sources, in rising order: defaults, file, environment, flags. */
import { AppError } from '../../core/errors.ts';
import type { AgentConfig, ConfigFile, LimitsConfig, ListenConfig } from '../../protocol/config.ts';
import { checkConfig, fullLimits, fullListen } from '../../protocol/config.ts';
import type { GithubConfigInput, HookConfigInput } from '../../protocol/hooks-config.ts';
import type { Environment, Setting } from './environment.ts';
import { settingsOf } from './environment.ts';
import { findingLine, loadConfigFile } from './file.ts';

/** Everything that a daemon is told, with defaults filled in; the hooks' own are the gateways' to fill. */
export interface DaemonConfig {
  readonly listen: ListenConfig;
  readonly durability: 'power' | 'process';
  readonly logLevel: NonNullable<ConfigFile['logLevel']>;
  readonly agent: AgentConfig;
  readonly limits: LimitsConfig;
  readonly github: GithubConfigInput | null;
  readonly hooks: Readonly<{ [name: string]: HookConfigInput }>;
  readonly aliases: Readonly<{ [key: string]: string }>;
}

export interface ConfigSources {
  readonly file: string | null;
  readonly environment: Environment;
  /** Flags of the command line. */
  readonly flags: readonly Setting[];
  readonly logLevel?: DaemonConfig['logLevel'];
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
  if (checked.ok) return checked.config;
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

function filled(config: ConfigFile, logLevel: DaemonConfig['logLevel']): DaemonConfig {
  return {
    listen: fullListen(config.listen ?? {}),
    durability: config.durability ?? 'power',
    logLevel: config.logLevel ?? logLevel,
    agent: config.agent ?? { name: 'scripted' },
    limits: fullLimits(config.limits ?? {}),
    github: config.github ?? null,
    hooks: config.hooks ?? {},
    aliases: config.aliases ?? {},
  };
}

/** Throws `AppError` `bad_config`. `logLevel` is the default where nobody asks for one. */
export async function resolveConfig(sources: ConfigSources): Promise<DaemonConfig> {
  const file = sources.file === null ? {} : await loadConfigFile(sources.file);
  return filled(withSettings(file, [...settingsOf(sources.environment), ...sources.flags]), sources.logLevel ?? 'info');
}
