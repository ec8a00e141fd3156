/**
 * What launcher and daemon say to each other over the control socket: one JSON object per line, a handful of bytes. The socket
 * is file descriptor 3 of the daemon. Its end is the message that matters most: to the daemon it says that the launcher is
 * gone, and it comes however that went. Moments are milliseconds of the monotonic clock, which both processes share.
 */
import type { HangTrigger } from '../../core/model/hang.ts';
import type { Lease } from '../guard/lease.ts';
import type { HangSummary } from '../watchdog/report.ts';

/** The daemon's end of the socket. */
export const controlFd = 3;

export type ToDaemon =
  /** Come to an end gracefully; `why` is for the person who reads it. */
  | { readonly type: 'end'; readonly why: string }
  | { readonly type: 'report'; readonly id: number; readonly trigger: HangTrigger }
  | { readonly type: 'heartbeat' }
  /** Asks the main loop for `pong`. */
  | { readonly type: 'ping' }
  /** The lease was not renewed in time: since then all that the daemon started stands still. Of the monotonic clock. */
  | { readonly type: 'frozen'; readonly since: number }
  /** So long it stood still. */
  | { readonly type: 'thawed'; readonly ms: number };

export type FromDaemon =
  /** The data folder is ours: what concerns it may be served from now on. */
  | { readonly type: 'up'; readonly folder: string; readonly graceMs: number }
  /** The main loop has read `end`. */
  | { readonly type: 'ending' }
  /** Everything is closed: the process ends now, with this exit code. */
  | { readonly type: 'bye'; readonly code: number }
  /** From the watchdog: how long the main loop has given no sign of life. */
  | { readonly type: 'heartbeat'; readonly lagMs: number; readonly at: number }
  /** From the main loop, which ran at this moment. */
  | { readonly type: 'pong'; readonly at: number }
  /** The lease on a database that several daemons share was renewed. */
  | ({ readonly type: 'lease' } & Lease)
  /** There is no lease to keep any more. */
  | { readonly type: 'lease-over' }
  | {
      readonly type: 'reported';
      readonly id: number;
      readonly report: HangSummary | null;
      readonly problem: string | null;
    };

/** Null: it is not one of these messages. */
export function read<M extends ToDaemon | FromDaemon>(line: string): M | null {
  try {
    const message: unknown = JSON.parse(line);
    return typeof message === 'object' && message !== null && 'type' in message ? (message as M) : null;
  } catch {
    return null;
  }
}
