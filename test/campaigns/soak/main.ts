/** `npm run soak -- [--minutes N] [--sessions N] [--callers N] [--agents N] [--seed N] [--json]`: exit code 1 and the seed if anything is wrong. */
import { campaignArguments } from '../harness/arguments.ts';
import { progress } from '../harness/output.ts';
import { soakRun } from './run.ts';

const { counts, json } = campaignArguments('soak', { minutes: 120, sessions: 12, callers: 8, agents: 4, seed: 1 });
const { minutes, sessions, callers, agents, seed } = counts;
const { say, end } = progress(6);
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const report = await soakRun({
  minutes,
  sessions,
  callers,
  maxAgents: agents,
  seed,
  tell: (now) =>
    say(
      `${Math.round(now.seconds)} of ${minutes * 60} s: ${now.sent} tasks sent, ${now.disturbed} disturbances, heap ${mib(now.heapBytes)}`,
    ),
});
end();

const table = (title: string, numbers: { readonly [name: string]: number }): string[] => [
  title,
  ...Object.entries(numbers)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, times]) => `${String(times).padStart(7)}  ${name}`),
];
if (json) {
  process.stdout.write(`${JSON.stringify({ ...report, seed })}\n`);
} else {
  const { before, after } = report;
  const lines = [
    ...table(`${report.accepted} accepted tasks, by their end:`, report.byEnd),
    ...table('what callers did:', report.byVerb),
    ...table('what the daemon met:', report.disturbances),
    `heap after a collection: ${mib(before.heapBytes)} at a sixth of the time, ${mib(after.heapBytes)} at the half`,
    `descriptors ${before.descriptors} and ${after.descriptors}, timers ${before.timers} and ${after.timers}, the loop was late: p99 ${after.loopP99}, longest ${after.loopMax} ms`,
    ...report.wrong.map((what) => `WRONG: ${what}`),
    report.wrong.length === 0
      ? 'Every accepted task has ended once, by a just end.'
      : `Reproduce: npm run soak -- --minutes ${minutes} --sessions ${sessions} --callers ${callers} --agents ${agents} --seed ${seed}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
process.exitCode = report.wrong.length === 0 ? 0 : 1;
