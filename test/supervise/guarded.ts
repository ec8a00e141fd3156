/** A daemon with a launcher and a lease, as processes of their own, watched line by line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { killDaemonProcessesNow, processEntries, type ProcessEntry } from '../../src/supervise/index.ts';
import type { LaunchEnd } from '../../src/supervise/launcher/launcher.ts';

/** Uninterruptible, as a parent is in `vfork` until its child has another program. Linux only. */
function waitsInKernel(pid: number): boolean {
  try {
    return /^\d+ \([^]*\) D /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** None of them runs: each is stopped, or waits in the kernel for a child that is, and is stopped when that lets it go. */
export const standStill = (started: readonly ProcessEntry[]): boolean =>
  started.every(
    ({ pid, stopped }) =>
      stopped || (started.some((child) => child.parent === pid && child.stopped) && waitsInKernel(pid)),
  );

const program = fileURLToPath(new URL('fixtures/guard-launcher.ts', import.meta.url));

interface Lines {
  readonly ready: { readonly pid: number; readonly daemonId: string };
  readonly line: { readonly agent: number; readonly text: string };
  readonly exit: { readonly agent: number };
  readonly leased: { readonly sentAt: number };
  readonly frozen: { readonly since: number };
  readonly thawed: { readonly ms: number };
  readonly ending: { readonly why: string };
  readonly end: { readonly end: LaunchEnd };
}

type Line = { readonly [T in keyof Lines]: { readonly type: T } & Lines[T] }[keyof Lines];

/** Digits of a moment, with two decimals. */
const momentLength = 24;

type LineOf<T extends Line['type']> = Extract<Line, { readonly type: T }>;

export class Guarded implements AsyncDisposable {
  readonly lines: Line[] = [];
  readonly launcher: ChildProcess;
  stderr = '';
  readonly #folder = mkdtempSync(join(tmpdir(), 'signalbox-guarded-'));
  readonly #wakes = new Set<() => void>();
  readonly #ended: Promise<unknown>;
  pid = 0;
  daemonId = '';

  private constructor() {
    const env = { ...process.env, TMPDIR: this.#folder };
    this.launcher = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.#ended = once(this.launcher, 'exit');
    const { stdout, stderr } = this.launcher;
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (text) => {
        this.lines.push(JSON.parse(text) as Line);
        this.#wake();
      });
    }
    stderr?.setEncoding('utf8').on('data', (part: string) => {
      this.stderr += part;
      this.#wake();
    });
  }

  static async start(): Promise<Guarded> {
    const guarded = new Guarded();
    const { pid, daemonId } = await guarded.line('ready');
    guarded.pid = pid;
    guarded.daemonId = daemonId;
    return guarded;
  }

  order(order: object): void {
    this.launcher.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Resolves when each has said `up`. */
  async agents(...scripts: readonly string[]): Promise<void> {
    this.order({ do: 'agents', scripts });
    await this.until(() => this.all('line').filter(({ text }) => text === 'up').length >= scripts.length);
  }

  /** Answers when the renewal was sent. */
  async lease(freezeMs: number, killMs: number): Promise<number> {
    const { length } = this.all('leased');
    this.order({ do: 'lease', freezeMs, killMs });
    return (await this.line('leased', length)).sentAt;
  }

  all<T extends Line['type']>(type: T): readonly LineOf<T>[] {
    return this.lines.filter((line): line is LineOf<T> => line.type === type);
  }

  /** The n-th line of its kind, from 0. */
  async line<T extends Line['type']>(type: T, index = 0): Promise<LineOf<T>> {
    await this.until(() => this.all(type).length > index);
    const found = this.all(type)[index];
    if (found === undefined) {
      throw new Error('unreachable');
    }
    return found;
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#wakes.delete(wake);
          resolve();
        };
        this.#wakes.add(wake);
      });
    }
  }

  /** What the daemon started and lives, wherever it went. */
  started(): readonly ProcessEntry[] {
    return processEntries().filter((one) => one.daemonId === this.daemonId && !one.zombie && one.pid !== this.pid);
  }

  /** Resolves when this holds of what the daemon started: the system tells nobody, so it is asked. */
  async seeing(holds: (started: readonly ProcessEntry[]) => boolean): Promise<void> {
    while (!holds(this.started())) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** An agent that writes down when it last worked. */
  worker(name: string): string {
    const file = JSON.stringify(join(this.#folder, name));
    const now = `String(Number(process.hrtime.bigint()) / 1e6).padEnd(${momentLength})`;
    const work = `const fs = require("fs"); const fd = fs.openSync(${file}, "w"); setInterval(() => fs.writeSync(fd, ${now}, 0), 1);`;
    return `exec ${process.execPath} -e '${work} console.log("up")'`;
  }

  /** When it last worked, in milliseconds of the monotonic clock. */
  workedAt(name: string): number {
    const fd = openSync(join(this.#folder, name), 'r');
    const bytes = Buffer.alloc(momentLength);
    readSync(fd, bytes, 0, momentLength, 0);
    closeSync(fd);
    return Number(bytes.toString('latin1').split('\0')[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whatever is left of a test that failed: nobody of them is asked.
    if (this.launcher.exitCode === null && this.launcher.signalCode === null) {
      this.launcher.kill('SIGKILL');
      await this.#ended;
    }
    killDaemonProcessesNow(this.daemonId);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #wake(): void {
    for (const wake of this.#wakes) {
      wake();
    }
  }
}
