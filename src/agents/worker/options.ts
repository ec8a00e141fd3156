/** What a user may set for a worker, and the record of a thread that could not be ended. */
import type { ResourceLimits } from 'node:worker_threads';
import type { Environment, Timers } from '../../supervise/index.ts';

export interface WorkerDriverOptions {
  /** File of the module, absolute, or its URL. */
  readonly module: string;
  /** Name of the function among its exports. Default: `default`. Its export `options` may hold steer, rewind, models, knows, keepsPrompts. */
  readonly exported?: string;
  /** Default: `worker`. */
  readonly name?: string;
  /** Whom its model requests go to. Default: its name. */
  readonly provider?: string;
  /** Variables of the thread's `process.env`; they win over those passed on. */
  readonly env?: Environment;
  /** Names of the daemon's own variables that are passed on. Default: `commonVariables`. */
  readonly passEnv?: readonly string[];
  /** The environment that `passEnv` picks from. Default: the daemon's. */
  readonly ambient?: Readonly<{ [name: string]: string | undefined }>;
  /** Bounds of its heap; a thread that exceeds them ends as crashed. */
  readonly resourceLimits?: ResourceLimits;
  /** Until its module is loaded. Default 10,000. */
  readonly startDeadlineMs?: number;
  /** From `close` to the end by force. Default 2,000. */
  readonly closeGraceMs?: number;
  /** How long the end by force may take before the thread is abandoned. Default 1,000. */
  readonly terminateDeadlineMs?: number;
  /** With so many abandoned threads no other is started: the daemon needs a restart. Default 4. */
  readonly abandonedMax?: number;
  /** A thread that is busy for so long without a pause during a turn is reported once. Default 10,000. */
  readonly busyNoticeMs?: number;
  readonly timers?: Timers;
}

/** A thread that could not be ended: it is stuck in a system call, where no JavaScript runs. */
export interface AbandonedThread {
  readonly name: string;
  /** `performance.now()` when it was abandoned. */
  readonly since: number;
}
