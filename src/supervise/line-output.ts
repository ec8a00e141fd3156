/**
 * Lines for a descriptor that may have a slow reader, or one that does not read: a log, the words of a launcher.
 *
 * Owns: the lines that wait, and one timer while there are any. A pipe and a terminal are opened once more, without blocking, where the
 * system allows it: the descriptor itself is shared with other processes, and so is its mode. A socket cannot be opened again; its
 * mode is changed, as Node does it for its own streams, before each write. A file never makes its writer wait. What is left (the terminal of
 * another user) is written by a thread of the pool, one write at a time.
 *  line-output/1 `write` never waits for the reader, and a line that the reader has room for is written when it returns, so that it
 *                outlives a kill; a line for the thread of the pool may be lost to one.
 *  line-output/2 The lines that wait have at most `maxBytes`. Further ones are dropped and counted, and a line in their place says how many.
 */
import { closeSync, constants, fstatSync, openSync, write as writeByThread, writeSync, type Stats } from 'node:fs';

interface LineOutputOptions {
  readonly fd: number;
  /** Default 1 MiB. */
  readonly maxBytes?: number;
  /** The line that stands for so many dropped ones, with its end. */
  readonly gap: (dropped: number) => string;
}

const defaultMaxBytes = 1_048_576;
/** How long a reader is given before it is tried again. */
const retryMs = 50;
/** How long the end of the process may take for lines that wait. */
const lastMs = 200;
const lastStepMs = 5;

type How = 'at-once' | 'thread';

export class LineOutput {
  readonly #fd: number;
  readonly #how: How;
  readonly #unblock: () => void;
  readonly #maxBytes: number;
  readonly #gap: LineOutputOptions['gap'];
  readonly #lines: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  /** Since the last line that said so. */
  #unsaid = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing = false;

  constructor({ fd, maxBytes = defaultMaxBytes, gap }: LineOutputOptions) {
    ({ fd: this.#fd, how: this.#how, unblock: this.#unblock = () => {} } = openAgain(fd));
    this.#maxBytes = maxBytes;
    this.#gap = gap;
  }

  /** Lines dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `text` ends with a line break. */
  write(text: string): void {
    const line = Buffer.from(text);
    if (this.#bytes + line.length > this.#maxBytes) {
      this.#dropped += 1;
      this.#unsaid += 1;
      return;
    }
    if (this.#unsaid > 0 && this.#bytes < this.#maxBytes / 2) {
      this.#sayGap();
    }
    this.#push(line);
    this.#drain();
  }

  /** At the end of the process: gives a reader that is slow a moment, and one that does not read no more than that. */
  end(): void {
    if (this.#unsaid > 0) {
      this.#sayGap();
    }
    if (this.#writing) {
      return;
    }
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let waited = 0; this.#lines.length > 0 && waited < lastMs; waited += lastStepMs) {
      this.#writeNow();
      if (this.#lines.length > 0) {
        Atomics.wait(pause, 0, 0, lastStepMs);
      }
    }
  }

  #sayGap(): void {
    const line = Buffer.from(this.#gap(this.#unsaid));
    this.#unsaid = 0;
    this.#push(line);
  }

  #push(line: Buffer): void {
    this.#lines.push(line);
    this.#bytes += line.length;
  }

  #drain(): void {
    if (this.#how === 'thread') {
      this.#writeByThread();
      return;
    }
    if (this.#timer === null) {
      this.#writeNow();
      this.#later();
    }
  }

  #later(): void {
    if (this.#lines.length > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#writeNow();
        this.#later();
      }, retryMs);
      this.#timer.unref();
    }
  }

  #writeNow(): void {
    if (this.#lines.length > 0) {
      this.#unblock();
    }
    for (let line = this.#lines[0]; line !== undefined; line = this.#lines[0]) {
      try {
        this.#took(line, writeSync(this.#fd, line));
      } catch (error) {
        if (isFull(error)) {
          return;
        }
        this.#lost();
      }
    }
  }

  #writeByThread(): void {
    const [line] = this.#lines;
    if (this.#writing || line === undefined) {
      return;
    }
    this.#writing = true;
    writeByThread(this.#fd, line, 0, line.length, null, (error, written) => {
      this.#writing = false;
      if (error === null) {
        this.#took(line, written);
      } else if (!isFull(error)) {
        this.#lost();
      }
      this.#writeByThread();
    });
  }

  #took(line: Buffer, written: number): void {
    this.#bytes -= written;
    if (written < line.length) {
      this.#lines[0] = line.subarray(written);
    } else {
      this.#lines.shift();
    }
  }

  /** The reader is gone. */
  #lost(): void {
    this.#dropped += this.#lines.length;
    this.#lines.length = 0;
    this.#bytes = 0;
  }
}

/** Whether a write to the socket waits for its reader. */
function setWaiting(handle: unknown, waits: boolean): void {
  if (typeof handle === 'object' && handle !== null && 'setBlocking' in handle) {
    const { setBlocking } = handle;
    if (typeof setBlocking === 'function') {
      Reflect.apply(setBlocking, handle, [waits]);
    }
  }
}

const isFull = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EAGAIN';

/** For as long as the process: collected, they would close their descriptors. */
const unblocked = new Set<object>();

interface Opened {
  readonly fd: number;
  readonly how: How;
  /** Before each write, where another process may have changed the mode. */
  readonly unblock?: () => void;
}

/** The descriptor to write to, and how. */
function openAgain(fd: number): Opened {
  let stats: Stats;
  try {
    stats = fstatSync(fd);
  } catch {
    return { fd, how: 'at-once' };
  }
  if (stats.isFile()) {
    return { fd, how: 'at-once' };
  }
  if (stats.isFIFO() || stats.isCharacterDevice()) {
    try {
      const again = openSync(
        `/proc/self/fd/${fd}`,
        constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_APPEND,
      );
      const { dev, ino } = fstatSync(again);
      if (dev === stats.dev && ino === stats.ino) {
        return { fd: again, how: 'at-once' };
      }
      closeSync(again);
    } catch {
      // Not on this system, or not with these rights.
    }
  }
  if (stats.isSocket()) {
    const { Socket } = process.getBuiltinModule('node:net');
    // Its constructor takes the waiting from the descriptor. Nothing is written by it.
    const socket = new Socket({ fd, readable: false, writable: true }).unref();
    unblocked.add(socket);
    // A program that libuv starts with the descriptor has made it wait before it begins, and a Node program once more at its
    // end: after the daemon had ended, the next word of its launcher waited for ever.
    const handle: unknown = Reflect.get(socket, '_handle');
    return { fd, how: 'at-once', unblock: () => setWaiting(handle, false) };
  }
  return { fd, how: 'thread' };
}
