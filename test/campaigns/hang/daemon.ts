/** A real daemon that can be made to hang: its configuration blocks the main loop when the daemon gets SIGUSR2. Linux only. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '../../../src/client/index.ts';
import type { HangNote } from '../../../src/core/model/events.ts';
import { daemonIdName } from '../../../src/supervise/process/environment.ts';
import { processEntries } from '../../../src/supervise/index.ts';
import { listReports, readReport } from '../../../src/supervise/watchdog/report-files.ts';
import type { HangReport } from '../../../src/supervise/watchdog/report.ts';
import { untilEvent } from '../harness/until-event.ts';

const program = fileURLToPath(new URL('../../../src/cli/bin.ts', import.meta.url));

interface HungOptions {
  /** Further limits. */
  readonly limits?: { readonly [name: string]: number };
  /** Permissions, as in the configuration. */
  readonly permissions?: unknown;
  /** Statements of `function block()`; `fs`, `child`, `crypto` and `threads` are there, and `FOLDER`. */
  readonly block: string;
  /** Milliseconds that turns have to end. */
  readonly graceMs: number;
  readonly hangMs?: number;
  /** Statements of an agent in a worker thread, after its first word. Default: the scripted agent. */
  readonly agent?: string;
  /** It blocks while it is loaded. */
  readonly atOnce?: boolean;
  /** Program to run; default: the sources. */
  readonly program?: string;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Of `performance.now()`. */
  readonly at: number;
}

const configOf = (
  { block, graceMs, hangMs = 2_000, atOnce = false, limits = {}, permissions = {}, agent }: HungOptions,
  folder: string,
): string => `
import fs from 'node:fs';
import child from 'node:child_process';
import crypto from 'node:crypto';
import threads from 'node:worker_threads';
const FOLDER = ${JSON.stringify(folder)};
function block() {
${block}
}
${atOnce ? 'block();' : "process.on('SIGUSR2', block);"}
export default {
  agent: ${agent === undefined ? "{ name: 'scripted' }" : `{ name: 'worker', module: ${JSON.stringify(join(folder, agentFile))} }`},
  limits: ${JSON.stringify({ graceMs, hangMs, ...limits })},
  permissions: ${JSON.stringify(permissions)},
  logLevel: 'error',
};
`;

const agentFile = 'agent.mjs';
const agentOf = (body: string): string => `
import child from 'node:child_process';
export default async function* () {
  yield 'now';
  ${body}
}
`;

export class HungDaemon implements AsyncDisposable {
  readonly folder: string;
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #out = '';
  #err = '';
  readonly #listeners = new Set<() => void>();
  #daemon = 0;
  #node = '';
  /** Everything that ever carried its cookie. */
  readonly #seen = new Set<number>();

