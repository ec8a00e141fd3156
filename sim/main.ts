/** `npm run sim`: see `args.ts` for what it takes. Exit code 1 if any run failed, 2 for a wrong argument. */
import { helpText, type Options, readArgs } from './args.ts';
import { campaign, campaignInProcesses, type Report } from './campaign.ts';
import { stressAll } from './stress.ts';

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readArgs(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${helpText}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(helpText);
    return 0;
  }
  if (options.stress) {
    return (await stressAll(options)) ? 0 : 1;
  }
  const began = performance.now();
  const report =
    options.jobs > 1
      ? await campaignInProcesses(options)
      : await campaign(options, 1, ({ lines }) => options.story && process.stdout.write(`${lines.join('\n')}\n`));
  const seconds = (performance.now() - began) / 1000;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ seed: options.seed, seeds: options.seeds, seconds, ...report })}\n`);
  } else {
    print(report, options, seconds);
  }
  return report.failures.length > 0 ? 1 : 0;
}

const number = (value: number): string => Math.round(value).toLocaleString('en');

function print(report: Report, options: Options, seconds: number): void {
  const { failures, figures, runs, struck } = report;
  for (const { seed, store, rule, what, story, command } of failures) {
    console.log(`seed ${seed} on ${store} breaks "${rule}": ${what}\n${story.join('\n')}\nagain: ${command}\n`);
  }
  if (failures.length > 1) {
    const rules = Map.groupBy(failures, ({ rule }) => rule);
    for (const [rule, list] of rules) {
      console.log(`"${rule}": seeds ${list.map(({ seed }) => seed).join(', ')}`);
    }
  }
  const events = Object.entries(figures).filter(([name]) => name.startsWith('event '));
  for (const [name, times] of events.sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`  ${number(times).padStart(9)}  ${name}`);
  }
  const strikes = Object.entries(struck).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [point, times] of strikes) {
    console.log(`  ${number(times).padStart(7)}  ${point}`);
  }
  const hours = (figures['virtualMs'] ?? 0) / 3_600_000;
  console.log(
    `${number(runs)} runs, each twice: ${number(figures['tasks'] ?? 0)} tasks, ${number(figures['events'] ?? 0)} events, ` +
      `${number(figures['inputs'] ?? 0)} inputs replayed, ${number(figures['daemons'] ?? 0)} daemons, ${number(hours)} virtual hours`,
  );
  const rate = number((runs / seconds) * 60);
  const verdict = failures.length === 0 ? 'clean and deterministic' : `${failures.length} failed`;
  console.log(
    `${verdict}; seeds ${options.seed} to ${options.seed + options.seeds - 1} in ${seconds.toFixed(1)} s, ${rate} a minute`,
  );
}

process.exitCode = await main();
