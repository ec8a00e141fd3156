/** `signalbox logs`: the log of the daemon, from the files in the data folder. */
import { existsSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { dataFiles } from '../protocol/folder.ts';
import type { Call } from './call.ts';
import { findDataFolder } from './data-folder.ts';
import type { Io } from './io.ts';
import { harmless, oneLine } from './output/paint.ts';

const levels: { readonly [level: string]: string } = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

type Fields = { readonly [name: string]: unknown };

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The line for a person; one that is not JSON is shown as it is. */
function shown(line: string, { paint }: Io): string {
  let fields: Fields;
  try {
    fields = JSON.parse(line) as Fields;
  } catch {
    return harmless(line);
  }
  const { level, time, msg, err, ...rest } = fields;
  const name = levels[String(level)] ?? String(level);
  const colour = name === 'error' || name === 'fatal' ? paint.bad : name === 'warn' ? paint.warn : paint.faint;
  const when = typeof time === 'number' ? new Date(time).toISOString().replace('T', ' ').slice(0, 19) : '';
  const more = Object.entries(rest).map(([key, value]) => `${key}=${textOf(value)}`);
  const cause = typeof err === 'object' && err !== null && 'message' in err ? [`${textOf(err.message)}`] : [];
  const words = oneLine([textOf(msg ?? ''), ...cause, ...more].join(' '), Number.POSITIVE_INFINITY);
  return `${paint.faint(when)} ${colour(name.padEnd(5))} ${words}`;
}

/** The whole lines of a file; none where it is not there. */
function linesIn(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

/** Throws `usage` for another machine, and `not_found` where there is no log. */
export async function logs(call: Call, io: Io): Promise<number> {
  if (call.text('url') !== null || (io.env['SIGNALBOX_URL'] ?? '') !== '') {
    throw new AppError({
      code: 'usage',
      message: 'the log is a file on the machine of the daemon',
      hint: 'Run the command there, with --data FOLDER.',
    });
  }
  const { folder, flag } = findDataFolder({ data: call.text('data'), config: null, env: io.env, cwd: io.cwd });
  const file = join(folder, dataFiles.log);
  if (!existsSync(file)) {
    throw new AppError({
      code: 'unreachable',
      message: `there is no log in the data folder ${folder}`,
      hint: `Start a daemon with \`signalbox up${flag}\`, or name the folder of another with --data.`,
    });
  }
  const print = (lines: readonly string[]): void => lines.forEach((line) => io.print(io.json ? line : shown(line, io)));
  const now = linesIn(file);
  const count = Math.max(0, call.integer('lines') ?? 50);
  const before = now.length < count ? linesIn(`${file}.1`) : [];
  print(count === 0 ? [] : [...before, ...now].slice(-count));
  return call.on('follow') ? follow(file, now.length, print) : 0;
}

/** Until the process ends. A file that has fewer lines than before is a new one. */
function follow(file: string, read: number, print: (lines: readonly string[]) => void): Promise<never> {
  let known = read;
  const look = (): void => {
    const lines = linesIn(file);
    known = lines.length < known ? 0 : known;
    print(lines.slice(known));
    known = lines.length;
  };
  return new Promise(() => {
    // The folder, since the file is replaced.
    watch(join(file, '..'), (_, name) => {
      if (name === null || name.startsWith(dataFiles.log)) {
        look();
      }
    });
    look();
  });
}
