/** One chaos run's daemon, its client, and the look at the process table. Owned by `run.ts`. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../../src/client/index.ts';
import { type DaemonCensus, markName } from './shared.ts';
import { script } from './misdeeds.ts';

const program = fileURLToPath(new URL('./daemon.ts', import.meta.url));

export interface Census extends DaemonCensus {
  /** Living processes that agents of this run have started, agents included. */
  readonly processes: number;
}

export interface World extends AsyncDisposable {
  readonly client: Client;
  census(): Promise<Census>;
  /** Pids of what lives of this run's agents: agents, tools, escapees. */
  processes(): readonly number[];
}

export async function startWorld(maxAgents: number, mark: string): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-chaos-'));
  const scriptFile = join(folder, 'script.json');
  writeFileSync(scriptFile, JSON.stringify(script));
  const child = fork(program, [join(folder, 'data'), scriptFile, String(maxAgents), mark], {
    execArgv: ['--expose-gc', '--no-warnings'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const { url } = (await answer(child)) as { readonly url: string };
  const token = readFileSync(join(folder, 'data', 'token'), 'utf8').trim();
  const processes = (): readonly number[] => marked(`${markName}=${mark}`);
  return {
    client: createClient({ baseUrl: url, token }),
    processes,
    async census() {
      child.send('census');
      return { ...((await answer(child)) as DaemonCensus), processes: processes().length };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answer(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the daemon has ended: ${String(code ?? signal)}`);
  });
  const told = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {});
  return told[0];
}

/** Zombies run nothing: their environment reads empty. */
function marked(entry: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && environmentOf(pid).includes(entry));
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return [];
  }
}
