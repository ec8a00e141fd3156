/** Keeps the last bytes of a stream that nobody reads, for the report that wants to know why. */
export class ByteTail {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #kept = 0;
  /** Bytes seen in all. */
  total = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    this.total += chunk.length;
    // A copy: a slice would keep the whole read buffer alive.
    const piece = Buffer.from(chunk.subarray(Math.max(0, chunk.length - this.#maxBytes)));
    this.#parts.push(piece);
    this.#kept += piece.length;
    // Joined when it has doubled, so that many small writes cost a copy each once, not each time.
    if (this.#kept > 2 * this.#maxBytes || this.#parts.length > 256) {
      this.#squeeze();
    }
  }

  text(): string {
    this.#squeeze();
    return this.#parts[0]?.toString('utf8') ?? '';
  }

  #squeeze(): void {
    const all = Buffer.concat(this.#parts);
    const kept = Buffer.from(all.subarray(Math.max(0, all.length - this.#maxBytes)));
    this.#parts = [kept];
    this.#kept = kept.length;
  }
}
