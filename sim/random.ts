/** The simulator's only source of chance: sfc32, seeded from one number. The same seed gives the same draws on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.imul(stream + 1, 0x9e37_79b9) | 0;
    this.#c = 0x243f_6a88 ^ stream;
    // The first draws still show how close two seeds are.
    for (let round = 0; round < 15; round += 1) {
      this.next();
    }
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** 0 (inclusive) to 1 (exclusive). */
  float(): number {
    return this.next() / 4_294_967_296;
  }

  /** Both ends inclusive. */
  int(low: number, high: number): number {
    return low + Math.floor(this.float() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.int(0, list.length - 1)];
    if (item === undefined) {
      throw new Error('nothing to pick from');
    }
    return item;
  }

  weighted<T>(table: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.float() * table.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of table) {
      left -= weight;
      if (left < 0) {
        return value;
      }
    }
    return this.pick(table)[1];
  }

  /** Mostly short, sometimes long: how real latencies are spread. Whole milliseconds, so that many fall on the same instant. */
  delay(longest: number): number {
    return this.weighted([
      [5, 0],
      [3, this.int(0, 3)],
      [2, this.int(0, Math.ceil(longest / 10))],
      [1, this.int(0, longest)],
    ]);
  }
}
