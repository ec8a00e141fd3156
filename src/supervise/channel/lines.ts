/**
 * Cuts a byte stream into lines, whatever the reads look like: half a line, several lines, half a character.
 *
 * Owned by one channel; called with every chunk in order, then once with the end.
 * Invariants:
 *  lines/1 What comes out depends on the bytes alone, never on how they were cut into chunks.
 *  lines/2 Never more than `maxBytes` of an unfinished line are kept. A longer one is reported by its head as soon as it is
 *          known to be too long, then skipped to its newline, and what was skipped is counted.
 *  lines/3 The cost is linear in the bytes: an unfinished line is joined once, when it ends.
 */
export type LineFrame =
  /** Without its newline, and without a carriage return before it. Bytes that are no UTF-8 read U+FFFD. */
  | { readonly kind: 'line'; readonly text: string }
  /** A line outgrew the bound. `head`: its first bytes, at most 1 KiB. */
  | { readonly kind: 'oversize'; readonly head: string }
  /** The oversize line is over; reading continues with the next one. `bytes`: the length of the line that was dropped. */
  | { readonly kind: 'resync'; readonly bytes: number }
  /** The stream ended within a line. */
  | { readonly kind: 'half'; readonly text: string };

const newline = 0x0a;
const carriageReturn = 0x0d;
const headBytesMax = 1024;

export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onFrame: (frame: LineFrame) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  #skipping = false;

  constructor(maxBytes: number, onFrame: (frame: LineFrame) => void) {
    this.#maxBytes = maxBytes;
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let from = 0;
    while (from < chunk.length) {
      const at = chunk.indexOf(newline, from);
      if (at === -1) {
        this.#take(chunk.subarray(from));
        return;
      }
      this.#take(chunk.subarray(from, at));
      this.#endLine('line');
      from = at + 1;
    }
  }

  end(): void {
    if (this.#bytes > 0) {
      this.#endLine('half');
    }
  }

  #take(piece: Buffer): void {
    if (piece.length === 0) {
      return;
    }
    this.#bytes += piece.length;
    if (this.#skipping) {
      return;
    }
    this.#parts.push(piece);
    if (this.#bytes <= this.#maxBytes) {
      return;
    }
    const head = this.#join().subarray(0, Math.min(headBytesMax, this.#maxBytes));
    this.#skipping = true;
    this.#parts = [];
    this.#onFrame({ kind: 'oversize', head: head.toString('utf8') });
  }

  #endLine(kind: 'line' | 'half'): void {
    const bytes = this.#bytes;
    const skipped = this.#skipping;
    const line = skipped ? null : this.#join();
    this.#parts = [];
    this.#bytes = 0;
    this.#skipping = false;
    if (line === null) {
      this.#onFrame({ kind: 'resync', bytes });
      return;
    }
    const end = kind === 'line' && line.at(-1) === carriageReturn ? line.length - 1 : line.length;
    this.#onFrame({ kind, text: line.toString('utf8', 0, end) });
  }

  #join(): Buffer {
    const [only, ...more] = this.#parts;
    return only !== undefined && more.length === 0 ? only : Buffer.concat(this.#parts);
  }
}
