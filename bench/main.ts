/**
 * `npm run bench`: measures the rows of docs/benchmarks.md and prints the table. Exit code 0 also where a goal was missed,
 * unless `--strict`: 1.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Row, Run } from './harness.ts';
import type { RowReport } from './report.ts';
import { publish, reportOptions, roundsOf } from './report.ts';
import { rows } from './rows.ts';

const usage = `Usage: npm run bench -- [options]

  --only NAME[,NAME…]   measure these rows only: ${Object.keys(rows).join(', ')}
  --rounds N            rounds of each row (5)
  --quick               small rounds, to see that everything runs; the figures mean nothing
  --json FILE           also write the report as JSON; - for standard output, in place of the table
  --commit ID           what to call the commit (asked of git)
  --date DATE           what to call the date (today)
  --strict              exit code 1 if a goal was missed
`;

const program = fileURLToPath(new URL('./row-process.ts', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));

/** Every row ends by itself; one that does not is a defect and must not hang whoever waits for the table. */
const rowDeadlineMs = 900_000;

async function measure(name: string, options: Pick<Run, 'quick' | 'rounds'>): Promise<RowReport> {
  const began = performance.now();
  const child = fork(program, [name, JSON.stringify(options)], {
    cwd: root,
    execArgv: ['--expose-gc', '--no-warnings'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    timeout: rowDeadlineMs,
  });
  let report: (Pick<Row, 'title' | 'limit'> & Pick<RowReport, 'figures'>) | null = null;
  child.on('message', (message) => (report = message as NonNullable<typeof report>));
  const end = await new Promise<string>((resolve) =>
    child.on('close', (code, signal) => resolve(String(code ?? signal))),
  );
  const seconds = (performance.now() - began) / 1000;
  const known: Omit<RowReport, 'error' | 'row' | 'seconds'> = report ?? { title: name, limit: '', figures: [] };
  const error = report === null || end !== '0' ? `ended with ${end}` : null;
  return { row: name, ...known, error, seconds };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ...reportOptions,
      only: { type: 'string' },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const names = values.only?.split(',') ?? Object.keys(rows);
  const unknown = names.find((name) => !Object.hasOwn(rows, name));
  const rounds = roundsOf(values);
  if (unknown !== undefined || rounds === null) {
    process.stderr.write(
      unknown === undefined ? 'bench: --rounds is not a positive integer\n' : `bench: there is no row ${unknown}\n`,
    );
    process.stderr.write(usage);
    return 2;
  }
  const reports: RowReport[] = [];
  for (const name of names) {
    reports.push(await measure(name, { quick: values.quick, rounds }));
  }
  const missed = publish(values, rounds, reports);
  return missed > 0 && values.strict ? 1 : 0;
}

process.exitCode = await main();
