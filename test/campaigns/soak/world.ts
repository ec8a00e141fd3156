/** The daemon of a soak, which is killed, closed, stopped and started again under its load. Owned by one run. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentLogLine } from '../../../src/agents/index.ts';
import type { Client } from '../../../src/client/index.ts';
import { script } from '../chaos/misdeeds.ts';
import type { DaemonCensus } from '../harness/census.ts';
import { DaemonProcess } from '../harness/daemon-process.ts';
import { processesWith } from '../harness/processes.ts';

const program = fileURLToPath(new URL('./daemon.ts', import.meta.url));

export class World implements AsyncDisposable {
  readonly #folder: string;
  readonly #agentLog: string;
  readonly #port: number;
  readonly #maxAgents: number;
  #daemon: DaemonProcess | null = null;

  private constructor(folder: string, port: number, maxAgents: number) {
    this.#folder = folder;
    this.#agentLog = join(folder, 'agents.log');
    this.#port = port;
    this.#maxAgents = maxAgents;
  }

  static async begin(maxAgents: number): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-soak-'));
    writeFileSync(join(folder, 'script.json'), JSON.stringify(script));
    const world = new World(folder, await freePort(), maxAgents);
    await world.start();
    return world;
  }

  get client(): Client {
    if (this.#daemon === null) {
      throw new Error('the daemon is not running');
    }
    return this.#daemon.client;
  }

  async start(): Promise<void> {
    const args = [String(this.#port), join(this.#folder, 'script.json'), this.#agentLog, String(this.#maxAgents)];
    this.#daemon = await DaemonProcess.start({ program, folder: join(this.#folder, 'data'), args });
  }

  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#daemon?.kill(signal);
  }

  async gone(): Promise<void> {
    await this.#daemon?.gone();
  }

  async census(): Promise<DaemonCensus> {
    return (await this.#daemon?.ask('census')) as DaemonCensus;
  }

  /** Agents of this soak that live. */
  processes(): readonly number[] {
    return processesWith('cmdline', this.#agentLog).filter((pid) => !this.#isDaemon(pid));
  }

  #isDaemon(pid: number): boolean {
    return pid === this.#daemon?.pid;
  }

  /** Two agents of one session that lived at once, as they have noted it themselves. */
  overlaps(): readonly string[] {
    const lines = existsSync(this.#agentLog) ? readFileSync(this.#agentLog, 'utf8').split('\n') : [];
    return lines
      .filter((line) => line.includes('"overlap"'))
      .map((line) => JSON.parse(line) as AgentLogLine)
      .map(({ session, pid, ...line }) => `two agents at once for ${session}: ${pid} and ${String(line['other'])}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGCONT');
    this.kill('SIGKILL');
    await this.gone();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The daemon keeps its address through its restarts, as its clients expect. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
