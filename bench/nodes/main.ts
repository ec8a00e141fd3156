/**
 * `npm run bench:nodes`: what several nodes on one Postgres do, beside peers and limits on the same server in the same run. Prints
 * the table of docs/benchmarks.md. Exit code 0 also where a goal was missed, unless `--strict`: 1.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../test/support/postgres.ts';
import { measureRow } from '../measure-row.ts';
import type { RowReport } from '../report.ts';
import { publish, reportOptions, roundsOf } from '../report.ts';
import { rows } from './rows.ts';

const usage = `Usage: npm run bench:nodes -- [options]

  --only NAME[,NAME…]   measure these rows only: ${Object.keys(rows).join(', ')}
  --rounds N            rounds of each row (5)
  --quick               small rounds, to see that everything runs; the figures mean nothing
  --json FILE           also write the report as JSON; - for standard output, in place of the table
  --strict              exit code 1 if a goal was missed
`;

const program = fileURLToPath(new URL('./row-process.ts', import.meta.url));

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { ...reportOptions, only: { type: 'string' }, strict: { type: 'boolean', default: false } },
  });
  const names = values.only?.split(',') ?? Object.keys(rows);
  const rounds = roundsOf(values);
  if (rounds === null || names.some((name) => !Object.hasOwn(rows, name))) {
    process.stderr.write(usage);
    return 2;
  }
  // As a server is after its installation: every commit is on disk before its answer.
  const server = await startPostgres(['max_connections=200']);
  try {
    const reports: RowReport[] = [];
    for (const name of names) {
      process.env['BENCH_POSTGRES_PORT'] = String(server.port);
      reports.push(await measureRow(program, name, { quick: values.quick, rounds }));
    }
    const missed = publish(values, rounds, reports);
    return missed > 0 && values.strict ? 1 : 0;
  } finally {
    await server.stop();
  }
}

process.exitCode = await main();
