/** The watchdog of a daemon that has a launcher. It is loaded and started before everything else of the daemon. */
import { watchLimits } from '../protocol/limits.ts';
import { daemonIdName } from '../supervise/process/environment.ts';
import { secretsIn } from '../supervise/redact.ts';
import type { WatchSettings } from '../supervise/watchdog/thread-messages.ts';
import { Watchdog } from '../supervise/watchdog/watchdog.ts';
import type { DaemonConfig } from './config/resolve.ts';

interface WatchLaunchedOptions {
  /** Where reports go. */
  readonly folder: string;
  readonly version: string;
  /** The launcher wants an end, or the watchdog is no more: without one the daemon does not go on. */
  readonly onEnd: (why: string) => void;
}

/** `secrets`: beside those of the environment. */
export function watchSettings(config: DaemonConfig, secrets: readonly string[]): WatchSettings {
  return {
    hangMs: config.limits.hangMs,
    secrets: [...secretsIn(process.env), ...secrets],
    log: !['silent', 'fatal'].includes(config.logLevel),
  };
}

export function watchLaunched({ folder, version, onEnd }: WatchLaunchedOptions): Watchdog {
  const { env } = process;
  return new Watchdog({
    folder,
    version,
    launched: true,
    daemonId: env[daemonIdName] ?? null,
    settings: { hangMs: watchLimits.hangMs.default, secrets: secretsIn(env), log: true },
    onEnd,
    onError: () => onEnd('the end of its watchdog thread'),
  });
}
