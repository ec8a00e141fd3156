/**
 * The launcher: a parent without code of anybody else's. It owns the signals, the kill ladder and the exit code; the daemon is
 * its child, in a group and session of its own, and does whatever it does.
 *
 * Owns: the child, its control socket, at most one timer for each rung, the list of who is told what, the guard of the lease.
 *
 *   running ──first signal──► ending ──grace──► dump ──► SIGTERM ──term──► SIGKILL ──► exit ──► sweep ──► exit code
 *      │                        │ └─ said goodbye, and does not go ────────────► ▲        ▲
 *      │                        └────────── second signal ───────────────────────┘        │
 *      └───────── the daemon ends by itself ──────────────────────────────────────────────┘
 *
 * Invariants:
 *  launcher/1 Whatever the daemon's threads do, it is gone at the latest `graceMs + dumpMs + termMs` after the first signal
 *             where its main loop does not react, and at once after the second.
 *  launcher/2 The end of the daemon is known from `exit` alone, and everything that carries its cookie is ended behind it.
 *  launcher/3 The exit code is the daemon's own where it came to its own end, by a signal's number where it was ended.
 *  launcher/4 Without a terminal SIGHUP means nothing: there is none to hang up.
 *  launcher/5 Nothing is imported here that a start does not need.
 *  launcher/6 Once the daemon has told of a lease, nothing that it started works past the lease's end, whether daemon and launcher were
 *             held up or not; see guard/1 to guard/4. An end that is asked for does not wait for what is frozen.
 */
import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { daemonIdName } from '../process/environment.ts';
import { endDaemonProcesses, killDaemonProcessesNow } from '../process/leftovers.ts';
import { LineSplitter } from '../channel/lines.ts';
import { signalGroup } from '../platform/processes.ts';
import type { ReportSocket, ReportAnswer } from './report-socket.ts';
import type { LeaseGuard } from '../guard/lease-guard.ts';
import type { HangTrigger } from '../../core/model/hang.ts';
import type { HangSummary } from '../watchdog/report.ts';
import type { FromDaemon, ToDaemon } from './control-messages.ts';
import { controlFd, read } from './control-messages.ts';
import { hasTerminal } from './terminal.ts';

/** Milliseconds; what is not said here comes from the configuration, through the daemon. */
interface LaunchTimes {
  /** One Ctrl-C comes twice where npm runs us: from the terminal, and passed on by npm. So soon is no second one. */
  readonly sameKeyMs: number;
  /** The main loop reads its mail in milliseconds. One that has not in this time is looked at. */
  readonly ackMs: number;
  /** How long a report is waited for: longer than a stack is; it takes a fraction of that. */
  readonly dumpMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly termMs: number;
  /** A process that has said goodbye goes in milliseconds, unless a thread of it is stuck in native code. */
  readonly goneMs: number;
  /** After the grace, agents that are being ended may take their own ladder's time, as long as the main loop lives. */
  readonly closeMs: number;
  /** A main loop that is silent so long while it should be closing is blocked. */
  readonly hangMs: number;
  /** Before the daemon has said what is configured. */
  readonly graceMs: number;
}

const launchTimes: LaunchTimes = {
  sameKeyMs: 500,
  ackMs: 1_000,
  dumpMs: 3_000,
  termMs: 1_000,
  goneMs: 500,
  closeMs: 16_000,
  hangMs: 2_000,
  graceMs: 10_000,
};

interface LaunchOptions {
  /** The daemon's program, for this Node. */
  readonly program: string;
  readonly args: readonly string[];
  /** Something for the person at the terminal. */
  readonly say: (text: string) => void;
  readonly times?: Partial<LaunchTimes>;
}

/** How it ended. `lost`: the daemon died of something that was not asked for. */
export type LaunchEnd =
  | { readonly kind: 'exit'; readonly code: number }
  | {
      readonly kind: 'lost';
      readonly how: string;
      readonly pid: number;
      readonly ended: readonly number[];
      readonly left: readonly number[];
    }
  | { readonly kind: 'not-started'; readonly error: Error };

