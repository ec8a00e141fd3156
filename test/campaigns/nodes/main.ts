/** `npm run chaos -- [--minutes N] [--nodes N] [--sessions N] [--callers N] [--ttl MS] [--seed N] [--json]`: exit code 1 if anything is wrong. */
import { campaignArguments } from '../harness/arguments.ts';
import { progress } from '../harness/output.ts';
import { nodesRun } from './run.ts';

const { counts, json } = campaignArguments('chaos', {
  minutes: 10,
  nodes: 3,
  sessions: 300,
  callers: 6,
  ttl: 3_000,
  seed: 1,
});
const { minutes, nodes, sessions, callers, ttl: ttlMs, seed } = counts;
const { say, end } = progress(6);
const report = await nodesRun({
  seconds: minutes * 60,
  nodes,
  sessions,
  callers,
  ttlMs,
  seed,
  tell: (now) =>
    say(`${Math.round(now.seconds)} of ${minutes * 60} s: ${now.accepted} tasks accepted, ${now.faults} faults`),
});
end();
if (json) {
  process.stdout.write(`${JSON.stringify({ ...report, seed })}\n`);
} else {
  const lines = [
    `${report.accepted} tasks accepted, ${report.repeated} requests sent again`,
    ...Object.entries(report.faults).map(([name, times]) => `${String(times).padStart(7)}  ${name}`),
    ...report.wrong.map((what) => `WRONG: ${what}`),
    report.wrong.length === 0
      ? 'Each accepted task has ended once, and no two agents were in one session.'
      : `Again: npm run chaos -- --minutes ${minutes} --nodes ${nodes} --sessions ${sessions} --callers ${callers} --ttl ${ttlMs} --seed ${seed}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
process.exitCode = report.wrong.length === 0 ? 0 : 1;
