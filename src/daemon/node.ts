/** How this daemon is one of several on one store. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { leaseTimes } from '../protocol/lease-times.ts';
import type { ClusterOptions, LeaseGuard } from '../runtime/cluster/options.ts';
import { monotonicMs } from '../supervise/index.ts';
import type { Logger } from '../server/options.ts';
import type { Watchdog } from '../supervise/watchdog/watchdog.ts';
import type { DaemonConfig } from './config/resolve.ts';
import { ruleFinder } from './config/session-rules.ts';

interface NodeParts {
  readonly config: Pick<DaemonConfig, 'node' | 'sessions'>;
  readonly folder: string;
  readonly pid: number;
  readonly version: string;
  readonly address: () => string | null;
  readonly guard: LeaseGuard | null;
}

/** The same for each start with this folder, and another for each folder of a machine. */
const nodeName = (folder: string): string => {
  const digest = createHash('sha256').update(folder).digest('hex');
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 90);
  return `${/^[A-Za-z0-9]/.test(host) ? host : 'node'}-${digest.slice(0, 4)}`;
};

/** The launcher counts on the clock of the system, the runtime on that of its process. */
export function guardOf(watch: Watchdog | undefined): LeaseGuard | null {
  if (watch === undefined) {
    return null;
  }
  const offset = monotonicMs() - performance.now();
  const { guard } = watch;
  return {
    lease: ({ sentAt, freezeAt, killAt }) =>
      guard.lease({ sentAt: sentAt + offset, freezeAt: freezeAt + offset, killAt: killAt + offset }),
    over: () => guard.over(),
    listen: (listener) => guard.listen(listener),
  };
}

function needsOf(sessions: DaemonConfig['sessions']): (session: string) => readonly string[] {
  const ruleOf = ruleFinder(sessions);
  return (session) => ruleOf(session)?.labels ?? [];
}

/** The first era that is met is settled as a rule, which is no news. */
function eraTeller(log: Logger, ttlMs: number): (settled: boolean) => void {
  let waits = false;
  return (settled) => {
    if (!settled) {
      const why = 'the database has failed over, or comes out of a backup';
      log.warn({ waitMs: ttlMs }, `${why}: for one time-to-live no session is claimed`);
    } else if (waits) {
      log.info({}, 'sessions are claimed again');
    }
    waits = !settled;
  };
}

export function nodeOptions({ config, folder, pid, version, address, guard }: NodeParts, log: Logger): ClusterOptions {
  const { name = nodeName(folder), ttlMs, pollMs, labels } = config.node;
  return {
    facts: { name, host: hostname(), pid, version, labels },
    needs: needsOf(config.sessions),
    times: leaseTimes(ttlMs),
    pollMs,
    address,
    onEra: eraTeller(log, ttlMs),
    note: (text) => log.info({}, text),
    ...(guard === null ? {} : { guard }),
  };
}
