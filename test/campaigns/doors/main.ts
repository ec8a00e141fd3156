/** `npm run doors -- [--only crowd|log|stop]… [--minutes N] [--times N] [--calls N] [--json]`: exit code 1 if a bound of docs/security.md does not hold. */
import { campaignArguments } from '../harness/arguments.ts';
import { progress } from '../harness/output.ts';
import { crowdRun } from './crowd.ts';
import { logRun } from './log.ts';
import { startingAgents, type Stop, stopRunning, stopStarting } from './stop.ts';
import { timesOf, timesText } from './times.ts';

const defaults = { minutes: 10, callers: 8, times: 20, turns: 50, calls: 60, silent: 4_200, slow: 4_000 };
const { counts, words, json } = campaignArguments('doors', defaults, ['only']);
const { say, end } = progress(1);
const wrong: string[] = [];
const report: { [part: string]: unknown } = {};
const lines: string[] = [];
const wants = (part: string): boolean => words.only.length === 0 || words.only.includes(part);

if (wants('crowd')) {
  const crowd = await crowdRun({ ...counts, tell: say });
  report['crowd'] = crowd;
  lines.push(
    `${counts.silent} silent connections and ${counts.slow} slow bodies (${crowd.open} open at the end)`,
    `  signalbox tasks alone:      ${timesText(crowd.alone)}`,
    `  signalbox tasks with them:  ${timesText(crowd.crowded)}`,
    `  while they return (${crowd.openedInFlood} connections): ${timesText(crowd.flooded)}`,
  );
  wrong.push(...crowd.wrong);
  if (crowd.crowded.longest > 1_000) {
    wrong.push('the command line took longer than a second');
  }
}

if (wants('log')) {
  const log = await logRun({ ...counts, tell: say });
  report['log'] = log;
  for (const [name, side] of [
    ['read', log.read],
    ['not read', log.unread],
  ] as const) {
    lines.push(
      `log ${name}, ${side.dropped} lines dropped`,
      `  submit: ${timesText(side.submit)}`,
      `  task:   ${timesText(side.task)}`,
    );
    if (side.exit[0] !== 0) {
      wrong.push(`the daemon whose log is ${name} ended with ${side.exit.join(' ')}`);
    }
  }
  if (log.unread.submit.p50 > log.read.submit.p50 * 1.25 || log.unread.submit.p99 > log.read.submit.p99 * 1.5) {
    wrong.push('a daemon whose log is not read is slower');
  }
}

if (wants('stop')) {
  const stops: Stop[] = [];
  for (let time = 0; time < counts.times; time += 1) {
    const name = startingAgents[time % startingAgents.length] ?? 'acp';
    for (const one of [await stopRunning(counts.turns), await stopStarting(name)]) {
      stops.push(one);
      say(`${one.what}: ${Math.round(one.ms)} ms ${one.wrong ?? ''}`);
    }
  }
  report['stop'] = stops;
  for (const what of new Set(stops.map((one) => one.what))) {
    const these = stops.filter((one) => one.what === what);
    const right = these.filter((one) => one.wrong === null).length;
    lines.push(
      `SIGTERM with ${what}: ${right} of ${these.length} right; ${timesText(timesOf(these.map(({ ms }) => ms)))}`,
    );
  }
  wrong.push(...stops.flatMap((one) => (one.wrong === null ? [] : [`${one.what}: ${one.wrong}`])));
}

end();
process.stdout.write(
  json
    ? `${JSON.stringify({ ...report, wrong })}\n`
    : [...lines, ...wrong.map((what) => `WRONG: ${what}`)].map((line) => `${line}\n`).join(''),
);
process.exitCode = wrong.length === 0 ? 0 : 1;
