/** `npm run sim -- --stress`: the races, world by world, on each store. */
import type { Options } from './args.ts';
import type { StoreKind } from './disk.ts';
import { Races, scenariosAWorld } from './races.ts';
import { runSeed } from './run.ts';

/** Scheduler steps, after which agents that would stream for ever stop. */
const stepsAWorld = 10_000;

interface StressReport {
  readonly store: StoreKind;
  readonly scenarios: number;
  /** Tasks that were accepted and did not end with one `final`. */
  readonly strands: number;
  readonly failures: readonly { readonly world: number; readonly rule: string; readonly what: string }[];
  readonly events: number;
  readonly seconds: number;
}

/** One world of races; `seed` numbers it. */
const race = (seed: number, store: StoreKind, twice: boolean, count = scenariosAWorld): ReturnType<typeof runSeed> =>
  runSeed({ seed, store, steps: stepsAWorld, twice, workload: () => new Races(seed, count) });

export async function stress(options: Pick<Options, 'count' | 'seed'>, store: StoreKind): Promise<StressReport> {
  const began = performance.now();
  const failures: { world: number; rule: string; what: string }[] = [];
  let scenarios = 0;
  let strands = 0;
  let events = 0;
  for (let world = options.seed; scenarios < options.count; world += 1) {
    const count = Math.min(scenariosAWorld, options.count - scenarios);
    const { failure, figures } = await race(world, store, false, count);
    scenarios += count;
    strands += figures['open'] ?? 0;
    events += figures['events'] ?? 0;
    if (failure !== null) {
      failures.push({ world, ...failure });
      if (failures.length >= 10) {
        break;
      }
    }
  }
  return { store, scenarios, strands, failures, events, seconds: (performance.now() - began) / 1000 };
}

const number = (value: number): string => Math.round(value).toLocaleString('en');

export async function stressAll(options: Options): Promise<boolean> {
  const reports: StressReport[] = [];
  for (const store of options.stores === 'mixed' ? (['memory', 'sqlite', 'late'] as const) : options.stores) {
    const report = await stress(options, store);
    reports.push(report);
    if (!options.json) {
      const { scenarios, strands, failures, events, seconds } = report;
      for (const { world, rule, what } of failures) {
        console.log(
          `races ${world} on ${store} break "${rule}": ${what}\nagain: npm run sim -- --stress --seed ${world} --count ${scenariosAWorld} --store ${store}`,
        );
      }
      const rate = number((scenarios / seconds) * 60);
      console.log(
        `${store}: ${number(scenarios)} races, ${number(events)} events, ${strands} strands, in ${seconds.toFixed(1)} s (${rate} a minute)`,
      );
    }
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ stress: reports })}\n`);
  }
  return reports.every(({ strands, failures }) => strands === 0 && failures.length === 0);
}
