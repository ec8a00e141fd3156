/** What a child is given, what it answers, and how its end is told. */
import type { Environment } from './environment.ts';
import type { ChannelBroken } from '../channel/errors.ts';
import type { LineFrame } from '../channel/lines.ts';
import type { PendingWaits } from '../pending-waits.ts';
import type { SandboxPlan } from '../sandbox/plan.ts';
import type { ProcessScanner } from './scanner.ts';
import type { Timers } from '../timers.ts';

export interface ChildIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly cookie: string;
}

/**
 * Why the child ended. `exited`: by itself with code 0; `crashed`: by itself with another code, or by a signal that is not
 * ours; `closed` and `killed`: by the method of that name; `channel_broken`: it stopped reading, or closed its stdin or
 * stdout while alive; `unrecorded`: `onProcess` threw; `unread`: `onFrame` or `onBytes` threw; `spawn_failed`: there never
 * was one. Drivers add their own through `kill(cause)`.
 */
export type ExitReason =
  | 'exited'
  | 'crashed'
  | 'closed'
  | 'killed'
  | 'channel_broken'
  | 'unrecorded'
  | 'unread'
  | 'spawn_failed'
  | (string & {});

/** A rung of the ladder: the protocol's own end, SIGTERM to the group, SIGKILL to the group. */
export type Rung = 'close' | 'term' | 'kill';

export interface ChildExit {
  readonly reason: ExitReason;
  readonly code: number | null;
  readonly signal: string | null;
  /** How far the ladder had to go; null when it was not needed. */
  readonly rung: Rung | null;
  /** Last 16 KiB of stderr. */
  readonly stderr: string;
  /** Pids of the group, or that had left it, which outlived the reap deadline; empty when all is gone. */
  readonly left: readonly number[];
  /** What failed, and what to do about it; null where the reason says it all. */
  readonly message: string | null;
  readonly hint: string | null;
}

export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** What it is called in reports. Default: the command without its folder. */
  readonly name?: string;
  readonly cwd?: string;
  /** The whole environment but the cookies; nothing is inherited. */
  readonly env: Environment;
  /** It runs in this sandbox, with all that it starts. Default: none. A signal that ends it is told as exit code 128 and its number. */
  readonly inSandbox?: SandboxPlan;
  /** Makes the cookie: unique and not to be guessed. Default: UUIDv4. */
  readonly ids?: () => string;
  /** The daemon's own cookie, which everything it starts carries. Default: SIGNALBOX_DAEMON_ID of this process; null: none. */
  readonly daemonId?: string | null;
  /**
   * Steps of niceness (nice(1)) below ours, for it and all that it starts: what it burns must not keep us from whoever is
   * urgent. Default 0.
   */
  readonly nice?: number;
  readonly timers?: Timers;
  readonly waits?: PendingWaits;
  readonly scanner?: ProcessScanner;
  /** Called within `spawnAgent`, once, before anything is written. When it throws, the child is killed. */
  readonly onProcess?: (identity: ChildIdentity) => void;
  /** A whole line, or what was wrong with one: in order, none after `onExit`. When it throws, the child is killed. */
  readonly onFrame: (frame: LineFrame) => void;
  /** Output as it comes, for a program that speaks no lines: then `onFrame` is not called. When it throws, the child is killed. */
  readonly onBytes?: (chunk: Buffer, from: 'stdout' | 'stderr') => void;
  /** `none`: stdin ends at once. Default `lines`. */
  readonly input?: 'lines' | 'none';
  /**
   * Nothing that is asked of the child is answered any more: called once, before `onExit`, within 50 ms of the leader's end,
   * with SIGKILL, or when it has closed its pipes and lives; also while somebody holds its pipes. A line that was read later may still come.
   */
  readonly onBroken?: (error: ChannelBroken) => void;
  readonly onExit: (exit: ChildExit) => void;
  /** Told of what `onBroken` and `onExit` throw; it goes no further. Default: a warning of the process. */
  readonly onError?: (error: unknown, where: string) => void;
  /** Longest line of stdout. Default 8 MiB. */
  readonly lineMaxBytes?: number;
  /** Bytes and lines written and not yet taken by the system. Default 64 MiB and 10,000. */
  readonly writeMaxBytes?: number;
  readonly writeMaxLines?: number;
  /** From the end of stdin to SIGTERM. Default 2,000. */
  readonly closeGraceMs?: number;
  /** From SIGTERM to SIGKILL. Default 1,000. */
  readonly termGraceMs?: number;
  /** From SIGKILL, or from the leader's end, to giving up on what is left. Default 5,000. */
  readonly reapDeadlineMs?: number;
  /**
   * Default 100 and 2,000: 5,000,000 of 5,000,000 bytes came through so, behind a grandchild that kept the pipe. Neither is
   * waited for before the child is ready: whoever waits for the start is told why it failed.
   */
  readonly settleQuietMs?: number;
  readonly settleMaxMs?: number;
}

export interface AgentChild {
  /** Its name and pid, for reports. */
  readonly label: string;
  /** Null: it could not be spawned. */
  readonly identity: ChildIdentity | null;
  /** Writes one line; `line` holds no newline. False: the channel is broken or ended, and nothing was written. */
  writeLine(line: string): boolean;
  /** It has said that it is ready. Changes nothing but how a later end is told. */
  ready(): void;
  /** The last of its stderr so far, at most 16 KiB. */
  stderrTail(): string;
  /** Ends stdin, then the ladder. */
  close(): void;
  /** The ladder from SIGTERM on. `cause` becomes the reason, unless there is an earlier one. */
  kill(cause?: ExitReason): void;
}
