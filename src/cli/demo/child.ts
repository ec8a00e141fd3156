/**
 * The demo's daemon: `signalbox up` as a separate process, on a throwaway folder and a free port, with the scripted agent.
 *
 * Owns: the child, the folder. The child has a channel to us, so it ends when we are killed.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../core/errors.ts';
import { tokenIn } from '../target.ts';
import type { AgentLine } from './evidence.ts';

const readyDeadlineMs = 15_000;
const endDeadlineMs = 8_000;

/** The agent answers at the pace of a fast reader; parts of one review are collected no longer than a turn takes. */
const config = `export default {
  agent: { name: 'scripted', args: ['--chunk-ms', '180'] },
  limits: { collectMs: 100, agentIdleMs: 60000, graceMs: 500 },
};
`;

export interface DemoDaemon {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** The agent's own log so far. */
  agentLog(): readonly AgentLine[];
  /** Rejects when it ends before it is asked to. */
  readonly died: Promise<never>;
  /** Ends it, gracefully or at last by force; true: it ended by itself, with exit code 0. */
  end(): Promise<boolean>;
  /** Removes the folder. */
  clean(): void;
}

const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../bin.ts' : '../bin.js', import.meta.url));

/** Nothing of the caller's own daemon may reach the demo's. */
function ownEnvironment(env: NodeJS.ProcessEnv, secret: string, log: string): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !name.startsWith('SIGNALBOX_'));
  return { ...Object.fromEntries(others), SIGNALBOX_GITHUB_SECRET: secret, SIGNALBOX_AGENT_LOG: log };
}

function spawnUp(folder: string, secret: string): ChildProcess {
  const file = join(folder, 'signalbox.config.mjs');
  writeFileSync(file, config);
  const args = [program, 'up', '--json', '--port', '0', '--data', folder, '--config', file, '--log-level', 'error'];
  return spawn(process.execPath, args, {
    // A separate process group: Ctrl-C at the terminal reaches only the demo, which then ends the daemon in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: ownEnvironment(process.env, secret, join(folder, 'agent.log')),
  });
}

/** Its last word: the message of the error that it gave as JSON, or whatever else it said. */
function reasonIn(said: string): string {
  try {
    return (JSON.parse(said) as { readonly error: { readonly message: string } }).error.message;
  } catch {
    return said.trim();
  }
}

function ended(why: string, said: string): AppError {
  const reason = reasonIn(said);
  return new AppError({
    code: 'unreachable',
    message: `the daemon of the demo ${why}${reason === '' ? '' : `: ${reason}`}`,
    hint: 'Run `signalbox doctor`: it shows what is missing.',
  });
}

/** The first line on its standard output says that it is ready, and where. */
function readyUrl(child: ChildProcess, said: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      reject(ended(why, said()));
    };
    const late = setTimeout(() => fail(`is not ready after ${readyDeadlineMs / 1000} s`), readyDeadlineMs);
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const end = text.indexOf('\n');
      if (end === -1) {
        return;
      }
      clearTimeout(late);
      resolve((JSON.parse(text.slice(0, end)) as { readonly url: string }).url);
    });
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      fail(`ended at once (${code ?? signal})`);
    });
  });
}

/** Rejects with `unreachable` when it does not come up. The caller ends and cleans it, whatever happens. */
export async function startDemoDaemon(
  secret: string,
  adopt: (daemon: Pick<DemoDaemon, 'end' | 'clean'>) => void,
): Promise<DemoDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-demo-'));
  const child = spawnUp(folder, secret);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (said = (said + part).slice(-2_000)));
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  let asked = false;
  const end = async (): Promise<boolean> => {
    asked = true;
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), endDeadlineMs);
    const code = await exited;
    clearTimeout(force);
    return code === 0;
  };
  const clean = (): void => {
    process.off('exit', leave);
    rmSync(folder, { recursive: true, force: true });
  };
  // The last resort where nothing can be awaited any more, as when our reader goes away (`signalbox demo | head`).
  const leave = (): void => {
    child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', leave);
  adopt({ end, clean });
  const url = await readyUrl(child, () => said);
  const died = exited.then((code) => {
    if (asked) {
      return new Promise<never>(() => {});
    }
    throw ended(`ended (${code})`, said);
  });
  died.catch(() => {});
  return {
    url,
    token: tokenIn(folder) ?? '',
    pid: child.pid ?? 0,
    agentLog: () => readLog(join(folder, 'agent.log')),
    died,
    end,
    clean,
  };
}

function readLog(path: string): readonly AgentLine[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AgentLine);
  } catch {
    return [];
  }
}

/** A zombie counts as gone. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
