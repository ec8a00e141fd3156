/**
 * Growable columns of numbers. They grow by whole chunks, so nothing is ever copied and no single buffer is larger than
 * a few megabytes, however many entries there are.
 */
const chunkBits = 18;
const chunkSize = 1 << chunkBits;
const chunkMask = chunkSize - 1;

interface Chunk {
  [index: number]: number;
  readonly length: number;
}

class Column<C extends Chunk> {
  readonly #make: (size: number) => C;
  readonly #bytesEach: number;
  readonly #chunks: C[] = [];
  #last: C;
  length = 0;

  constructor(make: (size: number) => C, bytesEach: number) {
    this.#make = make;
    this.#bytesEach = bytesEach;
    this.#last = make(chunkSize);
    this.#chunks.push(this.#last);
  }

  push(value: number): void {
    const at = this.length & chunkMask;
    if (at === 0 && this.length > 0) {
      this.#last = this.#make(chunkSize);
      this.#chunks.push(this.#last);
    }
    this.#last[at] = value;
    this.length += 1;
  }

  /** The entry at an index below `length`; undefined behaviour beyond it is ruled out by the callers. */
  get(index: number): number {
    const chunk = this.#chunks[index >>> chunkBits];
    return chunk === undefined ? 0 : (chunk[index & chunkMask] ?? 0);
  }

  get bytes(): number {
    return this.#chunks.length * chunkSize * this.#bytesEach;
  }
}

export class Column32 extends Column<Uint32Array> {
  constructor() {
    super((size) => new Uint32Array(size), 4);
  }
}

export class Column16 extends Column<Uint16Array> {
  constructor() {
    super((size) => new Uint16Array(size), 2);
  }
}

export class Column8 extends Column<Uint8Array> {
  constructor() {
    super((size) => new Uint8Array(size), 1);
  }
}
