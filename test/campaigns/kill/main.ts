/** `npm run test:kill -- [--kills N] [--seed N] [--json]`: exit code 1 and the seed if anything was lost, doubled or left. */
import { campaignArguments } from '../harness/arguments.ts';
import { progress } from '../harness/output.ts';
import { killRun } from './run.ts';

const { counts, json } = campaignArguments('test:kill', { kills: 200, seed: 1 });
const { kills, seed } = counts;
const { say, end } = progress(20);
const began = performance.now();
const report = await killRun(kills, seed, (done) => say(`killed ${done} of ${kills}`));
end();
const seconds = Math.round((performance.now() - began) / 100) / 10;
const lines = [
  ...Object.entries(report.byPoint).map(([point, times]) => `${String(times).padStart(5)}  killed at ${point}`),
  `${report.sent} tasks sent, ${report.accepted} accepted, ${report.agents} agent processes, ${seconds} s`,
  ...report.wrong.map((what) => `WRONG: ${what}`),
  report.wrong.length === 0
    ? 'Nothing was lost, doubled or left.'
    : `Reproduce: npm run test:kill -- --kills ${kills} --seed ${seed}`,
];
process.stdout.write(json ? `${JSON.stringify({ ...report, seconds })}\n` : `${lines.join('\n')}\n`);
process.exitCode = report.wrong.length === 0 ? 0 : 1;
