/** Samples by name and by program, in milliseconds; shown as medians and worst cases. */

export class Figures {
  readonly #samples = new Map<string, Map<string, number[]>>();

  add(program: string, name: string, ms: number): void {
    const of = this.#samples.get(name) ?? new Map<string, number[]>();
    this.#samples.set(name, of);
    of.set(program, [...(of.get(program) ?? []), ms]);
  }

  /** A table with a row for each figure and a column for each program: `p50 (max)`. */
  table(programs: readonly string[]): readonly string[] {
    const rows = [...this.#samples].map(([name, of]) => [
      name,
      ...programs.map((program) => shown(of.get(program) ?? [])),
    ]);
    if (rows.length === 0) {
      return [];
    }
    return aligned([['milliseconds, p50 (max)', ...programs], ...rows]);
  }

  toJSON(): unknown {
    return Object.fromEntries([...this.#samples].map(([name, of]) => [name, Object.fromEntries(of)]));
  }
}

export const percentile = (samples: readonly number[], part: number): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
};

const number = (ms: number): string => (ms < 10 ? ms.toFixed(1) : ms.toFixed(0));
const shown = (samples: readonly number[]): string =>
  samples.length === 0 ? '–' : `${number(percentile(samples, 0.5))} (${number(Math.max(...samples))})`;

export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
