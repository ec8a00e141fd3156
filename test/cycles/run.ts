/**
 * Starts children and ends them, in every way in which a child gets stuck, and counts what is left of it.
 * Each cycle ends by the whole ladder or by its lower half, in turn; some 20 are under way at a time.
 */
import { randomUUID } from 'node:crypto';
import type { AgentChild, ChildExit } from '../../src/supervise/index.ts';
import { nodeCookieName, spawnAgent } from '../../src/supervise/index.ts';
import type { Census } from '../support/census.ts';
import { leftBehind, quietCensus, settledCensus } from '../support/census.ts';
import type { StuckMode, StuckName } from '../supervise/stuck.ts';
import { stuckModes, stuckNames } from '../supervise/stuck.ts';

export interface ModeReport {
  readonly mode: StuckName | 'all together';
  readonly cycles: number;
  readonly msPerCycle: number;
  /** How the ends came about: `closed by close`, `killed by kill`, `exited by itself`. */
  readonly ends: Readonly<{ [how: string]: number }>;
  readonly before: Census;
  readonly after: Census;
  /** What is wrong; empty: nothing is left. */
  readonly wrong: readonly string[];
}

const atOnce = 20;
/** First cycles grow what stays: compiled code, pools of the system. */
const warmUpCycles = 60;
const ladder = { closeGraceMs: 15, termGraceMs: 15, settleQuietMs: 15 };
/**
 * A child that is not let go of is some KiB, so 500 of them are megabytes. The rest is the collector's and the allocator's own
 * coming and going, seen at most: 350 KiB and 6 MiB with a small young generation.
 */
const slack = { heapBytes: 512 * 1024, rssBytes: 12 * 1024 * 1024 };

/** A cycle that does not end is a failed run, not a hanging one. */
const cycleDeadlineMs = 30_000;

export async function cycleRun(
  cycles: number,
  modes: readonly StuckName[] = stuckNames,
  onMode: (report: ModeReport) => void = () => {},
): Promise<readonly ModeReport[]> {
  const node = randomUUID();
  process.env[nodeCookieName] = node;
  const reports: ModeReport[] = [];
  for (const name of modes) await rounds(stuckModes[name], Math.min(warmUpCycles, cycles));
  const first = await quietCensus(node);
  for (const name of modes) {
    const before = await quietCensus(node);
    const began = performance.now();
    const exits = await rounds(stuckModes[name], cycles);
    const msPerCycle = (performance.now() - began) / cycles;
    const after = await settledCensus(before, node, slack);
    const report = {
      mode: name,
      cycles,
      msPerCycle,
      before,
      after,
      ends: endsOf(exits),
      wrong: judge(before, after, exits),
    };
    reports.push(report);
    onMode(report);
  }
  reports.push(await total(first, reports, node));
  return reports;
}

/** All of it together, so that nothing can creep in below the slack of each mode. */
async function total(before: Census, reports: readonly ModeReport[], node: string): Promise<ModeReport> {
  const after = await settledCensus(before, node, slack);
  const cycles = reports.reduce((sum, report) => sum + report.cycles, 0);
  const ms = reports.reduce((sum, report) => sum + report.cycles * report.msPerCycle, 0);
  const wrong = leftBehind(before, after, slack);
  return { mode: 'all together', cycles, msPerCycle: ms / cycles, ends: {}, before, after, wrong };
}

function judge(before: Census, after: Census, exits: readonly ChildExit[]): readonly string[] {
  const left = exits.flatMap((exit) => exit.left);
  return [...leftBehind(before, after, slack), ...(left.length === 0 ? [] : [`said to be left: ${left.join(', ')}`])];
}

function endsOf(exits: readonly ChildExit[]): ModeReport['ends'] {
  const ends: { [how: string]: number } = {};
  for (const { reason, rung } of exits) {
    const how = `${reason} by ${rung ?? 'itself'}`;
    ends[how] = (ends[how] ?? 0) + 1;
  }
  return ends;
}

async function rounds(mode: StuckMode, cycles: number): Promise<readonly ChildExit[]> {
  const exits: ChildExit[] = [];
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < cycles) {
      const number = begun;
      begun += 1;
      exits.push(await cycle(mode, number));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, cycles) }, lane));
  return exits;
}

async function cycle({ script, ends, says }: StuckMode, number: number): Promise<ChildExit> {
  const up = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<ChildExit>();
  const child: AgentChild = spawnAgent({
    command: 'sh',
    args: ['-c', script],
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: process.env['TMPDIR'] ?? '/tmp' },
    ...ladder,
    onFrame: () => up.resolve(),
    onExit: exited.resolve,
  });
  const late = setTimeout(() => exited.reject(new Error(`cycle ${number} did not end: ${script}`)), cycleDeadlineMs);
  try {
    if (says) await Promise.race([up.promise, exited.promise]);
    child.ready();
    if (ends === 'kill' && number % 2 === 0) child.kill();
    else if (ends === 'kill') child.close();
    // Without its last words: 500 of them would be megabytes of ours.
    return { ...(await exited.promise), stderr: '' };
  } finally {
    clearTimeout(late);
  }
}
