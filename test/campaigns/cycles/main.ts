/** `npm run test:cycles -- [--cycles N] [--mode NAME] [--json]`: exit code 1 if anything was left behind. */
import type { StuckName } from '../../supervise/stuck.ts';
import { stuckNames } from '../../supervise/stuck.ts';
import type { Tally } from '../../support/census.ts';
import { campaignArguments } from '../harness/arguments.ts';
import { table } from '../harness/output.ts';
import type { ModeReport } from './run.ts';
import { cycleRun } from './run.ts';

const { counts, words, json } = campaignArguments('test:cycles', { cycles: 500 }, ['mode']);
const modes = words.mode.length === 0 ? stuckNames : words.mode;
const isMode = (name: string): name is StuckName => stuckNames.some((known) => known === name);
if (!modes.every(isMode)) {
  process.stderr.write(`the modes are: ${stuckNames.join('; ')}\n`);
  process.exit(2);
}

const sum = (counts: Tally): number => Object.values(counts).reduce((all, count) => all + count, 0);
const change = (before: number, after: number): string => `${before} → ${after}`;

function row({ mode, cycles: count, msPerCycle, ends, before, after, wrong }: ModeReport): readonly string[] {
  return [
    mode,
    String(count),
    msPerCycle.toFixed(1),
    change(sum(before.descriptors), sum(after.descriptors)),
    change(before.threads, after.threads),
    change(before.processes.length, after.processes.length),
    change(sum(before.handles), sum(after.handles)),
    change(sum(before.listeners), sum(after.listeners)),
    `${Math.round((after.heapBytes - before.heapBytes) / 1024)}`,
    `${Math.round((after.rssBytes - before.rssBytes) / 1024)}`,
    Object.entries(ends)
      .map(([how, times]) => `${times} ${how}`)
      .join(', '),
    wrong.length === 0 ? 'nothing left' : `WRONG: ${wrong.join('; ')}`,
  ];
}

const head = [
  'mode',
  'cycles',
  'ms each',
  'descriptors',
  'threads',
  'processes',
  'handles',
  'listeners',
  'heap KiB',
  'RSS KiB',
  'ended',
  '',
];

const began = performance.now();
const reports = await cycleRun(counts.cycles, modes.filter(isMode), (report) => {
  const seconds = Math.round((performance.now() - began) / 1000);
  process.stderr.write(`${String(seconds).padStart(4)} s  ${report.cycles} cycles: ${report.mode}\n`);
});
process.stdout.write(json ? `${JSON.stringify(reports)}\n` : table([head, ...reports.map(row)]));
process.exitCode = reports.every(({ wrong }) => wrong.length === 0) ? 0 : 1;
