/** One chaos run's daemon, its client, and the look at the process table. Owned by `run.ts`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '../../../src/client/index.ts';
import { DaemonProcess } from '../harness/daemon-process.ts';
import { processesWith } from '../harness/processes.ts';
import type { DaemonCensus } from '../harness/census.ts';
import { markName } from './shared.ts';
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
  const daemon = await DaemonProcess.start({
    program,
    folder: join(folder, 'data'),
    args: [scriptFile, String(maxAgents), mark],
  });
  if (daemon === null) {
    throw new Error('the daemon was killed before it was ready');
  }
  const processes = (): readonly number[] => processesWith('environ', `${markName}=${mark}\0`);
  return {
    client: daemon.client,
    processes,
    async census() {
      return { ...((await daemon.ask('census')) as DaemonCensus), processes: processes().length };
    },
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
