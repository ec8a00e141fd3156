/** The daemon's log: JSON lines on standard error, by pino, which is loaded only where something is to be logged. */
import type { Logger } from '../server/options.ts';
import { silentLogger } from '../server/options.ts';
import type { DaemonConfig } from './config/resolve.ts';

export async function openLog(level: DaemonConfig['logLevel']): Promise<Logger> {
  if (level === 'silent') return silentLogger;
  const { pino } = await import('pino');
  // Synchronous: a log that is lost when the process is killed is lost when it is needed.
  const log = pino({ level, base: null }, pino.destination({ fd: 2, sync: true }));
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
}
