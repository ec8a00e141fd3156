/**
 * Where a state is written down before it is looked up. One writer is reused for all states: `reset`, write, look up.
 * Two states are the same state exactly if they write the same bytes, so an encoder must be self-delimiting (the length
 * of all of it is added here) and write everything that the future of the state depends on.
 */
import { invariant } from '../../src/core/errors.ts';

/** Longest encoding in bytes; a state that needs more is a modelling mistake. */
const capacity = 1 << 15;
/** The first word holds the length in bytes. */
const header = 4;

export class Writer {
  readonly words = new Uint32Array(capacity / 4);
  readonly #bytes = new Uint8Array(this.words.buffer);
  #at = header;

  reset(): void {
    this.#at = header;
  }

  /** An integer from 0 to 255. */
  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  /** An integer from 0 to 2^53-1 in as few bytes as it needs. */
  uint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#at++] = 128 + (rest % 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  flag(value: boolean): void {
    this.#bytes[this.#at++] = value ? 1 : 0;
  }

  text(value: string): void {
    this.uint(value.length);
    for (let index = 0; index < value.length; index += 1) {
      this.uint(value.charCodeAt(index));
    }
  }

  /** Pads to whole words and returns how many there are, the header among them. */
  seal(): number {
    invariant(this.#at < capacity - 4, 'a state of the checker is too long to write down');
    this.words[0] = this.#at - header;
    while (this.#at % 4 !== 0) {
      this.#bytes[this.#at++] = 0;
    }
    return this.#at / 4;
  }
}
