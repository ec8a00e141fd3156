/** `npm run chaos:agents -- [--sessions N] [--seconds N] [--seed N] [--json]`: exit code 1 and the seed if anything is wrong. */
import { campaignArguments } from '../harness/arguments.ts';
import { progress } from '../harness/output.ts';
import { boundMs, type Census, chaosRun, type Delays } from './run.ts';

const { counts, json } = campaignArguments('chaos:agents', { sessions: 200, healthy: 10, seconds: 120, seed: 1 });
const { sessions, healthy, seconds, seed } = counts;
const { say, end } = progress(2);
const report = await chaosRun({
  ...counts,
  tell: (now) =>
    say(
      `${Math.round(now.seconds)} of ${seconds} s: ${now.misdeeds} misdeeds, ${now.ended} tasks ended, ${now.healthyTurns} healthy turns, ${now.processes} processes`,
    ),
});
end();

if (json) {
  process.stdout.write(`${JSON.stringify({ ...report, seed })}\n`);
} else {
  const out: string[] = [];
  for (const [name, times] of Object.entries(report.byMisdeed).toSorted(([a], [b]) => a.localeCompare(b))) {
    out.push(`${String(times).padStart(5)}  ${name}`);
  }
  const delays = ({ turns, p50, p99, max }: Delays): string => `p50 ${p50}, p99 ${p99}, longest ${max} ms of ${turns}`;
  const census = ({ processes, descriptors, threads, timers, heapBytes }: Census): string =>
    `${processes} processes of agents, ${descriptors} descriptors, ${threads} threads, ${timers} timers, ${(heapBytes / 2 ** 20).toFixed(1)} MiB heap`;
  out.push(
    `${report.tasks} tasks in ${sessions} sessions, seed ${seed}`,
    `healthy turns alone:   ${delays(report.alone)}`,
    `beside the chaos:      ${delays(report.beside)} (bound: p99 ${boundMs.p99}, longest ${boundMs.max})`,
    `before: ${census(report.before)}`,
    `after:  ${census(report.after)}`,
    `the daemon's loop was late: p99 ${report.after.loopP99}, longest ${report.after.loopMax} ms`,
    ...report.wrong.map((line) => `WRONG: ${line}`),
    report.wrong.length === 0
      ? 'Every task has its final, nothing is left, and nobody healthy was held up.'
      : `Reproduce: npm run chaos:agents -- --sessions ${sessions} --healthy ${healthy} --seconds ${seconds} --seed ${seed}`,
  );
  process.stdout.write(`${out.join('\n')}\n`);
}
process.exitCode = report.wrong.length === 0 ? 0 : 1;
