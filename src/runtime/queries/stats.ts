/**
 * Figures since the start of the process: plain numbers, so that counting costs nothing and needs no library.
 * Owned by one runtime; written by its parts, read by `/metrics`.
 */
import type { HistogramView } from '../api.ts';

/** Seconds, from 100 microseconds to 100 seconds. */
const latencyBounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100,
] as const;
const sizeBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] as const;

const histogramTexts = {
  preempt_seconds: ['From the arrival of an urgent task to its interrupt written to the agent.', latencyBounds],
  interrupt_ack_seconds: ['From the interrupt written to the ack of the agent.', latencyBounds],
  drain_seconds: ['From the interrupt written to the end of the turn.', latencyBounds],
  hand_over_seconds: ['From the result boundary read to the next prompt written.', latencyBounds],
  commit_seconds: ['Time of one group commit.', latencyBounds],
  commit_sessions: ['Sessions in one group commit.', sizeBounds],
  commit_records: ['Records in one group commit.', sizeBounds],
} as const satisfies { readonly [name: string]: readonly [string, readonly number[]] };

type HistogramName = keyof typeof histogramTexts;

interface Histogram {
  readonly help: string;
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum: number;
  count: number;
}

export class Stats {
  readonly #counters = new Map<string, number>();
  readonly #histograms = new Map<HistogramName, Histogram>();

  constructor() {
    for (const name of Object.keys(histogramTexts) as HistogramName[]) {
      const [help, bounds] = histogramTexts[name];
      this.#histograms.set(name, { help, bounds, counts: bounds.map(() => 0), sum: 0, count: 0 });
    }
  }

  count(name: string, by = 1): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by);
  }

  observe(name: HistogramName, value: number): void {
    const histogram = this.#histograms.get(name);
    if (histogram === undefined) {
      return;
    }
    histogram.sum += value;
    histogram.count += 1;
    for (let at = histogram.bounds.length - 1; at >= 0 && value <= (histogram.bounds[at] ?? 0); at -= 1) {
      histogram.counts[at] = (histogram.counts[at] ?? 0) + 1;
    }
  }

  counters(): { readonly [name: string]: number } {
    return Object.fromEntries(this.#counters);
  }

  histograms(): { readonly [name: string]: HistogramView } {
    const views: { [name: string]: HistogramView } = {};
    for (const [name, { help, bounds, counts, sum, count }] of this.#histograms) {
      views[name] = { help, bounds, counts: [...counts], sum, count };
    }
    return views;
  }
}
