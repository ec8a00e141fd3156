/**
 * What the daemon, the command line and the documentation need to know of an agent before its driver is loaded: how it is
 * chosen and configured, where its program comes from, and how to make its driver. Each driver's folder exports its own;
 * `registry.ts` lists them all.
 */
import type { AgentConfig } from '../protocol/config.ts';
import type { Environment } from '../supervise/index.ts';
import type { AgentDriver } from './port.ts';
import type { SettingsPlaces, Widening } from './shared/widening.ts';
import type { HomeNeeds } from './sandbox/agent-sandbox.ts';

/** A key of the `agent` section of the configuration, beside `name`. */
type AgentKey = Exclude<keyof AgentConfig, 'name'>;

/** How a program shows that its user has logged in. */
export interface LoginSigns {
  /** Any of them set: it has a key, or another provider that needs none. */
  readonly variables: readonly string[];
  /** Any of these files exists: the user has logged in. They are never opened. A leading `$NAME` or `~` is replaced. */
  readonly files: readonly string[];
  /** False: a login may be kept where it cannot be seen (a keychain, another program), so its absence says nothing. */
  readonly sure: boolean;
  /** What the user does to log in. */
  readonly fix: string;
}

/** A program that users install. Names of variables and files are those of the program's own documentation. */
export interface AgentProgram {
  /** Name on the PATH. */
  readonly command: string;
  /** Holds the path of the user's own copy, instead of the one on the PATH. */
  readonly variable: string;
  readonly install: string;
  readonly login: LoginSigns;
  /** Settings of the program that let an agent do unasked what no policy allows; left out where they are not known. */
  readonly widening?: (places: SettingsPlaces) => readonly Widening[];
  /** What it finds of its user's home in a sandbox. */
  readonly home: HomeNeeds;
}

/** What the configuration and the daemon say to every driver of a program or a thread. */
export interface LaunchOptions {
  readonly env: Environment;
  /** The environment that the driver picks the passed variables from. */
  readonly ambient: Readonly<{ [name: string]: string | undefined }>;
  readonly startDeadlineMs: number;
  readonly nice?: number;
  readonly model?: string;
  readonly provider?: string;
}

interface Setup {
  /** The `agent` section; every key in it is one that the descriptor takes. */
  readonly config: AgentConfig;
  /** Data folder of the daemon. */
  readonly dataFolder: string;
}

interface ProgramSetup extends Setup {
  /** `command`: an executable file, absolute. `args`: those of the configuration. */
  readonly launch: LaunchOptions & { readonly command: string; readonly args: readonly string[] };
}

interface ModuleSetup extends Setup {
  /** The file that `agent.module` names, absolute; it exists. */
  readonly module: string;
  readonly launch: LaunchOptions;
}

interface BuiltInSetup extends Setup {
  readonly launch: LaunchOptions;
}

interface Described {
  /** `agent.name` in the configuration, and the driver's name. */
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  /** One sentence on what answers, for the reference of the configuration. */
  readonly summary: string;
  /** Its page, below `docs/`. */
  readonly page: string;
  /** The keys it takes. Any other is refused: a key without effect must not look as if it had one. */
  readonly keys: readonly AgentKey[];
}

/** Drives a program. */
export interface ProgramAgent extends Described {
  readonly kind: 'program';
  /** Null: the user names the program by `agent.command`. */
  readonly program: AgentProgram | null;
  /** Loads the driver's code and makes the driver. */
  load(setup: ProgramSetup): Promise<AgentDriver>;
}

/** Runs a module of the user's, which `agent.module` names. */
export interface ModuleAgent extends Described {
  readonly kind: 'module';
  load(setup: ModuleSetup): Promise<AgentDriver>;
}

/** Comes with Signalbox, as the stand-in for a real agent. */
export interface BuiltInAgent extends Described {
  readonly kind: 'built-in';
  load(setup: BuiltInSetup): Promise<AgentDriver>;
}

export type AgentDescriptor = ProgramAgent | ModuleAgent | BuiltInAgent;

/** The keys of every agent that is a program. */
export const programKeys = [
  'command',
  'args',
  'model',
  'provider',
  'env',
  'passEnv',
  'nice',
  'sandbox',
  'network',
  'readable',
  'writable',
  'maxProcesses',
  'maxMemoryBytes',
] as const satisfies readonly AgentKey[];
