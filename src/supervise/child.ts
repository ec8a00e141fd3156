/**
 * One agent process: its group, its pipes, its end.
 *
 * Owns: the child handle, the three pipes, and at any time at most one rung timer, one settle pair and one sweep timer.
 * Called by: a driver. Calls: the four callbacks of `SpawnOptions`, never from within `spawnAgent` except `onProcess`, and
 * never from within a method of the child.
 *
 *   running ──close──► closing ──grace──► terminating ──grace──► killing ──deadline──► given up
 *      │ kill ─────────────────────────────────▲ │                  │                      │
 *      └────────────── the system says `exit` ◄──┴──────────────────┘                      │
 *                         │ settle: read on                                                │
 *                         ▼                                                                │
 *                      sweep: the group, until nobody is left ──────────────► onExit ◄─────┘
 *
 * Invariants:
 *  C-1 `onExit` is called exactly once and last: the leader is reaped and its group has no living member, or the reap
 *      deadline has passed and the report names what is left.
 *  C-2 The end of the leader is known from its `exit` event alone. Pipes prove nothing: a grandchild may hold them.
 *  C-3 After an end of its own the pipes are read on until they end, are silent for `settleQuietMs`, or `settleMaxMs` is
 *      over; after an end that we forced they are dropped at once.
 *  C-4 Every rung has one deadline from its begin. A rung is never entered twice and never left downwards.
 *  C-5 The first cause is kept: what its own remedies provoke never replaces it.
 *  C-6 Lines are written whole, in the order of the calls, at once. More than `writeMaxBytes` unread break the channel.
 *  C-7 stderr is always drained; its last 16 KiB are kept.
 *  C-8 Only our own group is signalled: its number is not given away while the leader is unreaped or a member lives.
 */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { Environment } from './environment.ts';
import { cookieName } from './environment.ts';
import type { LineFrame } from './lines.ts';
import { LineSplitter } from './lines.ts';
import { groupAlive, groupMembers, processInfo, signal } from './processes.ts';
import { ByteTail } from './tail.ts';
import type { Timers } from './timers.ts';
import { realTimers } from './timers.ts';

export interface ChildIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly cookie: string;
}

/**
 * Why the child ended. `exited`: by itself with code 0; `crashed`: by itself with another code, or by a signal that is not
 * ours; `closed` and `killed`: by the method of that name; `channel_broken`: it stopped reading, or hung up while alive;
 * `unrecorded`: `onProcess` threw; `spawn_failed`: there never was one. Drivers add their own through `kill(cause)`.
 */
export type ExitReason =
  | 'exited'
  | 'crashed'
  | 'closed'
  | 'killed'
  | 'channel_broken'
  | 'unrecorded'
  | 'spawn_failed'
  | (string & {});

export interface ChildExit {
  readonly reason: ExitReason;
  readonly code: number | null;
  readonly signal: string | null;
  /** How far the ladder had to go; null when it was not needed. */
  readonly rung: 'close' | 'term' | 'kill' | null;
  /** Last 16 KiB of stderr. */
  readonly stderr: string;
  /** Pids that outlived the reap deadline; empty when all is gone. */
  readonly left: readonly number[];
  /** What failed, and what to do about it; null where the reason says it all. */
  readonly message: string | null;
  readonly hint: string | null;
}

export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment but the cookie; nothing is inherited. */
  readonly env: Environment;
  /** Makes the cookie: unique and not to be guessed. Default: UUIDv4. */
  readonly ids?: () => string;
  readonly timers?: Timers;
  /** Called within `spawnAgent`, once, before anything is written. When it throws, the child is killed. */
  readonly onProcess?: (identity: ChildIdentity) => void;
  /** A whole line, or what was wrong with one: in order, none after `onExit`. */
  readonly onFrame: (frame: LineFrame) => void;
  readonly onExit: (exit: ChildExit) => void;
  /** Longest line of stdout. Default 8 MiB. */
  readonly lineMaxBytes?: number;
  /** Bytes written and not yet taken by the system. Default 64 MiB. */
  readonly writeMaxBytes?: number;
  /** From the end of stdin to SIGTERM. Default 2,000. */
  readonly closeGraceMs?: number;
  /** From SIGTERM to SIGKILL. Default 1,000. */
  readonly termGraceMs?: number;
  /** From SIGKILL, or from the leader's end, to giving up on what is left. Default 5,000. */
  readonly reapDeadlineMs?: number;
  /** Default 100 and 2,000: 5,000,000 of 5,000,000 bytes came through so, behind a grandchild that kept the pipe. */
  readonly settleQuietMs?: number;
  readonly settleMaxMs?: number;
}

export interface AgentChild {
  /** Null: it could not be spawned. */
  readonly identity: ChildIdentity | null;
  /** Writes one line; `line` holds no newline. False: the channel is broken or ended, and nothing was written. */
  writeLine(line: string): boolean;
  /** Ends stdin, then the ladder. */
  close(): void;
  /** The ladder from SIGTERM on. `cause` becomes the reason, unless there is an earlier one. */
  kill(cause?: ExitReason): void;
}

