/**
 * The daemon's log: JSON lines on standard error, by pino. It is loaded when the daemon is ready, since loading it takes a
 * tenth of the start; earlier lines wait, and are written without pino if the process ends before that.
 */
import { writeSync } from 'node:fs';
import type { Logger } from '../server/options.ts';
import { silentLogger } from '../server/options.ts';
import type { Redactor } from '../supervise/index.ts';
import type { LogLevel } from '../protocol/config.ts';

type Level = keyof Logger;
type Line = readonly [level: Level, fields: object, message: string];

export interface DaemonLog extends Logger {
  /** Loads what writes, and writes what has waited. */
  open(): Promise<void>;
}

/** Lines that wait at most. Further lines are dropped: no healthy start logs so many. */
const waitingMax = 1_000;

/** JSON has no errors; pino would write them so. */
const shown = (_name: string, value: unknown): unknown =>
  value instanceof Error ? { type: value.name, message: value.message, stack: value.stack } : value;

/** `redact`: takes secrets out of each line. */
export function makeLog(level: LogLevel, redact: Redactor): DaemonLog {
  if (level === 'silent') {
    return { ...silentLogger, open: () => Promise.resolve() };
  }
  const waiting: Line[] = [];
  let write = (line: Line): void => {
    if (waiting.length < waitingMax) {
      waiting.push(line);
    }
  };
  const lastWords = (): void => {
    for (const [name, fields, msg] of waiting) {
      writeSync(2, redact.text(`${JSON.stringify({ level: name, ...fields, msg }, shown)}\n`));
    }
  };
  process.once('exit', lastWords);
  const at =
    (name: Level) =>
    (fields: object, message: string): void =>
      write([name, fields, message]);
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    async open() {
      // The callers of `open` that wait for the daemon run first, since the import blocks the main loop.
      await new Promise((resolve) => setImmediate(resolve));
      const { pino } = await import('pino');
      // Synchronous: a log that is lost when the process is killed is lost when it is needed.
      const out = pino.destination({ fd: 2, sync: true });
      const log = pino({ level, base: null }, { write: (line: string) => void out.write(redact.text(line)) });
      write = ([name, fields, message]) => log[name](fields, message);
      for (const line of waiting.splice(0)) {
        write(line);
      }
      process.off('exit', lastWords);
    },
  };
}
