/** A supervised fixture child, watched event by event. */
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import type {
  AgentChild,
  ChannelBroken,
  ChildExit,
  ChildIdentity,
  LineFrame,
  PlatformLack,
  SpawnOptions,
  Timers,
} from '../../src/supervise/index.ts';
import { pause, platformLacks, processInfo, realTimers, spawnAgent } from '../../src/supervise/index.ts';

const fixture = fileURLToPath(new URL('fixtures/child.mjs', import.meta.url));
const deadlineMs = 20_000;

export class Watched implements AsyncDisposable {
  readonly frames: LineFrame[] = [];
  readonly exits: ChildExit[] = [];
  readonly identities: ChildIdentity[] = [];
  readonly brokens: ChannelBroken[] = [];
  /** `performance.now()` of the calls. */
  readonly brokenAt: number[] = [];
  readonly exitedAt: number[] = [];
  readonly child: AgentChild;
  readonly #waiters = new Set<() => void>();

  constructor(acts: readonly string[], options: Partial<SpawnOptions> & { readonly ready?: boolean } = {}) {
    this.child = spawnAgent({
      command: process.execPath,
      args: [fixture, ...acts],
      env: { PATH: process.env['PATH'] ?? '' },
      closeGraceMs: 300,
      termGraceMs: 300,
      ...options,
      onProcess: (identity) => {
        this.identities.push(identity);
        options.onProcess?.(identity);
      },
      onFrame: (frame) => {
        this.frames.push(frame);
        this.#wake();
        options.onFrame?.(frame);
      },
      onExit: (exit) => {
        this.exitedAt.push(performance.now());
        this.exits.push(exit);
        this.#wake();
        options.onExit?.(exit);
      },
      onBroken: (error) => {
        this.brokenAt.push(performance.now());
        this.brokens.push(error);
        this.#wake();
        options.onBroken?.(error);
      },
    });
    if (options.ready !== false) {
      this.child.ready();
    }
  }

  /** Lets the loop turn. */
  static async turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves when the system no longer knows the pid; it tells nobody, so it is asked. */
  static async reaped(pid: number): Promise<void> {
    while (processInfo(pid) !== null) {
      await pause(realTimers, 2);
    }
  }

  /** Resolves when the process has left the group that it was born in: `setsid` takes a moment. */
  static async inGroupOfItsOwn(pid: number): Promise<void> {
    for (let info = processInfo(pid); info !== null && info.group !== pid; info = processInfo(pid)) {
      await pause(realTimers, 2);
    }
  }

  get lines(): readonly string[] {
    return this.frames.flatMap((frame) => (frame.kind === 'line' ? [frame.text] : []));
  }

  get pid(): number {
    return this.child.identity?.pid ?? 0;
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve, reject) => {
        const wake = (): void => {
          cancel();
          this.#waiters.delete(wake);
          resolve();
        };
        const cancel = realTimers.set(deadlineMs, () => {
          this.#waiters.delete(wake);
          reject(new Error(`${what} did not come; lines: ${JSON.stringify(this.lines.slice(-20))}`));
        });
        this.#waiters.add(wake);
      });
    }
  }

  /** The n-th line, from 0. */
  async line(index: number): Promise<string> {
    await this.until(`line ${index}`, () => this.lines.length > index);
    return this.lines[index] ?? '';
  }

  async exit(): Promise<ChildExit> {
    await this.until('exit', () => this.exits.length > 0);
    const [exit] = this.exits;
    if (exit === undefined) {
      throw new Error('unreachable');
    }
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill();
    await this.exit();
  }

  #wake(): void {
    for (const wake of this.#waiters) {
      wake();
    }
  }
}

/** No such process, or only its entry is left. */
export function isGone(pid: number): boolean {
  const info = processInfo(pid);
  return info === null || info.zombie;
}

/** Leaves a test out, by the platform's own reason, where the platform lacks one of these. */
export function needs(context: TestContext, ...names: readonly PlatformLack['name'][]): void {
  const lack = platformLacks().find(({ name }) => name === 'process-list' || names.includes(name));
  if (lack !== undefined) {
    context.skip(`${lack.name}: ${lack.reason}`);
  }
}

/** Time that the test turns. */
export class HandTimers implements Timers {
  readonly armed = new Map<() => void, number>();

  set(ms: number, fn: () => void): () => void {
    this.armed.set(fn, ms);
    return () => this.armed.delete(fn);
  }

  get delays(): number[] {
    return [...this.armed.values()];
  }

  /** Resolves when a timer of this length is armed. */
  async armedWith(ms: number): Promise<void> {
    while (!this.delays.includes(ms)) {
      await Watched.turns(1);
    }
  }

  /** Fires the one timer that is armed. */
  fire(): void {
    const [[fn] = []] = this.armed;
    if (fn === undefined) {
      throw new Error('nothing is armed');
    }
    this.armed.delete(fn);
    fn();
  }
}
