/** `signalbox export` and `signalbox import`: files, the configured store, and a line that shows how far they are. */
import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { AppError } from '../core/errors.ts';
import type { Exported } from '../daemon/transfer.ts';
import type { Call } from './call.ts';
import { configuredStore } from './configured-store.ts';
import type { Io } from './io.ts';

/** Standard input or output. */
const standard = '-';
/** Lines between two words of progress. */
const progressEvery = 20_000;

/** On a terminal one line that changes, else a line now and then. */
function progressOf(io: Io, what: string): (lines: number) => void {
  let next = progressEvery;
  return (lines) => {
    if (lines >= next) {
      next = lines + progressEvery;
      io.say(`${what} ${lines.toLocaleString('en')} lines`);
    }
  };
}

const summary = ({ tasks, events, sessions, tokens, replies }: Exported): string =>
  `${tasks} tasks, ${events} events, ${sessions} sessions, ${tokens} tokens, ${replies} replies`;

export async function exportTo(call: Call, io: Io): Promise<number> {
  const { exportFrom, storeName } = await import('../daemon/transfer.ts');
  const store = await configuredStore(call, io);
  const given = call.arg('FILE');
  const file = given === standard ? null : resolve(io.cwd, given);
  if (file !== null && existsSync(file) && !call.on('force')) {
    throw new AppError({
      code: 'usage',
      message: `there is a file ${given} already`,
      hint: 'Replace it with --force.',
    });
  }
  const progress = progressOf(io, 'written:');
  const exported = await (file === null
    ? exportFrom(store, (text) => io.write(text), progress)
    : writeFile(file, (write) => exportFrom(store, write, progress)));
  const name = storeName(store);
  if (file !== null && io.json) {
    io.document({ from: name, file, ...exported });
  } else {
    io.say(`${summary(exported)} of ${name}, SHA-256 ${exported.sha256}`);
  }
  return 0;
}

/** Whole, or not at all: it is written beside its place. It may hold prompts and answers, so only its owner may read it. */
async function writeFile<T>(file: string, fill: (write: (text: string) => Promise<void>) => Promise<T>): Promise<T> {
  const draft = `${file}.new`;
  const stream = createWriteStream(draft, { mode: 0o600 });
  const failed = once(stream, 'error').then(([error]) => {
    throw error as Error;
  });
  failed.catch(() => {});
  try {
    const result = await Promise.race([
      failed,
      fill(async (text) => {
        if (!stream.write(text)) {
          await Promise.race([once(stream, 'drain'), failed]);
        }
      }),
    ]);
    stream.end();
    await Promise.race([once(stream, 'close'), failed]);
    renameSync(draft, file);
    return result as T;
  } catch (error) {
    stream.destroy();
    rmSync(draft, { force: true });
    throw fileError(file, error);
  }
}

/** What the file system says of the file, as an error of a person's. */
const fileError = (file: string, error: unknown): unknown =>
  error instanceof Error && 'syscall' in error
    ? new AppError({ code: 'usage', message: `${file}: ${error.message}`, hint: 'Name another file.', cause: error })
    : error;

export async function importFrom(call: Call, io: Io): Promise<number> {
  const { importInto, storeName } = await import('../daemon/transfer.ts');
  const store = await configuredStore(call, io);
  const given = call.arg('FILE');
  const file = given === standard ? null : resolve(io.cwd, given);
  const lines = await linesOf(file);
  const imported = await importInto(store, lines, progressOf(io, 'read:'));
  if (io.json) {
    io.document({ into: storeName(store), file, ...imported });
  } else {
    io.say(`${summary(imported)} in ${storeName(store)}, verified. Next: signalbox up`);
  }
  return 0;
}

/** The file is opened at once, and read when its lines are asked for: those that come before would be lost. */
async function linesOf(file: string | null): Promise<AsyncGenerator<string>> {
  const handle =
    file === null
      ? null
      : await open(file).catch((error: unknown) => {
          throw fileError(file, error);
        });
  return (async function* read() {
    try {
      yield* handle === null ? createInterface({ input: process.stdin }) : handle.readLines();
    } finally {
      await handle?.close();
    }
  })();
}
