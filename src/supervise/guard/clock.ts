/** The clock of a lease: no wall clock, and one that a suspended machine does not stop. */
import { readFileSync } from 'node:fs';

/** Of the system's monotonic clock, which all processes share: CLOCK_MONOTONIC on Linux. Not that of `performance.now()`. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Milliseconds since the system's start, with those of a suspension. Null: not known here. */
type BootClock = () => number | null;

/** CLOCK_BOOTTIME in steps of 10 ms. The clock of other systems counts a suspension by itself. */
function bootMs(): number | null {
  try {
    const [seconds] = readFileSync('/proc/uptime', 'latin1').split(' ');
    return Number(seconds) * 1_000;
  } catch {
    return null;
  }
}

/** The steps of the two clocks, and what lies between reading the one and the other. */
const jumpMinMs = 50;
const readMaxMs = 5;
const readTries = 5;

/**
 * Notices that the machine was suspended, by the clock that counts the suspension beside the one that does not.
 *
 * Owns: when each suspension was noticed. It is looked at again before each judgement.
 */
export class SuspensionClock {
  readonly #monotonic: () => number;
  readonly #boot: BootClock;
  #offset: number | null;
  #jumps: { readonly at: number; readonly ms: number }[] = [];

  constructor(monotonic: () => number = monotonicMs, boot: BootClock = bootMs) {
    this.#monotonic = monotonic;
    this.#boot = boot;
    this.#offset = this.#read();
  }

  /** Milliseconds since a moment of the monotonic clock, with those that the machine was suspended meanwhile. */
  since(moment: number): number {
    const offset = this.#read();
    const now = this.#monotonic();
    if (offset !== null) {
      const jump = offset - (this.#offset ?? offset);
      if (jump >= jumpMinMs) {
        this.#jumps = [...this.#jumps.slice(-99), { at: now, ms: jump }];
      }
      if (this.#offset === null || jump >= jumpMinMs) {
        this.#offset = offset;
      }
    }
    return now - moment + this.#jumps.reduce((sum, { at, ms }) => (at > moment ? sum + ms : sum), 0);
  }

  /** Null: not known, or this process was held up between the two readings again and again. */
  #read(): number | null {
    for (let tries = 0; tries < readTries; tries += 1) {
      const before = this.#monotonic();
      const boot = this.#boot();
      if (boot === null) {
        return null;
      }
      if (this.#monotonic() - before < readMaxMs) {
        return boot - before;
      }
    }
    return null;
  }
}
