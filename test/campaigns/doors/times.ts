/** How long many calls took. */

export interface Times {
  readonly calls: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

/** Of durations in milliseconds. */
export function timesOf(durations: readonly number[]): Times {
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { calls: sorted.length, p50: at(0.5), p99: at(0.99), longest: at(1) };
}

export const timesText = ({ calls, p50, p99, longest }: Times): string =>
  `${calls} calls, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${longest.toFixed(1)} ms`;
