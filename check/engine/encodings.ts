/**
 * A set of encodings, exact: they are compared word by word, a hash only says where to look.
 *
 * Owned by whoever makes it. Invariants:
 *  encodings/1 Number n is the n-th distinct encoding that was added; numbers are never reused.
 *  encodings/2 An encoding lies in one chunk of the arena, and its first word is its length in bytes.
 */
import { invariant } from '../../src/core/errors.ts';
import { Column32 } from './columns.ts';
import type { Writer } from './writer.ts';

/** Words of one arena chunk: 4 MiB. An address counts words over all chunks, so the arena ends at 16 GiB. */
const arenaBits = 20;
const arenaWords = 1 << arenaBits;
const arenaMask = arenaWords - 1;

function hashOf(words: Uint32Array, length: number): number {
  let hash = 0x9e3779b9;
  for (let index = 0; index < length; index += 1) {
    hash = Math.imul(hash ^ (words[index] ?? 0), 0x85ebca6b);
    hash = (hash << 13) | (hash >>> 19);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35);
  return (hash ^ (hash >>> 15)) >>> 0;
}

export class Encodings {
  readonly #chunks: Uint32Array[] = [new Uint32Array(arenaWords)];
  #next = 0;
  readonly #address = new Column32();
  readonly #hash = new Column32();
  /** Open addressing: a number plus one, or 0. */
  #table = new Uint32Array(1 << 16);
  /** Whether the last `add` met a new encoding. */
  fresh = false;

  get size(): number {
    return this.#address.length;
  }

  /** Bytes held, all of them. */
  get bytes(): number {
    return this.#chunks.length * arenaWords * 4 + this.#table.length * 4 + this.#address.bytes + this.#hash.bytes;
  }

  /** The number of what the writer holds; `fresh` tells whether it is new. */
  add(writer: Writer): number {
    const length = writer.seal();
    const hash = hashOf(writer.words, length);
    const slot = this.#slotOf(writer.words, length, hash);
    const known = this.#table[slot] ?? 0;
    this.fresh = known === 0;
    if (known !== 0) {
      return known - 1;
    }
    const number = this.#address.length;
    this.#address.push(this.#store(writer.words, length));
    this.#hash.push(hash);
    this.#table[slot] = number + 1;
    if ((number + 1) * 5 > this.#table.length * 3) {
      this.#grow();
    }
    return number;
  }

  /** The number of what the writer holds, or -1 if it was never added. */
  find(writer: Writer): number {
    const length = writer.seal();
    return (this.#table[this.#slotOf(writer.words, length, hashOf(writer.words, length))] ?? 0) - 1;
  }

  #slotOf(words: Uint32Array, length: number, hash: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let slot = hash & mask;
    for (;;) {
      const known = table[slot] ?? 0;
      if (known === 0) {
        return slot;
      }
      if (this.#hash.get(known - 1) === hash && this.#same(known - 1, words, length)) {
        return slot;
      }
      slot = (slot + 1) & mask;
    }
  }

  #same(number: number, words: Uint32Array, length: number): boolean {
    const address = this.#address.get(number);
    const chunk = this.#chunks[address >>> arenaBits];
    if (chunk === undefined) {
      return false;
    }
    const start = address & arenaMask;
    for (let index = 0; index < length; index += 1) {
      if (chunk[start + index] !== words[index]) {
        return false;
      }
    }
    return true;
  }

  #store(words: Uint32Array, length: number): number {
    if ((this.#next & arenaMask) + length > arenaWords) {
      this.#next = this.#chunks.length * arenaWords;
    }
    invariant(this.#next + length < 2 ** 32, 'the arena of the checker is full (16 GiB)');
    if (this.#next >>> arenaBits === this.#chunks.length) {
      this.#chunks.push(new Uint32Array(arenaWords));
    }
    const address = this.#next;
    const chunk = this.#chunks[address >>> arenaBits];
    invariant(chunk !== undefined, 'an address lies in a chunk');
    const start = address & arenaMask;
    for (let index = 0; index < length; index += 1) {
      chunk[start + index] = words[index] ?? 0;
    }
    this.#next += length;
    return address;
  }

  #grow(): void {
    const table = new Uint32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (let number = 0; number < this.size; number += 1) {
      let slot = this.#hash.get(number) & mask;
      while (table[slot] !== 0) {
        slot = (slot + 1) & mask;
      }
      table[slot] = number + 1;
    }
    this.#table = table;
  }
}
