/** The table and the JSON of a run. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Figure, Goal, Skipped } from './harness.ts';
import { short } from './harness.ts';

export interface RowReport {
  readonly row: string;
  readonly title: string;
  readonly limit: string;
  readonly figures: readonly (Figure | Skipped)[];
  /** Why the row gave no figures. */
  readonly error: string | null;
  readonly seconds: number;
}

export interface Report {
  readonly date: string;
  readonly commit: string | null;
  readonly node: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly system: string;
  };
  readonly quick: boolean;
  readonly rounds: number;
  readonly rows: readonly RowReport[];
}

/** Options of every program that prints a report. */
export const reportOptions = {
  rounds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  commit: { type: 'string' },
  date: { type: 'string' },
} as const;

interface ReportValues {
  readonly quick: boolean;
  readonly rounds?: string | undefined;
  readonly json?: string | undefined;
  readonly commit?: string | undefined;
  readonly date?: string | undefined;
}

/** Null: `--rounds` is not a positive integer. */
export function roundsOf({ rounds: asked, quick }: ReportValues): number | null {
  const rounds = Number(asked ?? (quick ? 1 : 5));
  return Number.isInteger(rounds) && rounds >= 1 ? rounds : null;
}

/** Prints the table, or with `--json -` the document; writes the JSON file where one is asked for. Returns the missed goals. */
export function publish(values: ReportValues, rounds: number, rows: readonly RowReport[]): number {
  const report: Report = {
    date: values.date ?? new Date().toISOString().slice(0, 10),
    commit: values.commit ?? commitOf(root),
    node: process.version,
    machine: describeMachine(),
    quick: values.quick,
    rounds,
    rows,
  };
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (values.json !== undefined && values.json !== '-') {
    writeFileSync(values.json, json);
  }
  process.stdout.write(values.json === '-' ? json : table(report));
  const count = missed(report);
  if (count > 0) {
    process.stderr.write(`bench: ${count} goals missed\n`);
  }
  return count;
}

const root = fileURLToPath(new URL('..', import.meta.url));

function describeMachine(): Report['machine'] {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${process.arch}`,
  };
}

/** With `+` when the working copy differs from it; null outside of one. */
function commitOf(folder: string): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return (
      git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', '--', 'src', 'bench') === '' ? '' : '+')
    );
  } catch {
    return null;
  }
}

const isSkipped = (figure: Figure | Skipped): figure is Skipped => 'skipped' in figure;

const missed = (report: Report): number =>
  report.rows.reduce(
    (sum, { figures, error }) =>
      sum + (error === null ? 0 : 1) + figures.filter((figure) => !isSkipped(figure) && figure.met === false).length,
    0,
  );

const goalText = (goal: Goal | null): string => {
  if (goal === null) {
    return '';
  }
  const bound = 'atMost' in goal ? `≤ ${short(goal.atMost)}` : `≥ ${short(goal.atLeast)}`;
  return goal.of === 'ratio' ? `${bound} ×` : bound;
};

/** Markdown, so that it can go into the documentation as it is. */
function table(report: Report): string {
  const head = ['row', 'measure', 'ours', 'limit', 'ratio', 'goal', 'met'];
  const notes: string[] = [];
  const lines = report.rows.flatMap(({ row, figures, error }) => [
    ...(error === null ? [] : [[row, `failed: ${error}`, '', '', '', '', 'no']]),
    ...figures.map((figure) => {
      if (isSkipped(figure)) {
        return [row, figure.measure, 'skipped', figure.skipped, '', '', ''];
      }
      const { measure, unit, ours, limit, ratio, goal, met, note } = figure;
      if (note !== null && !notes.includes(note)) {
        notes.push(note);
      }
      const mark = note === null ? '' : ` [${notes.indexOf(note) + 1}]`;
      const withUnit = (value: number): string => `${short(value)} ${unit}`;
      return [
        row,
        `${measure}${mark}`,
        withUnit(ours),
        limit === null ? '' : withUnit(limit),
        ratio === null ? '' : ratio.toPrecision(3),
        goalText(goal),
        met === null ? '' : met ? 'yes' : 'NO',
      ];
    }),
  ]);
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(3, ...all.map((line) => line[column]?.length ?? 0)));
  const text = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const { machine, node, commit, date, rounds } = report;
  const about = `${date}, commit ${commit ?? 'unknown'}, Node ${node}, ${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; median of ${rounds} rounds${report.quick ? ' (quick: not to be judged by)' : ''}`;
  const foot = notes.map((note, index) => `[${index + 1}] ${note}`);
  return [about, '', text(head), rule, ...lines.map(text), ...(foot.length === 0 ? [] : ['', ...foot]), ''].join('\n');
}
