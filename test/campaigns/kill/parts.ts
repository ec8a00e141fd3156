/** What the killed daemon is made of: the composition of `src/daemon`, with faults. */
import type { Faults } from '../../../src/store/faults.ts';
import { startDaemon as start, type Daemon } from '../../../src/daemon/daemon.ts';
import { resolveConfig } from '../../../src/daemon/config/resolve.ts';

export const scriptedFlags = (agentLog: string): readonly string[] => ['--log', agentLog, '--chunk-ms', '1'];

/** Its prompts let agents die on purpose: the breaker opens, and soon lets the next one try. */
const LIMITS = { maxAgents: 8, drainMs: 500, silenceMs: 2_000, startMs: 5_000, maxCrashes: 2, crashThrottleMs: 50 };

export async function startDaemon(folder: string, args: readonly string[], faults: Faults): Promise<Daemon> {
  const setting = (path: readonly string[], value: unknown) => ({ path, value, written: path.join('.') });
  const config = await resolveConfig({
    file: null,
    environment: {},
    flags: [
      setting(['listen', 'port'], 0),
      setting(['agent'], { name: 'scripted', args }),
      setting(['logLevel'], 'silent'),
      ...Object.entries(LIMITS).map(([name, value]) => setting(['limits', name], value)),
    ],
  });
  return start({ folder, config, version: '0.0.0-kill', now: Date.now, faults });
}
