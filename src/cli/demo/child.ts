/**
 * The demo's daemon: `signalbox up` as a separate process, on a throwaway folder and a free port, with the scripted agent.
 *
 * Owns: the child, the folder. The child has a channel to us, so it ends when we are killed.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../core/errors.ts';
import { tokenIn } from '../target.ts';
import type { AgentLine } from './evidence.ts';
import type { Part } from './stage.ts';
import { demoFolder } from './stage.ts';

const readyDeadlineMs = 15_000;
const endDeadlineMs = 8_000;

export interface DaemonSettings {
  /** Of the scripted agent. */
  readonly agentFlags: readonly string[];
  /** Added to the environment. */
  readonly env: Readonly<{ [name: string]: string }>;
  /** Where the agents write what they do; default: in its folder. Daemons that share a store share it. */
  readonly agentLog?: string;
}

/** Parts of one review are collected no longer than a turn takes. */
const configOf = (agentFlags: readonly string[]): string => `export default {
  agent: { name: 'scripted', args: ${JSON.stringify(agentFlags)} },
  limits: { collectMs: 100, agentIdleMs: 60000, graceMs: 500 },
};
`;

export interface DemoDaemon extends Part {
  readonly url: string;
  readonly token: string;
  /** Of its launcher, which takes its signals. */
  readonly pid: number;
  /** The agent's own log so far. */
  agentLog(): readonly AgentLine[];
  /** Rejects when it ends before it is asked to. */
  readonly died: Promise<never>;
  /** Ends launcher and daemon by SIGKILL. Resolves when the launcher is gone. */
  readonly kill: () => Promise<void>;
  /** Ends it, gracefully or at last by force; true: it ended by itself, with exit code 0. */
  readonly end: () => Promise<boolean>;
}

const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../bin.ts' : '../bin.js', import.meta.url));

/** Nothing of the caller's own daemon may reach the demo's. */
function ownEnvironment(env: NodeJS.ProcessEnv, settings: DaemonSettings, log: string): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !name.startsWith('SIGNALBOX_'));
  return { ...Object.fromEntries(others), SIGNALBOX_AGENT_LOG: log, ...settings.env };
}

function spawnUp(folder: string, settings: DaemonSettings, log: string): ChildProcess {
  const file = join(folder, 'signalbox.config.mjs');
  writeFileSync(file, configOf(settings.agentFlags));
  const args = [program, 'up', '--json', '--port', '0', '--data', folder, '--config', file, '--log-level', 'error'];
  return spawn(process.execPath, args, {
    // A separate process group: Ctrl-C at the terminal reaches only the demo, which then ends the daemon in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: ownEnvironment(process.env, settings, log),
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

interface Ready {
  readonly url: string;
  readonly daemon: number;
}

/** The first line on its standard output says that it is ready, and where. */
function whenReady(child: ChildProcess, said: () => string): Promise<Ready> {
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
      resolve(JSON.parse(text.slice(0, end)) as Ready);
    });
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      fail(`ended at once (${code ?? signal})`);
    });
  });
}

/** Rejects with `unreachable` when it does not come up. The caller ends and cleans it, whatever happens. */
export async function startDemoDaemon(settings: DaemonSettings, adopt: (daemon: Part) => void): Promise<DemoDaemon> {
  const { path: folder, clean } = demoFolder(() => child.kill('SIGTERM'));
  const log = settings.agentLog ?? join(folder, 'agent.log');
  const child = spawnUp(folder, settings, log);
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
  adopt({ end, clean });
  const { url, daemon } = await whenReady(child, () => said);
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
    agentLog: () => readLog(log),
    died,
    kill: async () => {
      asked = true;
      process.kill(daemon, 'SIGKILL');
      child.kill('SIGKILL');
      await exited;
    },
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