const signals = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
type EndSignal = keyof typeof signals;
const exitCodeOf = (why: string): number => 128 + (signals[why as EndSignal] ?? signals.SIGTERM);

/** Starts the daemon and resolves when it, and everything that it started, is gone. */
export function launch(options: LaunchOptions): Promise<LaunchEnd> {
  return new Launcher(options).run();
}

type Phase = 'running' | 'ending' | 'forcing' | 'killed';

class Launcher {
  readonly #options: LaunchOptions;
  readonly #times: LaunchTimes;
  readonly #daemonId = randomUUID();
  readonly #end = Promise.withResolvers<LaunchEnd>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #asked = new Map<number, (report: HangSummary | null) => void>();
  #child: ChildProcess | null = null;
  #control: (Readable & Writable) | null = null;
  #phase: Phase = 'running';
  #why = '';
  #firstAt = 0;
  #acked = false;
  #bye: number | null = null;
  #graceMs: number;
  #lag = { ms: 0, at: 0 };
  #reports = 0;
  #reportSocket: ReportSocket | null = null;
  #reported: HangSummary | null = null;
  #guard: LeaseGuard | null = null;
  #guarding: Promise<LeaseGuard> | null = null;

  constructor(options: LaunchOptions) {
    this.#options = options;
    this.#times = { ...launchTimes, ...options.times };
    this.#graceMs = this.#times.graceMs;
  }

