/**
 * The daemon's log: JSON lines on standard error, by pino. It is loaded when the daemon is ready, since loading it takes a
 * tenth of the start; earlier lines wait, and are written without pino if the process ends before that. A log that is not read
 * keeps the daemon from nothing: its lines are dropped and counted.
 */
import type { Logger } from '../server/options.ts';
import { silentLogger } from '../server/options.ts';
import type { Redactor } from '../supervise/index.ts';
import { LineOutput } from '../supervise/line-output.ts';
import type { LogLevel } from '../protocol/config.ts';
import type { LogFile } from './log-file.ts';

type Level = keyof Logger;
type Line = readonly [level: Level, fields: object, message: string];

export interface DaemonLog extends Logger {
  /** Loads what writes, and writes what has waited. */
  open(): Promise<void>;
  /** Lines that its reader had no room for. */
  readonly dropped: () => number;
}

/** Lines that wait at most. Further lines are dropped: no healthy start logs so many. */
const waitingMax = 1_000;

/** JSON has no errors; pino would write them so. */
const shown = (_name: string, value: unknown): unknown =>
  value instanceof Error ? { type: value.name, message: value.message, stack: value.stack } : value;

/** As pino would write it: 40 is `warn`. */
const droppedLine = (dropped: number): string =>
  `${JSON.stringify({ level: 40, time: Date.now(), dropped, msg: 'lines of the log were dropped, because it was not read' })}\n`;

/** The numbers of pino, https://getpino.io/#/docs/api?id=loggerlevels-object. */
const numbers = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;

/** A line of pino begins with its level. */
const levelOf = (line: string): number => Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? numbers.fatal);

/** `redact`: takes secrets out of each line. `file`: gets every line from `info` on, whatever the level; null: there is none. */
export function makeLog(level: LogLevel, redact: Redactor, file: LogFile | null = null): DaemonLog {
  if (level === 'silent') {
    return { ...silentLogger, open: () => Promise.resolve(), dropped: () => 0 };
  }
  const least = numbers[level];
  const told = file === null || least < numbers.info ? level : 'info';
  const waiting: Line[] = [];
  let write = (line: Line): void => {
    if (waiting.length < waitingMax) {
      waiting.push(line);
    }
  };
  const out = new LineOutput({ fd: 2, gap: droppedLine });
  process.once('exit', () => {
    for (const [name, fields, msg] of waiting) {
      const line = redact.text(`${JSON.stringify({ level: name, ...fields, msg }, shown)}\n`);
      file?.write(line);
      if (numbers[name] >= least) {
        out.write(line);
      }
    }
    out.end();
  });
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
      const writeLine = (line: string): void => {
        const safe = redact.text(line);
        file?.write(safe);
        if (levelOf(line) >= least) {
          out.write(safe);
        }
      };
      const log = pino({ level: told, base: null }, { write: writeLine });
      write = ([name, fields, message]) => log[name](fields, message);
      for (const line of waiting.splice(0)) {
        write(line);
      }
    },
    dropped: () => out.dropped,
  };
}
