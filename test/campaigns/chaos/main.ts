/** `npm run chaos:agents -- [--sessions N] [--seconds N] [--seed N] [--json]`: exit code 1 and the seed if anything is wrong. */
import { parseArgs } from 'node:util';
import { boundMs, type Census, chaosRun, type Delays } from './run.ts';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '200' },
    healthy: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const [sessions, healthy, seconds, seed] = [values.sessions, values.healthy, values.seconds, values.seed].map(Number);
if (!isCount(sessions) || !isCount(healthy) || !isCount(seconds) || !isCount(seed)) {
  process.stderr.write(
    'usage: npm run chaos:agents -- [--sessions N] [--healthy N] [--seconds N] [--seed N] [--json]\n',
  );
  process.exit(2);
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value > 0;
}

const terminal = process.stderr.isTTY === true;
let told = 0;
const report = await chaosRun({
  sessions,
  healthy,
  seconds,
  seed,
  tell(progress) {
    told += 1;
    if (!terminal && told % 2 !== 0) {
      return;
    }
    const line = `${Math.round(progress.seconds)} of ${seconds} s: ${progress.misdeeds} misdeeds, ${progress.ended} tasks ended, ${progress.healthyTurns} healthy turns, ${progress.processes} processes`;
    process.stderr.write(terminal ? `\r${line}   ` : `${line}\n`);
  },
});
if (terminal) {
  process.stderr.write('\n');
}

if (values.json) {
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