  run(): Promise<LaunchEnd> {
    const { spawn } = process.getBuiltinModule('node:child_process');
    const { program, args } = this.#options;
    try {
      const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
        // A group and session of its own: the terminal's Ctrl-C is for us alone.
        detached: true,
        env: { ...process.env, [daemonIdName]: this.#daemonId },
        stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
      });
      this.#adopt(child);
    } catch (error) {
      this.#notStarted(error);
    }
    return this.#end.promise;
  }

  #adopt(child: ChildProcess): void {
    this.#child = child;
    child.once('error', (error) => {
      if (child.pid === undefined) {
        this.#notStarted(error);
      }
    });
    child.once('exit', (code, signal) => void this.#onExit(code, signal));
    const control = child.stdio[controlFd] as (Readable & Writable) | null | undefined;
    this.#control = control ?? null;
    const lines = new LineSplitter(256 * 1024, (frame) => {
      const message = frame.kind === 'line' ? read<FromDaemon>(frame.text) : null;
      if (message !== null) {
        this.#onDaemon(message);
      }
    });
    control?.on('data', (chunk: Buffer) => lines.push(chunk));
    control?.on('error', () => {});
    control?.on('close', () => this.#onControlClosed());
    for (const name of Object.keys(signals) as EndSignal[]) {
      process.on(name, this.#onSignal);
    }
    if (process.channel !== undefined) {
      process.once('disconnect', this.#onParentGone);
    }
    // A terminal that has gone away must not end us before the daemon.
    process.stderr.on('error', () => {});
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    if (name === 'SIGHUP' && !hasTerminal()) {
      return;
    }
    if (this.#phase === 'running') {
      this.#begin(name);
    } else if (performance.now() - this.#firstAt >= this.#times.sameKeyMs) {
      this.#atOnce(name);
    }
  };

  readonly #onParentGone = (): void => {
    if (this.#phase === 'running') {
      this.#begin('the end of its parent');
    }
  };

  #onControlClosed(): void {
    this.#control = null;
    this.#answerAll();
    // Its threads are gone, or going; a main loop that lives still hears a signal.
    if (this.#phase === 'running' && this.#child?.exitCode === null && this.#child.signalCode === null) {
      this.#begin('the end of its control socket');
    }
  }

  #onDaemon(message: FromDaemon): void {
    switch (message.type) {
      case 'up':
        this.#graceMs = message.graceMs;
        void this.#openReportSocket(message.folder);
        return;
      case 'ending':
        this.#acked = true;
        return;
      case 'bye':
        this.#bye = message.code;
        this.#after(this.#times.goneMs, () => void this.#doesNotGo());
        return;
      case 'heartbeat':
        this.#lag = { ms: message.lagMs, at: performance.now() };
        this.#guard?.alive(message.at - message.lagMs);
        this.#send({ type: 'heartbeat' });
        return;
      case 'pong':
        this.#guard?.alive(message.at);
        return;
      case 'lease':
        void this.#guarded((guard) => guard.lease(message));
        return;
      case 'lease-over':
        void this.#guarded((guard) => guard.over());
        return;
      case 'reported':
        this.#asked.get(message.id)?.(message.report);
        this.#asked.delete(message.id);
        return;
    }
  }

  /** In the order of the messages; at once, when the guard is there. */
  async #guarded(then: (guard: LeaseGuard) => void): Promise<void> {
    if (this.#guard !== null) {
      then(this.#guard);
      return;
    }
    this.#guarding ??= this.#makeGuard();
    const guard = await this.#guarding;
    then(guard);
    this.#guard = guard;
  }

  /** Only a daemon that shares its database needs one. */
  async #makeGuard(): Promise<LeaseGuard> {
    const { LeaseGuard: Guard } = await import('../guard/lease-guard.ts');
    return new Guard({
      daemonId: this.#daemonId,
      daemonPid: this.#child?.pid ?? 0,
      ping: () => this.#send({ type: 'ping' }),
      say: this.#options.say,
      onFrozen: (since) => this.#send({ type: 'frozen', since }),
      onThawed: (ms) => this.#send({ type: 'thawed', ms }),
    });
  }

  async #openReportSocket(folder: string): Promise<void> {
    const { openReportSocket } = await import('./report-socket.ts');
    const { exitCode, signalCode } = this.#child ?? {};
    if (exitCode === null && signalCode === null) {
      this.#reportSocket ??= openReportSocket(folder, () => this.#answer());
    }
  }

  async #answer(): Promise<ReportAnswer> {
    const report = await this.#report('requested');
    if (report !== null) {
      return { report, problem: null };
    }
    const { silentReport } = await import('./stuck.ts');
    return { report, problem: silentReport(this.#child?.pid ?? 0) };
  }

  #begin(why: string): void {
    const { ackMs } = this.#times;
    this.#phase = 'ending';
    this.#why = why;
    this.#firstAt = performance.now();
    if (!this.#send({ type: 'end', why })) {
      this.#child?.kill('SIGTERM');
    }
    this.#after(ackMs, () => void this.#lookAtSilent());
    // Not before it could have answered, however short the grace is.
    this.#after(Math.max(ackMs, this.#graceMs), () => this.#graceOver());
  }

  /** The person who waits is told what the daemon is stuck in, before it is ended for that. */
  async #lookAtSilent(): Promise<void> {
    if (this.#acked || this.#phase !== 'ending') {
      return;
    }
    const report = await this.#report('end');
    if (this.#acked || this.#phase !== 'ending') {
      return;
    }
    const what = report === null ? 'it does not answer' : `${report.summary}\n  report ${report.file}`;
    const leftMs = Math.max(0, this.#graceMs - (performance.now() - this.#firstAt));
    this.#options.say(
      `${this.#why}: ${what}\nIt is ended in ${Math.ceil(leftMs / 1000)} s; once more, and everything ends at once.`,
    );
  }

  /** Since the main loop was last known to run. */
  get #silentMs(): number {
    return this.#lag.ms + (performance.now() - this.#lag.at);
  }

  #graceOver(): void {
    if (!this.#isClosing()) {
      return;
    }
    const { closeMs, hangMs, ackMs } = this.#times;
    if (!this.#acked || this.#silentMs >= hangMs + ackMs) {
      void this.#force();
      return;
    }
    const until = performance.now() + closeMs;
    const look = (): void => {
      if (!this.#isClosing()) {
        return;
      }
      if (this.#silentMs >= hangMs + ackMs || performance.now() >= until) {
        void this.#force();
      } else {
        this.#after(250, look);
      }
    };
    this.#after(250, look);
  }

  async #force(): Promise<void> {
    if (this.#phase !== 'ending') {
      return;
    }
    this.#phase = 'forcing';
    this.#reported ??= await this.#report('end');
    if (this.#isKilled() || this.#bye !== null) {
      return;
    }
    const what = this.#reported === null ? '' : `: ${this.#reported.summary}\n  report ${this.#reported.file}`;
    this.#options.say(`${this.#why}: the daemon has not ended in time and is ended by force${what}`);
    this.#signal('SIGTERM');
    this.#after(this.#times.termMs, () => this.#kill());
  }

  /** Whatever is closed is closed; a thread in native code keeps the process, and joins its exit for ever. */
  async #doesNotGo(): Promise<void> {
    if (this.#isKilled()) {
      return;
    }
    const { stuckReport } = await import('./stuck.ts');
    if (this.#isKilled()) {
      return;
    }
    this.#options.say(stuckReport(this.#child?.pid ?? 0));
    this.#kill();
  }

  #kill(): void {
    this.#phase = 'killed';
    this.#signal('SIGKILL');
  }

  /** One that has said goodbye is waited for by `#doesNotGo`; its socket closes a moment before its exit is seen. */
  #isClosing(): boolean {
    return this.#phase === 'ending' && this.#bye === null;
  }

  /** A method, since the phase changes while something is waited for. */
  #isKilled(): boolean {
    return this.#phase === 'killed';
  }

  #atOnce(name: NodeJS.Signals): void {
    this.#why = name;
    this.#bye = null;
    this.#kill();
    killDaemonProcessesNow(this.#daemonId);
  }

  #signal(name: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child ?? {};
    if (pid === undefined || exitCode !== null || signalCode !== null) {
      return;
    }
    if (!signalGroup(pid, name)) {
      this.#child?.kill(name);
    }
  }

  async #onExit(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    this.#answerAll();
    this.#reportSocket?.close();
    void this.#guarding?.then((guard) => guard.close());
    this.#guard?.close();
    const { ended, left } = await endDaemonProcesses(this.#daemonId);
    if (left.length > 0) {
      this.#options.say(`signalbox: could not be ended: process ${left.join(', ')}`);
    }
    for (const name of Object.keys(signals) as EndSignal[]) {
      process.off(name, this.#onSignal);
    }
    process.off('disconnect', this.#onParentGone);
    const pid = this.#child?.pid ?? 0;
    if (this.#bye !== null) {
      this.#end.resolve({ kind: 'exit', code: this.#bye });
    } else if (this.#phase === 'killed' || this.#phase === 'forcing') {
      this.#end.resolve({ kind: 'exit', code: exitCodeOf(this.#why) });
    } else if (code !== null) {
      this.#end.resolve({ kind: 'exit', code });
    } else {
      this.#end.resolve({ kind: 'lost', how: signal ?? 'an unknown signal', pid, ended, left });
    }
  }

  #report(trigger: HangTrigger): Promise<HangSummary | null> {
    this.#reports += 1;
    const id = this.#reports;
    return new Promise((resolve) => {
      const settle = (report: HangSummary | null): void => {
        this.#reported = report ?? this.#reported;
        this.#asked.delete(id);
        clearTimeout(late);
        this.#timers.delete(late);
        resolve(report);
      };
      const late = this.#after(this.#times.dumpMs, () => settle(null));
      this.#asked.set(id, settle);
      if (!this.#send({ type: 'report', id, trigger })) {
        settle(null);
      }
    });
  }

  /** Nobody answers any more. */
  #answerAll(): void {
    for (const settle of this.#asked.values()) {
      settle(null);
    }
  }

  #send(message: ToDaemon): boolean {
    if (this.#control === null) {
      return false;
    }
    this.#control.write(`${JSON.stringify(message)}\n`);
    return true;
  }

  #after(ms: number, then: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #notStarted(error: unknown): void {
    this.#end.resolve({ kind: 'not-started', error: error instanceof Error ? error : new Error(String(error)) });
  }
}
