/**
 * `npm run test:guard`: stops daemons at any moment of a lease of one second, with agents at work, and prints when these last worked and
 * when they were gone, counted from the sending of the last renewal. In every other round the daemon lives, loses its lease, renews it
 * later, and its agents must continue. Exit code 1 if an agent worked or lived past the lease's end. `--rounds N`, `--agents N`, `--json`.
 */
import { leaseTimes } from '../../../src/protocol/lease-times.ts';
import { monotonicMs } from '../../../src/supervise/index.ts';
import { Guarded, standStill } from '../../supervise/guarded.ts';
import { campaignArguments } from '../harness/arguments.ts';
import { progress } from '../harness/output.ts';

const { counts, json } = campaignArguments('test:guard', { rounds: 100, agents: 3 });
const { freezeMs, killMs, ttlMs, renewMs } = leaseTimes(1_000);
/** Its tools are in its group, in a session of their own, and without a parent. */
const family = 'sleep 300 & setsid sleep 300 & (setsid sh -c "sleep 300 & sleep 300" &) ; echo up; wait';

interface Round {
  /** From the last renewal. */
  readonly workedMs: number;
  readonly goneMs: number | null;
  readonly resumedMs: number | null;
}

const names = Array.from({ length: counts.agents }, (_, agent) => `worker-${agent}`);
const workedAt = (daemon: Guarded): number => Math.max(...names.map((name) => daemon.workedAt(name)));

async function begin(): Promise<Guarded> {
  const daemon = await Guarded.start();
  await daemon.agents(...names.map((name) => daemon.worker(name)), ...names.map(() => family));
  // The launcher has loaded its guard.
  await daemon.lease(freezeMs, killMs);
  return daemon;
}

/** Resolves at a moment of the monotonic clock. */
async function until(moment: number): Promise<void> {
  while (monotonicMs() < moment) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function stopped(share: number): Promise<Round> {
  await using daemon = await begin();
  const sentAt = await daemon.lease(freezeMs, killMs);
  await until(sentAt + share * renewMs);
  process.kill(daemon.pid, 'SIGSTOP');
  await daemon.until(() => daemon.stderr.includes('stand still'));
  await daemon.seeing((started) => started.length === 0);
  return { goneMs: monotonicMs() - sentAt, workedMs: workedAt(daemon) - sentAt, resumedMs: null };
}

async function late(): Promise<Round> {
  await using daemon = await begin();
  const sentAt = await daemon.lease(freezeMs, killMs);
  await daemon.line('frozen');
  await daemon.seeing(standStill);
  const workedMs = workedAt(daemon) - sentAt;
  const renewedAt = await daemon.lease(60_000, 61_000);
  while (names.some((name) => daemon.workedAt(name) < renewedAt)) {
    // On a busy machine the main loop was silent for so long that its agents were killed: that is safe, and costs their turns.
    if (daemon.started().length === 0) {
      return { workedMs, goneMs: null, resumedMs: null };
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { workedMs, goneMs: null, resumedMs: monotonicMs() - renewedAt };
}

const quantiles = (values: readonly number[]): object => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
};

const rounds: Round[] = [];
const { say, end } = progress(10);
for (let round = 0; round < counts.rounds; round += 1) {
  rounds.push(await stopped(Math.random()), await late());
  say(`${round + 1} of ${counts.rounds}`);
}
end();
const gone = rounds.flatMap(({ goneMs }) => goneMs ?? []);
const worked = rounds.map(({ workedMs }) => workedMs);
const wrong = [...gone, ...worked].filter((ms) => ms > ttlMs).length;
const result = {
  ttlMs,
  freezeMs,
  killMs,
  lastWorkedMs: quantiles(worked),
  goneMs: quantiles(gone),
  resumedMs: quantiles(rounds.flatMap(({ resumedMs }) => resumedMs ?? [])),
  killedThoughAlive: rounds.filter(({ goneMs, resumedMs }) => goneMs === null && resumedMs === null).length,
  wrong,
};
process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, null, 2)}\n`);
process.exitCode = wrong === 0 ? 0 : 1;