const stderrTailBytes = 16 * 1024;
/** A pipe that breaks because the child has just died tells so before `exit` does: wait for the better reason. */
const hangUpGraceMs = 100;
const sweepPollMs: readonly number[] = [1, 2, 5, 10, 20, 50];

type Rung = 'close' | 'term' | 'kill';
type Phase = 'running' | 'settling' | 'sweeping' | 'over';
type Pipes = ChildProcessByStdio<Writable, Readable, Readable>;

export function spawnAgent(options: SpawnOptions): AgentChild {
  return new Child(options);
}

class Child implements AgentChild {
  readonly #options: SpawnOptions;
  readonly #timers: Timers;
  readonly #stderr = new ByteTail(stderrTailBytes);
  #process: Pipes | null = null;
  #phase: Phase = 'running';
  #rung: Rung | null = null;
  #cause: ExitReason | null = null;
  #code: number | null = null;
  #signal: string | null = null;
  #writable = false;
  #openPipes = 0;
  #cancelRung = (): void => {};
  #cancelQuiet = (): void => {};
  #cancelSettle = (): void => {};
  #cancelHangUp = (): void => {};
  identity: ChildIdentity | null = null;

  constructor(options: SpawnOptions) {
    this.#options = options;
    this.#timers = options.timers ?? realTimers;
    const cookie = (options.ids ?? randomUUID)();
    try {
      this.#adopt(
        spawn(options.command, [...options.args], {
          cwd: options.cwd,
          env: { ...options.env, [cookieName]: cookie },
          detached: true,
          stdio: ['pipe', 'pipe', 'pipe'],
        }),
        cookie,
      );
    } catch (error) {
      // Some failures are thrown (too many files, no rights), others come as an event: both are told later, as one.
      process.nextTick(() => this.#neverWas(error));
    }
  }

  writeLine(line: string): boolean {
    const stdin = this.#process?.stdin;
    if (!this.#writable || stdin === undefined) return false;
    stdin.write(`${line}\n`);
    if (stdin.writableLength > (this.#options.writeMaxBytes ?? 64 * 1024 * 1024)) this.#breakChannel();
    return true;
  }

  close(): void {
    if (this.#rung !== null || this.#phase !== 'running') return;
    this.#cause ??= 'closed';
    this.#writable = false;
    this.#process?.stdin.end();
    this.#enter('close');
  }

  kill(cause: ExitReason = 'killed'): void {
    if (this.#phase === 'settling') this.#timers.set(0, () => this.#sweep());
    if (this.#phase !== 'running' || this.#rung === 'term' || this.#rung === 'kill') return;
    this.#cause ??= cause;
    this.#writable = false;
    this.#enter('term');
  }

  #adopt(child: Pipes, cookie: string): void {
    this.#process = child;
    child.on('error', (error) => {
      if (child.pid === undefined) this.#neverWas(error);
    });
    // Read at once: until the loop turns nobody can have reaped it, so the entry is there even if it has ended.
    const info = child.pid === undefined ? null : processInfo(child.pid);
    if (child.pid === undefined) return;
    this.identity = { pid: child.pid, startTime: info?.startTime ?? '', cookie };
    this.#writable = true;
    this.#openPipes = 2;
    child.on('exit', (code, signalName) => this.#onLeaderExit(code, signalName));
    child.stdin.on('error', () => this.#hangUp());
    const lines = new LineSplitter(this.#options.lineMaxBytes ?? 8 * 1024 * 1024, (frame) => {
      if (this.#phase !== 'over') this.#options.onFrame(frame);
    });
    this.#read(
      child.stdout,
      (chunk) => lines.push(chunk),
      () => lines.end(),
    );
    this.#read(
      child.stderr,
      (chunk) => this.#stderr.push(chunk),
      () => {},
    );
    try {
      this.#options.onProcess?.(this.identity);
    } catch {
      // An agent that is not on record must not live: nobody could end it after a crash of the daemon.
      this.kill('unrecorded');
    }
  }

  #read(stream: Readable, take: (chunk: Buffer) => void, end: () => void): void {
    stream.on('data', (chunk: Buffer) => {
      take(chunk);
      if (this.#phase === 'settling') this.#listenForQuiet();
    });
    stream.on('error', () => {});
    // `close` comes after `end`, after an error and after `destroy`: the one event that is sure to come.
    stream.on('close', () => {
      end();
      this.#openPipes -= 1;
      if (this.#phase === 'settling' && this.#openPipes === 0) this.#sweep();
    });
  }

  #hangUp(): void {
    this.#writable = false;
    if (this.#phase !== 'running' || this.#rung !== null) return;
    this.#cancelHangUp();
    this.#cancelHangUp = this.#timers.set(hangUpGraceMs, () => this.#breakChannel());
  }

  #breakChannel(): void {
    this.kill('channel_broken');
  }

  #enter(rung: Rung): void {
    this.#cancelRung();
    this.#rung = rung;
    if (rung === 'close') {
      this.#cancelRung = this.#timers.set(this.#options.closeGraceMs ?? 2_000, () => this.#enter('term'));
    } else if (rung === 'term') {
      this.#signalGroup('SIGTERM');
      this.#cancelRung = this.#timers.set(this.#options.termGraceMs ?? 1_000, () => this.#enter('kill'));
    } else {
      this.#signalGroup('SIGKILL');
      this.#cancelRung = this.#timers.set(this.#options.reapDeadlineMs ?? 5_000, () => this.#giveUp());
    }
  }

  #signalGroup(name: NodeJS.Signals): void {
    if (this.identity !== null) signal(-this.identity.pid, name);
  }

  #onLeaderExit(code: number | null, signalName: string | null): void {
    if (this.#phase !== 'running') return;
    this.#code = code;
    this.#signal = signalName;
    this.#writable = false;
    this.#cancelRung();
    this.#cancelHangUp();
    const forced = this.#rung === 'term' || this.#rung === 'kill';
    if (forced || this.#openPipes === 0) {
      this.#sweep();
      return;
    }
    this.#phase = 'settling';
    this.#cancelSettle = this.#timers.set(this.#options.settleMaxMs ?? 2_000, () => this.#sweep());
    this.#listenForQuiet();
  }

  #listenForQuiet(): void {
    this.#cancelQuiet();
    this.#cancelQuiet = this.#timers.set(this.#options.settleQuietMs ?? 100, () => this.#sweep());
  }

  #sweep(): void {
    if (this.#phase === 'sweeping' || this.#phase === 'over') return;
    this.#phase = 'sweeping';
    this.#cancelQuiet();
    this.#cancelSettle();
    this.#dropPipes();
    let expired = false;
    const cancel = this.#timers.set(this.#options.reapDeadlineMs ?? 5_000, () => {
      expired = true;
    });
    const look = (polls: number): void => {
      if (this.identity === null || expired || !groupAlive(this.identity.pid)) {
        cancel();
        this.#finish();
        return;
      }
      this.#signalGroup('SIGKILL');
      this.#timers.set(sweepPollMs[polls] ?? 50, () => look(polls + 1));
    };
    look(0);
  }

