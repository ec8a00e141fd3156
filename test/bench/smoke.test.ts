/** Every row of the benchmark runs and gives figures. Nothing is asked of the figures here: this is no place to measure. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Figure } from '../../bench/harness.ts';
import type { Report } from '../../bench/report.ts';
import { rows } from '../../bench/rows.ts';
import { root } from '../tidy/files.ts';

const bench = async (...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> =>
  promisify(execFile)(process.execPath, ['bench/main.ts', ...args], { cwd: root, maxBuffer: 10_000_000 });

describe('the benchmark', () => {
  test('gives figures in every row', { timeout: 300_000 }, async () => {
    const { stdout } = await bench('--quick', '--json', '-', '--commit', 'none', '--date', '2026-01-01');
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ commit: 'none', date: '2026-01-01', node: process.version, quick: true, rounds: 1 });
    expect(report.rows.map(({ row, error }) => [row, error])).toEqual(Object.keys(rows).map((row) => [row, null]));
    for (const { figures } of report.rows) {
      expect(figures.length).toBeGreaterThan(0);
      for (const figure of figures) {
        expect(figure, figure.measure).toSatisfy(isWhole);
      }
    }
  });

  test('names a row that does not exist', async () => {
    await expect(bench('--only', 'nonsense')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no row nonsense') as string,
    });
  });
});

const isWhole = (figure: Figure): boolean =>
  [figure.ours, figure.limit ?? 0, figure.ratio ?? 0].every((value) => Number.isFinite(value));
