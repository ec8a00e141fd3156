/** `npm run test:kill -- --kills N --seed N [--json]`: exit code 1 and the seed if anything was lost, doubled or left. */
import { parseArgs } from 'node:util';
import { killRun } from './run.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  process.stderr.write('usage: npm run test:kill -- [--kills N] [--seed N] [--json]\n');
  process.exit(2);
}
const began = performance.now();
const report = await killRun(kills, seed, (done) => {
  if (process.stderr.isTTY === true || done % 20 === 0) {
    process.stderr.write(
      `${process.stderr.isTTY === true ? '\r' : ''}killed ${done} of ${kills}${process.stderr.isTTY === true ? '' : '\n'}`,
    );
  }
});
const seconds = Math.round((performance.now() - began) / 100) / 10;
if (values.json) {
  process.stdout.write(`${JSON.stringify({ ...report, seconds })}\n`);
} else {
  for (const [point, times] of Object.entries(report.byPoint)) {
    process.stdout.write(`${String(times).padStart(5)}  killed at ${point}\n`);
  }
  process.stdout.write(
    `${report.sent} tasks sent, ${report.accepted} accepted, ${report.agents} agent processes, ${seconds} s\n`,
  );
  for (const line of report.wrong) {
    process.stdout.write(`WRONG: ${line}\n`);
  }
  process.stdout.write(
    report.wrong.length === 0
      ? 'Nothing was lost, doubled or left.\n'
      : `Reproduce: npm run test:kill -- --kills ${kills} --seed ${seed}\n`,
  );
}
process.exitCode = report.wrong.length === 0 ? 0 : 1;
