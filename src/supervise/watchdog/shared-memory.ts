/**
 * The memory that the main thread and its watchdog share: the heartbeat, and what waits, written down.
 *
 * Written by the main thread only, read by the watchdog at any moment, also while the main thread stands still in the
 * middle of a write. Invariants:
 *  shared-memory/1 The two halves are written in turns, and each writing is announced by its number when it is complete:
 *                  what is announced is whole, until the second writing after it begins; a reader that sees the number
 *                  change reads again.
 *  shared-memory/2 It never grows. What does not fit is left out, and counted.
 */
import type { Snapshot } from './report.ts';

const slots = { beatAt: 0, version: 1, lengths: 2, writtenAt: 4 } as const;
const headBytes = 32;
/** Of one half. A session takes some 250 bytes. */
const halfBytes = 48 * 1024;

/** Milliseconds of the system's monotonic clock, the same in all threads, in 31 bits: ages up to 24 days are right. */
const sharedNow = (): number => Number((process.hrtime.bigint() / 1_000_000n) & 0x7fff_ffffn);
export const sharedAge = (then: number, now: number): number => (now - then) & 0x7fff_ffff;

export function makeMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + 2 * halfBytes);
}

export class MemoryWriter {
  readonly #head: Int32Array;
  readonly #halves: readonly [Buffer, Buffer];
  #version = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, headBytes / 4);
    this.#halves = [Buffer.from(memory, headBytes, halfBytes), Buffer.from(memory, headBytes + halfBytes, halfBytes)];
    this.heartbeat();
  }

  heartbeat(): void {
    Atomics.store(this.#head, slots.beatAt, sharedNow());
  }

  writeSnapshot(facts: Snapshot): void {
    const version = this.#version + 1;
    const half = version % 2 === 0 ? 0 : 1;
    const text = fitting(facts);
    const length = this.#halves[half].write(text, 'utf8');
    Atomics.store(this.#head, slots.lengths + half, length);
    Atomics.store(this.#head, slots.writtenAt + half, sharedNow());
    Atomics.store(this.#head, slots.version, version);
    this.#version = version;
  }
}

/** Its JSON in at most half a memory; the oldest waits and the sessions listed first are kept. */
function fitting(facts: Snapshot): string {
  let { sessions, waits, omitted } = facts;
  for (;;) {
    const text = JSON.stringify({ sessions, waits, omitted });
    if (Buffer.byteLength(text) <= halfBytes) {
      return text;
    }
    const kept = [Math.floor(sessions.length / 2), Math.floor(waits.length / 2)] as const;
    omitted += sessions.length - kept[0] + waits.length - kept[1];
    sessions = sessions.slice(0, kept[0]);
    waits = waits.slice(0, kept[1]);
  }
}

export class MemoryReader {
  readonly #head: Int32Array;
  readonly #halves: readonly [Buffer, Buffer];

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, headBytes / 4);
    this.#halves = [Buffer.from(memory, headBytes, halfBytes), Buffer.from(memory, headBytes + halfBytes, halfBytes)];
  }

  /** Since the main loop's last sign of life, in milliseconds. */
  get lagMs(): number {
    return sharedAge(Atomics.load(this.#head, slots.beatAt), sharedNow());
  }

  /** Null: nothing was written yet. */
  snapshot(): { readonly facts: Snapshot; readonly ageMs: number } | null {
    for (let tries = 0; tries < 5; tries += 1) {
      const announced = Atomics.load(this.#head, slots.version);
      if (announced === 0) {
        return null;
      }
      const half = announced % 2 === 0 ? 0 : 1;
      const length = Atomics.load(this.#head, slots.lengths + half);
      const text = Buffer.from(this.#halves[half].subarray(0, length)).toString('utf8');
      const writtenAt = Atomics.load(this.#head, slots.writtenAt + half);
      if (Atomics.load(this.#head, slots.version) !== announced) {
        continue;
      }
      return { facts: JSON.parse(text) as Snapshot, ageMs: sharedAge(writtenAt, sharedNow()) };
    }
    return null;
  }
}
