/**
 * Starts children and ends them, in every way in which a child gets stuck, and counts what is left of it.
 * Each cycle ends by the whole ladder or by its lower half, in turn; some 20 are under way at a time.
 */
import { randomUUID } from 'node:crypto';
import type { AgentChild, ChildExit } from '../../../src/supervise/index.ts';
import { daemonIdName, spawnAgent } from '../../../src/supervise/index.ts';
import type { Census } from '../../support/census.ts';
import { leftBehind, quietCensus, settledCensus, takeCensus } from '../../support/census.ts';
import type { StuckMode, StuckName } from '../../supervise/stuck.ts';
import { stuckModes, stuckNames } from '../../supervise/stuck.ts';

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
  process.env[daemonIdName] = node;
  const reports: ModeReport[] = [];
  for (const name of modes) {
    await rounds(stuckModes[name], Math.min(warmUpCycles, cycles));
  }
  const first = await quietCensus(node);
  for (const name of modes) {
    const before = await quietCensus(node);
    const began = performance.now();
    const { exits, children } = await rounds(stuckModes[name], cycles);
    const msPerCycle = (performance.now() - began) / cycles;
    const after = await settledCensus(before, node, slack);
    const kept = await keptOf(children);
    const wrong = [...judge(before, after, exits), ...(kept === 0 ? [] : [`children still in memory: ${kept}`])];
    const report = {
      mode: name,
      cycles,
      msPerCycle,
      before,
      after,
      ends: endsOf(exits),
      wrong,
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

interface Rounds {
  readonly exits: readonly ChildExit[];
  readonly children: readonly WeakRef<AgentChild>[];
}

/** How many children the collector could not take: the exact answer, where bytes only give a hint. */
async function keptOf(children: readonly WeakRef<AgentChild>[]): Promise<number> {
  let kept = children;
  for (let looks = 0; looks < 20 && kept.length > 0; looks += 1) {
    await takeCensus();
    kept = kept.filter((child) => child.deref() !== undefined);
  }
  return kept.length;
}

async function rounds(mode: StuckMode, cycles: number): Promise<Rounds> {
  const exits: ChildExit[] = [];
  const children: WeakRef<AgentChild>[] = [];
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < cycles) {
      const number = begun;
      begun += 1;
      exits.push(await cycle(mode, number, (child) => children.push(new WeakRef(child))));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, cycles) }, lane));
  return { exits, children };
}

async function cycle(
  { script, ends, says }: StuckMode,
  number: number,
  begun: (child: AgentChild) => void,
): Promise<ChildExit> {
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
  begun(child);
  const late = setTimeout(() => exited.reject(new Error(`cycle ${number} did not end: ${script}`)), cycleDeadlineMs);
  try {
    if (says) {
      await Promise.race([up.promise, exited.promise]);
    }
    child.ready();
    if (ends === 'kill' && number % 2 === 0) {
      child.kill();
    } else if (ends === 'kill') {
      child.close();
    }
    // Without its last words: 500 of them would be megabytes of ours.
    return { ...(await exited.promise), stderr: '' };
  } finally {
    clearTimeout(late);
  }
}
