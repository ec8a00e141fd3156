/**
 * A child's three pipes: lines out, lines in, stderr kept by its end.
 *
 * Owned by one child, which is told by callbacks and decides what follows. Invariants:
 *  pipes/1 Lines are written whole, in the order of the calls, at once, and no more than the two bounds allow to wait.
 *  pipes/2 stdout and stderr are always read. The last 16 KiB of stderr are kept.
 *  pipes/3 `onClosed` is called once: both have ended, failed or been dropped. `onOutputEnd` is called once before that, when
 *          stdout has: stderr alone says nothing.
 */
import type { Readable, Writable } from 'node:stream';
import type { LineFrame } from '../channel/lines.ts';
import { LineSplitter } from '../channel/lines.ts';
import { ByteTail } from './byte-tail.ts';

const stderrTailBytes = 16 * 1024;

interface PipeOptions {
  readonly lineMaxBytes: number;
  readonly writeMaxBytes: number;
  readonly writeMaxLines: number;
  readonly onFrame: (frame: LineFrame) => void;
  /** In place of frames. */
  readonly onBytes: ((chunk: Buffer, from: 'stdout' | 'stderr') => void) | null;
  /** Something was read from either. */
  readonly onRead: () => void;
  /** stdin broke: the child has closed it, or has ended. */
  readonly onHangUp: () => void;
  /** More waits to be written than a bound allows: the child does not read. */
  readonly onOverflow: () => void;
  /** stdout is over: nobody holds its other end any more. */
  readonly onOutputEnd: () => void;
  readonly onClosed: () => void;
}

export class Pipes {
  readonly #options: PipeOptions;
  readonly #streams: readonly (Readable | Writable)[];
  readonly #stdin: Writable;
  readonly #tail = new ByteTail(stderrTailBytes);
  #linesWaiting = 0;
  #open = 2;
  #writable = true;

  constructor(child: { stdin: Writable; stdout: Readable; stderr: Readable }, options: PipeOptions) {
    this.#options = options;
    this.#stdin = child.stdin;
    this.#streams = [child.stdin, child.stdout, child.stderr];
    child.stdin.on('error', options.onHangUp);
    const { onBytes } = options;
    const lines = new LineSplitter(options.lineMaxBytes, options.onFrame);
    this.#read(
      child.stdout,
      (chunk) => (onBytes === null ? lines.push(chunk) : onBytes(chunk, 'stdout')),
      () => {
        lines.end();
        options.onOutputEnd();
      },
    );
    this.#read(
      child.stderr,
      (chunk) => {
        this.#tail.push(chunk);
        onBytes?.(chunk, 'stderr');
      },
      () => {},
    );
  }

  /** stdout or stderr is open still. */
  get open(): boolean {
    return this.#open > 0;
  }

  get stderr(): string {
    return this.#tail.text();
  }

  /** False: it was refused, and nothing was written. */
  writeLine(line: string): boolean {
    if (!this.#writable) {
      return false;
    }
    this.#linesWaiting += 1;
    this.#stdin.write(`${line}\n`, this.#onWritten);
    const { writeMaxBytes, writeMaxLines } = this.#options;
    if (this.#stdin.writableLength > writeMaxBytes || this.#linesWaiting > writeMaxLines) {
      this.#options.onOverflow();
    }
    return true;
  }

  /** No line is written any more; those that wait are. */
  refuse(): void {
    this.#writable = false;
  }

  /** The end of stdin, after what waits to be written. */
  endInput(): void {
    this.#writable = false;
    this.#stdin.end();
  }

  drop(): void {
    this.#writable = false;
    for (const stream of this.#streams) {
      stream.destroy();
    }
  }

  /** One function for all lines: hundreds of thousands may wait, and each would keep its own. */
  readonly #onWritten = (): void => {
    this.#linesWaiting -= 1;
  };

  #read(stream: Readable, take: (chunk: Buffer) => void, end: () => void): void {
    stream.on('data', (chunk: Buffer) => {
      take(chunk);
      this.#options.onRead();
    });
    stream.on('error', () => {});
    // `close` comes after `end`, after an error and after `destroy`: the one event that is sure to come.
    stream.on('close', () => {
      end();
      this.#open -= 1;
      if (this.#open === 0) {
        this.#options.onClosed();
      }
    });
  }
}
