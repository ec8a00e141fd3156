/**
 * `npm run chaos -- [--minutes N] [--fault NAME]… [--list] [--nodes N] [--sessions N] [--callers N] [--ttl MS] [--seed N] [--json]`: exit code 1
 * if anything is wrong. Without `--fault` all of them strike, but for those that are promised less; `--list` names them.
 */
import { campaignArguments } from '../harness/arguments.ts';
import { progress, table } from '../harness/output.ts';
import { faults } from './faults/all.ts';
import type { Fault } from './faults/fault.ts';
import { promises, type Promised } from './findings.ts';
import { nodesRun, type NodesReport } from './run.ts';

const { counts, words, flags, json } = campaignArguments(
  'chaos',
  { minutes: 10, nodes: 3, sessions: 300, callers: 6, ttl: 3_000, seed: 1 },
  ['fault'],
  { flags: ['list'], fractions: ['minutes'] },
);

if (flags.list) {
  process.stdout.write(
    table(faults.map(({ name, what, apart }) => [name, apart === undefined ? what : `${what} (apart: ${apart})`])),
  );
} else {
  await main();
}

/** Those that were named, or all that are promised the same; what cannot be tried here is said, and left out. */
function chosen(): readonly Fault[] {
  const unknown = words.fault.find((name) => !faults.some((fault) => fault.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`there is no fault ${unknown}; --list names them\n`);
    process.exit(2);
  }
  const named = new Set(words.fault);
  const wanted = faults.filter(({ name, apart }) => (named.size === 0 ? apart === undefined : named.has(name)));
  return wanted.filter(({ name, lacks }) => {
    const reason = lacks?.() ?? null;
    if (reason !== null) {
      process.stderr.write(`${name} is left out: ${reason}\n`);
    }
    return reason === null;
  });
}

async function main(): Promise<void> {
  const { minutes, nodes, sessions, callers, ttl: ttlMs, seed } = counts;
  const { say, end } = progress(1);
  const report = await nodesRun({
    faults: chosen(),
    seconds: minutes * 60,
    nodes,
    sessions,
    callers,
    ttlMs,
    seed,
    tell: ({ seconds, accepted, struck, fault }) =>
      say(
        `${Math.round(seconds)} of ${Math.round(minutes * 60)} s: ${accepted} tasks accepted, ${struck} faults, ${fault ?? 'the judgement'}`,
      ),
  });
  end();
  process.stdout.write(json ? `${JSON.stringify({ ...report, seed })}\n` : text(report));
  process.exitCode = report.wrong.length === 0 ? 0 : 1;
}

function text({
  accepted,
  repeated,
  followed,
  faults: struck,
  stoodStill,
  broken,
  without,
  wrong,
  folder,
}: NodesReport): string {
  const ms = (value: number | null): string => (value === null ? '' : String(value));
  const rows = struck.map(({ name, count, p50, max }) => [name, String(count), ms(p50), ms(max)]);
  const held = (Object.keys(promises) as Promised[])
    .map((name) => `${broken[name]} ${name}${without.includes(name) ? ' (not promised)' : ''}`)
    .join(', ');
  const again = ['--minutes', '--nodes', '--sessions', '--callers', '--ttl', '--seed']
    .map((name) => `${name} ${counts[name.slice(2) as keyof typeof counts]}`)
    .concat(words.fault.map((name) => `--fault ${name}`));
  return [
    `${accepted} tasks accepted, ${repeated} requests sent again, ${followed} tapes followed`,
    table([['fault', 'times', 'work continued after p50', 'max ms'], ...rows]).trimEnd(),
    `${held}; ${stoodStill} agents stood still beside their successors`,
    ...wrong.map((what) => `WRONG ${what}`),
    ...(wrong.length === 0
      ? [
          without.length === 0
            ? 'Each accepted task has ended once, and no two agents were at work in one session.'
            : 'What is promised there was kept.',
        ]
      : [`What was said is in ${folder ?? ''}`, `Again: npm run chaos -- ${again.join(' ')}`]),
    '',
  ].join('\n');
}
