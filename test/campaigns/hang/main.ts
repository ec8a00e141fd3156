/**
 * `npm run test:hang`: hangs real daemons in every way, with agents at work, presses Ctrl-C once and twice, and prints what
 * was seen: class and stack of the report, exit code, times, survivors. Exit code 1 if anything is not as it must be.
 * `--only TEXT`: cases with this in their names. `--json`: one document per line. Linux only.
 */
import { execFileSync } from 'node:child_process';
import type { HangReport } from '../../../src/supervise/watchdog/report.ts';
import { campaignArguments } from '../harness/arguments.ts';
import { tableLine } from '../harness/output.ts';
import type { HangCase } from './cases.ts';
import { hangCases } from './cases.ts';
import { HungDaemon } from './daemon.ts';

const { words, json } = campaignArguments('test:hang', {}, ['only']);

/** The bounds of `supervision/3`, and what the launcher adds where a stack does not come. */
const graceMs = 1_500;
const dumpMs = 3_000;
const termMs = 1_000;
const slackMs = 500;
const atOnceMs = 200;
const hangMs = 1_000;
const agents = 3;
const agentQuietMs = 2_000;

interface Seen {
  readonly name: string;
  readonly presses: 1 | 2;
  readonly report: string;
  readonly stack: string;
  readonly reportMs: number | null;
  readonly exit: string;
  readonly endMs: number;
  readonly killed: number;
  readonly survivors: number;
  readonly wrong: readonly string[];
}

const stackOf = ({ stack, noStack }: HangReport): string =>
  stack === null ? (noStack ?? '') : (stack.find(({ url }) => !url.startsWith('node:'))?.function ?? 'node');

/** What the thread of its agent does. */
const threadOf = ({ threads }: HangReport): string => {
  const thread = threads.find(({ name }) => /^w\d+ /.test(name));
  return thread === undefined ? 'no thread' : `thread ${thread.waits ?? 'runs'}`;
};

/** Resolves after some milliseconds, by a process of the system: a script, not a test, may wait so. */
const pauseMs = (ms: number): void => void execFileSync('sleep', [String(ms / 1_000)]);

async function play({ name, block, how, atOnce, agent }: HangCase, presses: 1 | 2): Promise<Seen> {
  const wrong: string[] = [];
  await using box = new HungDaemon({
    block,
    hangMs,
    // A second press ends it long before its grace.
    graceMs: presses === 1 ? graceMs : 600_000,
    ...(atOnce === true ? { atOnce } : {}),
    ...(agent === undefined ? {} : { agent: agent.body, limits: { agentQuietMs } }),
  });
  let hungAt = performance.now();
  if (atOnce !== true) {
    await box.ready();
    await box.work(agent === undefined ? agents : 1);
    hungAt = agent === undefined ? box.hang() : performance.now();
  }
  let reportMs: number | null = null;
  if (agent !== undefined) {
    await box.alarm('hung-0');
    reportMs = performance.now() - hungAt;
  } else if (how === null) {
    await box.saying(/is stuck/);
  } else {
    await box.saying(/"class":"main-loop-blocked"/);
    reportMs = performance.now() - hungAt;
  }
  if (atOnce === true) {
    box.adopt();
  }
  const killed = box.census().length;
  const [report] = box.reports();
  const expectedClass = agent?.class ?? (how === null ? undefined : 'main-loop-blocked');
  if (report?.class !== expectedClass) {
    wrong.push(`the report says ${report?.class ?? 'nothing'}`);
  }
  if (how !== null && report?.main.how !== how) {
    wrong.push(`it was ${report?.main.how ?? 'not'} blocked, not ${how}`);
  }
  if (how === 'js' && report !== undefined && !/block|flood|node/.test(stackOf(report))) {
    wrong.push('another stack');
  }

  let pressed = box.press();
  if (presses === 2) {
    pauseMs(600);
    pressed = box.press();
  }
  const { code, signal, at } = await box.ended;
  const endMs = at - pressed;
  // While its configuration is loaded nobody knows the configured grace: the default of 10 s counts.
  const grace = atOnce === true ? 10_000 : graceMs;
  const most = presses === 2 ? atOnceMs : grace + dumpMs + termMs + slackMs;
  if (endMs > most) {
    wrong.push(`it took ${Math.round(endMs)} ms, more than ${most}`);
  }
  const expected = how === null && presses === 1 ? 0 : 130;
  if (code !== expected) {
    wrong.push(`exit code ${code ?? signal ?? ''}, not ${expected}`);
  }
  const survivors = box.survivors().length;
  if (survivors > 0) {
    wrong.push(`${survivors} survivors`);
  }
  return {
    name,
    presses,
    report: report?.class ?? '– (the main loop runs)',
    stack: report === undefined ? '–' : agent === undefined ? stackOf(report) : threadOf(report),
    reportMs,
    exit: String(code ?? signal),
    endMs,
    killed,
    survivors,
    wrong,
  };
}

const columns = ['case', 'Ctrl-C', 'report', 'stack', 'after ms', 'exit', 'ended in ms', 'ended', 'left', ''] as const;
const widths = [40, 6, 24, 21, 8, 5, 11, 5, 4, 0] as const;

if (!json) {
  process.stdout.write(tableLine(columns, widths));
}
let failed = 0;
for (const one of hangCases.filter(({ name }) => words.only.every((word) => name.includes(word)))) {
  for (const presses of [1, 2] as const) {
    const seen = await play(one, presses);
    failed += seen.wrong.length === 0 ? 0 : 1;
    const { name, report, stack, reportMs, exit, endMs, killed, survivors, wrong } = seen;
    const cells = [
      name,
      presses === 1 ? 'once' : 'twice',
      report,
      stack,
      reportMs === null ? '–' : String(Math.round(reportMs)),
      exit,
      String(Math.round(endMs)),
      String(killed + 1),
      String(survivors),
      wrong.length === 0 ? '✓' : `✗ ${wrong.join('; ')}`,
    ];
    process.stdout.write(json ? `${JSON.stringify(seen)}\n` : tableLine(cells, widths));
  }
}
if (!json) {
  process.stdout.write(failed === 0 ? 'All as it must be.\n' : `${failed} not as they must be.\n`);
}
process.exitCode = failed === 0 ? 0 : 1;
