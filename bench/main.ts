/**
 * `npm run bench`: measures the rows of docs/benchmarks.md and prints the table. Exit code 0 also where a goal was missed,
 * unless `--strict`: 1.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureRow } from './measure-row.ts';
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
    reports.push(await measureRow(program, name, { quick: values.quick, rounds }));
  }
  const missed = publish(values, rounds, reports);
  return missed > 0 && values.strict ? 1 : 0;
}

process.exitCode = await main();
