/** Looks for programs and asks them who they are: for the choice of an agent, and for `doctor`. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, resolve, sep } from 'node:path';
import type { ChildExit, Environment as Variables, SandboxPlan, Timers } from '../supervise/index.ts';
import { pickEnvironment, realTimers, spawnAgent } from '../supervise/index.ts';
import type { AgentProgram, LoginSigns } from '../agents/descriptor.ts';
import { placeOf } from '../agents/sandbox/needs.ts';

export type Environment = Readonly<{ [name: string]: string | undefined }>;

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * The file that a command means, absolute; null: none that may be run. One with a separator in it is a path, from `cwd`;
 * any other name is looked for on the PATH.
 */
export function findProgram(command: string, env: Environment, cwd: string): string | null {
  const isPath = isAbsolute(command) || command.includes('/') || command.includes(sep);
  const folders = isPath ? [cwd] : (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of folders) {
    const file = resolve(folder, command);
    if (isProgram(file)) {
      return file;
    }
  }
  return null;
}

export type Found =
  | { readonly kind: 'found'; readonly file: string }
  | { readonly kind: 'absent' }
  /** The variable names a file that cannot be run. */
  | { readonly kind: 'wrong-variable'; readonly value: string };

/** Its own variable goes before the PATH; an empty one counts as unset. */
export function findAgent(program: AgentProgram, env: Environment, cwd: string): Found {
  const own = env[program.variable] ?? '';
  const file = findProgram(own === '' ? program.command : own, env, cwd);
  if (file !== null) {
    return { kind: 'found', file };
  }
  return own === '' ? { kind: 'absent' } : { kind: 'wrong-variable', value: own };
}

export type Asked =
  | { readonly kind: 'version'; readonly version: string }
  /** `how`: its exit code or signal. */
  | { readonly kind: 'silent'; readonly how: string; readonly said: string }
  | { readonly kind: 'hangs'; readonly deadlineMs: number };

/** Only what it needs to say its version: no keys, and nothing of ours. */
const passed = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'];

const exitText = ({ code, signal, message }: ChildExit): string =>
  message ?? (signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`);

/** In which a program is asked, and with which environment. */
type Enclose = (program: { readonly command: string; readonly args: readonly string[]; readonly env: Variables }) => {
  readonly plan: SandboxPlan;
  readonly env: Variables;
};

/** Runs `FILE --version`; at the deadline it is ended with all that it has started. */
export function askVersion(
  file: string,
  env: Environment,
  deadlineMs: number,
  { timers = realTimers, enclose }: { readonly timers?: Timers; readonly enclose?: Enclose } = {},
): Promise<Asked> {
  return new Promise((resolve_) => {
    let said = '';
    const program = { command: file, args: ['--version'], env: pickEnvironment(passed, env) };
    const enclosed = enclose?.(program);
    const child = spawnAgent({
      ...program,
      ...(enclosed === undefined ? {} : { inSandbox: enclosed.plan, env: enclosed.env }),
      timers,
      lineMaxBytes: 65_536,
      termGraceMs: 100,
      reapDeadlineMs: 500,
      onFrame: (frame) => {
        if (said.length < 4_096 && (frame.kind === 'line' || frame.kind === 'half')) {
          said += `${frame.text}\n`;
        }
      },
      onExit: (exit) => {
        cancel();
        const version = /\d+\.\d+[^\s)]*/.exec(said)?.[0].replace(/\.$/, '');
        if (exit.reason === 'no_version') {
          resolve_({ kind: 'hangs', deadlineMs });
        } else if (exit.code === 0 && version !== undefined) {
          resolve_({ kind: 'version', version });
        } else {
          resolve_({ kind: 'silent', how: exitText(exit), said: (exit.stderr || said).trim().slice(0, 200) });
        }
      },
    });
    const cancel = timers.set(deadlineMs, () => child.kill('no_version'));
  });
}

/** The sign of a login: the name of a variable, or a file; null: there is none. */
export function loginSign({ variables, files }: LoginSigns, env: Environment): string | null {
  const variable = variables.find((name) => (env[name] ?? '') !== '');
  if (variable !== undefined) {
    return variable;
  }
  const file = files.map((path) => placeOf(path, env)).find((path) => path !== null && existsSync(path));
  return file ?? null;
}
