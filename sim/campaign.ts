/** Many seeds, in one process or several, and what they add up to. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Options } from './args.ts';
import type { StoreKind } from './disk.ts';
import { commandOf, runSeed, type SeedOptions, type SeedResult } from './run.ts';

interface Failure {
  readonly seed: number;
  readonly store: StoreKind;
  readonly rule: string;
  readonly what: string;
  readonly story: readonly string[];
  readonly command: string;
}

export interface Report {
  runs: number;
  readonly failures: Failure[];
  readonly figures: { [name: string]: number };
  readonly struck: { [point: string]: number };
}

/** Every so many seeds one is run on SQLite, which takes several times as long as memory. */
const mixedSqliteEvery = 10;
/** Every so many seeds, beginning with the first, one is run on the store that answers late. */
const mixedLateEvery = 4;
/** After so many failures a campaign ends: they are mostly one and the same. */
const failuresMax = 10;

function storesOf(seed: number, stores: Options['stores']): readonly StoreKind[] {
  if (stores !== 'mixed') {
    return stores;
  }
  if (seed % mixedSqliteEvery === 0) {
    return ['sqlite'];
  }
  return [seed % mixedLateEvery === 1 ? 'late' : 'memory'];
}

const emptyReport = (): Report => ({ runs: 0, failures: [], figures: {}, struck: {} });

const addTo = (sums: { [name: string]: number }, more: Iterable<readonly [string, number]>): void => {
  for (const [name, value] of more) {
    sums[name] = (sums[name] ?? 0) + value;
  }
};

/** On both stores a seed tells the same story: the one in memory is the other's twin. */
function withTwin(result: SeedResult, other: string | null): SeedResult {
  const failure = { rule: 'a store and its twin are alike', what: `the stories end in ${other} and ${result.hash}` };
  return result.failure !== null || other === null || other === result.hash ? result : { ...result, failure };
}

/** Runs the seeds `seed`, `seed + stride`, … in this process. */
export async function campaign(
  options: Options,
  stride = 1,
  each: (result: SeedResult) => void = () => {},
): Promise<Report> {
  const report = emptyReport();
  for (let seed = options.seed; seed < options.seed + options.seeds; seed += stride) {
    let other: string | null = null;
    for (const store of storesOf(seed, options.stores)) {
      const asked: SeedOptions = { seed, store, ...(options.steps === null ? {} : { steps: options.steps }) };
      const result = withTwin(await runSeed(asked), other);
      other = result.hash;
      report.runs += 1;
      addTo(report.figures, Object.entries(result.figures));
      addTo(report.struck, result.struck);
      if (result.failure !== null) {
        const story = options.tail === 0 ? [] : result.lines.slice(-options.tail);
        report.failures.push({ seed, store, ...result.failure, story, command: commandOf(asked) });
      }
      each(result);
    }
    if (report.failures.length >= failuresMax) {
      break;
    }
  }
  return report;
}

/** Shares the seeds among processes; each takes every so-many-th. */
export async function campaignInProcesses(options: Options): Promise<Report> {
  const parts = await Promise.all(Array.from({ length: options.jobs }, (_, part) => inProcess(options, part)));
  const report = emptyReport();
  for (const part of parts) {
    report.runs += part.runs;
    report.failures.push(...part.failures);
    addTo(report.figures, Object.entries(part.figures));
    addTo(report.struck, Object.entries(part.struck));
  }
  report.failures.sort((a, b) => a.seed - b.seed);
  return report;
}

/** Its own flags of Node go with it: with `--import`, another core can stand in for the one under `src`. */
function inProcess(options: Options, part: number): Promise<Report> {
  const given = JSON.stringify({ ...options, seed: options.seed + part, seeds: options.seeds - part, jobs: 1 });
  const file = fileURLToPath(new URL('part.ts', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, file, given, String(options.jobs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) {
        resolve(JSON.parse(text) as Report);
      } else {
        reject(new Error(`a process of the campaign ended with ${code}`));
      }
    });
  });
}
