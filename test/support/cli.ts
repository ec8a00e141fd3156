/** Runs the command line as the program it is, from its sources, on a data folder and in an environment of its own. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const program = fileURLToPath(new URL('../../src/cli/bin.ts', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly env?: Readonly<{ [name: string]: string }>;
  readonly cwd?: string;
  readonly input?: string;
  /** Flags of Node itself. */
  readonly node?: readonly string[];
  /** A command that runs it, such as one that enters a namespace. */
  readonly within?: readonly string[];
  /** How many files it may have open. */
  readonly openFiles?: number;
}

/** A run that takes longer than this hangs. */
const runDeadlineMs = 60_000;

/** Nothing of the developer's own: no Signalbox variables, no colours, no home. */
function environment(home: string, env: RunOptions['env']): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    LANG: 'C.UTF-8',
    USER: 'tester',
    NODE_COMPILE_CACHE: join(tmpdir(), 'signalbox-test-cache'),
    ...env,
  };
}

export class Cli implements AsyncDisposable {
  /** A folder that goes with it; `data` in it is the data folder. */
  readonly folder: string;
  readonly #children = new Set<ChildProcess>();

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'signalbox-cli-'));
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  spawn(args: readonly string[], options: RunOptions = {}): ChildProcess {
    const words = [...(options.within ?? []), process.execPath, ...(options.node ?? []), program, ...args];
    const limited = ['sh', '-c', `ulimit -n ${options.openFiles} && exec "$0" "$@"`, ...words];
    const [command = '', ...rest] = options.openFiles === undefined ? words : limited;
    const child = spawn(command, rest, {
      cwd: options.cwd ?? this.folder,
      env: environment(this.folder, { SIGNALBOX_DATA: this.data, ...options.env }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
    return child;
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return ended(this.spawn(args, options));
  }

  /** Runs it with `--json`, and gives the one document that it printed. */
  async json(args: readonly string[], options: RunOptions = {}): Promise<{ readonly [name: string]: unknown }> {
    const ran = await this.run([...args, '--json'], options);
    if (ran.code !== 0) {
      throw new Error(`signalbox ${args.join(' ')}: ${ran.code}\n${ran.stderr}`);
    }
    return JSON.parse(ran.stdout) as { readonly [name: string]: unknown };
  }

  /** `signalbox up --json` on a free port; resolves with what it said when it was ready. */
  async up(args: readonly string[] = [], options: RunOptions = {}): Promise<Up> {
    const port = args.includes('--port') ? [] : ['--port', '0'];
    const level = args.includes('--log-level') ? [] : ['--log-level', 'error'];
    const child = this.spawn(['up', '--json', ...level, ...port, ...args], options);
    const end = ended(child, null);
    const line = await Promise.race([firstLine(child), end.then(({ code, stderr }) => failed(code, stderr))]);
    return { child, ended: end, ready: JSON.parse(line) as Up['ready'] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = [...this.#children];
    await Promise.all(
      left.map((child) => {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        return gone;
      }),
    );
    // The daemon of a launcher that was killed ends by itself, moments later, and may write until then.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

export interface Up {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  readonly ready: {
    readonly url: string;
    readonly folder: string;
    readonly pid: number;
    readonly daemon: number;
    readonly config: string | null;
  };
}

function failed(code: number | null, stderr: string): never {
  throw new Error(`signalbox up ended with ${code}\n${stderr}`);
}

/** The first whole line of standard output. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (part: Buffer) => {
      text += part.toString();
      if (text.includes('\n')) {
        resolve(text.slice(0, text.indexOf('\n')));
      }
    });
  });
}

/** Resolves when it has said something that fits. */
export function saying(child: ChildProcess, what: RegExp, where: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child[where]?.on('data', (part: Buffer) => {
      text += part.toString();
      if (what.test(text)) {
        resolve(text);
      }
    });
    child.once('exit', () => reject(new Error(`it ended without saying ${String(what)}:\n${text}`)));
  });
}

/** `deadlineMs` null: it is to run until it is ended. */
export function ended(child: ChildProcess, deadlineMs: number | null = runDeadlineMs): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (part: Buffer) => (stdout += part.toString()));
  child.stderr?.on('data', (part: Buffer) => (stderr += part.toString()));
  return new Promise((resolve, reject) => {
    const hung = (): void => {
      child.kill('SIGKILL');
      reject(new Error(`it hung:\n${stdout}\n${stderr}`));
    };
    const late = deadlineMs === null ? undefined : setTimeout(hung, deadlineMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(late);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** Sends a signal, as an impatient person does, until it has ended. */
export function signalUntilGone(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    const again = setInterval(() => child.kill(signal), 100);
    child.once('exit', () => {
      clearInterval(again);
      resolve();
    });
  });
}