  constructor(options: HungOptions) {
    this.folder = mkdtempSync(join(tmpdir(), 'signalbox-hang-'));
    const config = join(this.folder, 'signalbox.config.mjs');
    writeFileSync(config, configOf(options, this.folder));
    if (options.agent !== undefined) {
      writeFileSync(join(this.folder, agentFile), agentOf(options.agent));
    }
    const args = ['up', '--port', '0', '--json', '--data', this.data, '--config', config];
    this.#child = spawn(process.execPath, [options.program ?? program, ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: this.folder,
        NODE_COMPILE_CACHE: join(tmpdir(), 'signalbox-test-cache'),
      },
    });
    this.#child.stdout?.on('data', (part: Buffer) => this.#said('out', part));
    this.#child.stderr?.on('data', (part: Buffer) => this.#said('err', part));
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal, at: performance.now() }));
    });
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  get launcher(): number {
    return this.#child.pid ?? 0;
  }

  get daemon(): number {
    return this.#daemon;
  }

  get stderr(): string {
    return this.#err;
  }

  #said(where: 'out' | 'err', part: Buffer): void {
    if (where === 'out') {
      this.#out += part.toString();
    } else {
      this.#err += part.toString();
    }
    for (const listener of this.#listeners) {
      listener();
    }
  }

  /** Resolves with the match, as soon as it has been said. Rejects when the daemon ends before. */
  saying(what: RegExp, where: 'out' | 'err' = 'err'): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = what.exec(where === 'out' ? this.#out : this.#err);
        if (match === null) {
          return;
        }
        this.#listeners.delete(look);
        resolve(match);
      };
      this.#listeners.add(look);
      look();
      void this.ended.then(() => reject(new Error(`it ended without saying ${String(what)}:\n${this.#err}`)));
    });
  }

  /** Waits until it answers, and learns its cookie. */
  async ready(): Promise<this> {
    const [line] = await this.saying(/^.*"type":"ready".*$/m, 'out');
    this.#learn((JSON.parse(line) as { readonly daemon: number }).daemon);
    return this;
  }

  /** Where it never answers: the one child of the launcher. */
  adopt(): void {
    const found = processEntries().find(({ parent }) => parent === this.launcher);
    if (found === undefined) {
      throw new Error('the launcher has no child');
    }
    this.#learn(found.pid);
  }

  #learn(pid: number): void {
    this.#daemon = pid;
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    this.#node = environment.find((one) => one.startsWith(`${daemonIdName}=`))?.split('=')[1] ?? '';
    if (this.#node === '') {
      throw new Error('the daemon has no cookie');
    }
  }

  async client(): Promise<ReturnType<typeof createClient>> {
    const [line] = await this.saying(/^.*"type":"ready".*$/m, 'out');
    const { url } = JSON.parse(line) as { readonly url: string };
    return createClient({ baseUrl: url, token: readFileSync(join(this.data, 'token'), 'utf8').trim() });
  }

  /** Gives sessions a turn each that ends by itself never, and waits until their agents speak. */
  async work(sessions: number, prompt = '[[grandchild:own]] [[forever:50]]'): Promise<void> {
    const client = await this.client();
    const speaking = Array.from({ length: sessions }, async (_, index) => {
      const { task } = await client.submit({ session: `hung-${index}`, prompt, lane: 'background' });
      await untilEvent(client, task, 'output');
    });
    await Promise.all(speaking);
    this.census();
  }

  /** What the first hang report on the tape of a session says. */
  async alarm(session: string): Promise<HangNote> {
    const client = await this.client();
    for await (const event of client.followSession(session)) {
      if (event.type === 'hang-reported') {
        return event.data;
      }
    }
    throw new Error('the feed has ended');
  }

  /** Who carries its cookie and lives, the daemon left out. */
  census(): readonly number[] {
    const found = processEntries().filter(
      ({ daemonId: node, zombie, pid }) => node === this.#node && !zombie && pid !== this.#daemon,
    );
    for (const { pid } of found) {
      this.#seen.add(pid);
    }
    return found.map(({ pid }) => pid);
  }

  /** Who of all that were seen, and of all that carry its cookie, lives still; the daemon and the launcher included. */
  survivors(): readonly number[] {
    const carries = new Set(this.census());
    const known = new Set([...this.#seen, this.#daemon, this.launcher]);
    return processEntries()
      .filter(({ pid, zombie }) => !zombie && (carries.has(pid) || (known.has(pid) && this.#isOurs(pid))))
      .map(({ pid }) => pid);
  }

  /** A number that was given away since is not ours. */
  #isOurs(pid: number): boolean {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return environment.includes(this.#node) || environment.includes(this.folder);
    } catch {
      return false;
    }
  }

  /** Makes it hang. Answers when, of `performance.now()`. */
  hang(): number {
    process.kill(this.#daemon, 'SIGUSR2');
    return performance.now();
  }

  /** Ctrl-C, as the terminal sends it: to the launcher alone, since the daemon is in a session of its own. */
  press(signal: NodeJS.Signals = 'SIGINT'): number {
    this.#child.kill(signal);
    return performance.now();
  }

  reports(): readonly HangReport[] {
    const folder = join(this.data, 'hangs');
    return listReports(folder).flatMap(({ id }) => readReport(folder, id) ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
