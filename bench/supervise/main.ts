/** `npm run bench:supervise -- [--rounds N] [--only WORD]`: prints a table of what children cost and do here. */
import { availableParallelism, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { measures } from './measures.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '11' }, only: { type: 'string', default: '' } },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write('usage: bench/supervise/main.ts [--rounds N] [--only WORD]\n');
  process.exit(2);
}

const load = loadavg()[0]?.toFixed(1) ?? '?';
process.stdout.write(
  `Node ${process.versions.node}, ${process.platform} ${release()}, ${availableParallelism()} cores, load ${load}\n` +
    `median (least to most) of ${rounds} rounds\n\n| | Node 20, at the design | here |\n| --- | --- | --- |\n`,
);
let failed = 0;
for (const { what, before, measure } of measures) {
  if (!what.includes(values.only)) {
    continue;
  }
  try {
    process.stdout.write(`| ${what} | ${before} | ${await measure(rounds)} |\n`);
  } catch (error) {
    failed += 1;
    process.stdout.write(
      `| ${what} | ${before} | not measured: ${error instanceof Error ? error.message : 'failed'} |\n`,
    );
  }
}
process.exit(failed === 0 ? 0 : 1);