  #giveUp(): void {
    this.#dropPipes();
    this.#process?.unref();
    this.#finish();
  }

  #dropPipes(): void {
    for (const pipe of [this.#process?.stdin, this.#process?.stdout, this.#process?.stderr]) pipe?.destroy();
  }

  #neverWas(error: unknown): void {
    if (this.#phase === 'over') return;
    const { command, cwd } = this.#options;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    this.#dropPipes();
    // A missing working directory is reported by the system as a missing command.
    const noDirectory = code === 'ENOENT' && cwd !== undefined && !existsSync(cwd);
    const hints: { [code: string]: string } = {
      ENOENT: noDirectory
        ? `The working directory ${cwd} does not exist: make it, or configure another one.`
        : `No program ${command} was found: install it, or configure its full path; PATH is ${this.#options.env['PATH'] ?? 'not set'}.`,
      EACCES: `${command} may not be executed by this user: check its mode and its directory's.`,
      EMFILE: 'The daemon has too many open files: raise its limit (ulimit -n), or lower the number of agents.',
      EAGAIN: 'This user has too many processes: raise the limit (ulimit -u), or lower the number of agents.',
      E2BIG: 'Arguments and environment are too long together.',
    };
    this.#finish({
      reason: 'spawn_failed',
      message: `cannot start ${command}: ${code}`,
      hint: hints[code] ?? `The system refused to start ${command}.`,
    });
  }

  #finish(failure?: { readonly reason: ExitReason; readonly message: string; readonly hint: string }): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#writable = false;
    for (const cancel of [this.#cancelRung, this.#cancelQuiet, this.#cancelSettle, this.#cancelHangUp]) cancel();
    // The cheap question first: the list costs a walk through all processes.
    const group = this.identity?.pid ?? null;
    const left = group === null || !groupAlive(group) ? [] : groupMembers(group).map((info) => info.pid);
    this.#options.onExit({
      reason: failure?.reason ?? this.#cause ?? (this.#code === 0 ? 'exited' : 'crashed'),
      code: this.#code,
      signal: this.#signal,
      rung: this.#rung,
      stderr: this.#stderr.text(),
      left,
      message: failure?.message ?? (left.length > 0 ? `still running after SIGKILL: ${left.join(', ')}` : null),
      hint:
        failure?.hint ??
        (left.length > 0 ? 'The system holds them (often a stuck mount): look at their wait channel.' : null),
    });
  }
}
