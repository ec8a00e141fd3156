/**
 * What a background task gets beside a flood of urgent ones, and what that costs them. Two callers each send an urgent task as soon as
 * their last one is answered, so one of them always waits; two more do the same with background tasks. Through the whole runtime on
 * SQLite. The limit is the same flood where the rule of fairness is put off.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { functionDriver } from '../../src/agents/index.ts';
import { createSignalbox } from '../../src/runtime/index.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { alone, compared, inTurns, median, pause, percentile, temporaryFolder } from '../harness.ts';

/** The default of the configuration. */
const maxPassedOver = 3;
/** How long a turn works, in milliseconds. */
const turnMs = 4;

interface Flood {
  /** Milliseconds from the submit of an urgent task to the begin of its turn. */
  readonly urgentWaits: readonly number[];
  /** Milliseconds from the submit of a background task to the begin of the turn that ends it. */
  readonly backgroundWaits: readonly number[];
  /** The most urgent turns in a row. */
  readonly longestRow: number;
}

export const row: Row = {
  name: 'fairness',
  title: 'background tasks beside two callers that flood the session',
  limit: 'the same flood with no fairness; for the share, one turn in every four',
  async measure(run: Run): Promise<readonly Figure[]> {
    using folder = temporaryFolder();
    const urgent = run.quick ? 20 : 400;
    const pairs = await inTurns(run, {
      limit: () => flood(folder.path, urgent, 1_000),
      ours: () => flood(folder.path, urgent, maxPassedOver),
    });
    const share = ({ urgentWaits, backgroundWaits }: Flood): number =>
      backgroundWaits.length / (urgentWaits.length + backgroundWaits.length);
    const fair = 1 / (maxPassedOver + 1);
    return [
      compared(
        pairs.map(({ ours }) => ({ ours: share(ours), limit: fair })),
        { measure: 'share of turns that background tasks get', unit: '', goal: { of: 'ratio', atLeast: 0.9 } },
      ),
      alone(Math.max(...pairs.map(({ ours }) => ours.longestRow)), {
        measure: 'longest row of urgent turns',
        unit: 'turns',
        goal: { of: 'ours', atMost: maxPassedOver },
      }),
      alone(median(pairs.map(({ ours }) => Math.max(...ours.backgroundWaits))), {
        measure: 'longest wait of a background task',
        unit: 'ms',
        goal: null,
      }),
      compared(
        pairs.map(({ ours, limit }) => ({
          ours: percentile(ours.urgentWaits, 99),
          limit: percentile(limit.urgentWaits, 99),
        })),
        { measure: 'wait of an urgent task p99', unit: 'ms', goal: { of: 'ratio', atMost: 3 } },
      ),
    ];
  },
};

/** Runs until so many urgent tasks have ended. */
async function flood(folder: string, urgent: number, passedOver: number): Promise<Flood> {
  const begun = new Map<string, number>();
  const waits = { interactive: [] as number[], background: [] as number[] };
  let row = 0;
  let longestRow = 0;
  const agent = functionDriver(async function* (prompt, { signal }) {
    begun.set(prompt, performance.now());
    row = prompt.startsWith('background') ? 0 : row + 1;
    longestRow = waits.background.length === 0 ? 0 : Math.max(longestRow, row);
    yield 'begun';
    await pause(turnMs);
    if (!signal.aborted) {
      yield 'done';
    }
  });
  const store = openSqliteStore({ path: join(folder, `${randomUUID()}.db`), durability: 'process' });
  const box = createSignalbox({ store, agent, limits: { maxPassedOver: passedOver } });
  await box.ready;
  let left = urgent;
  const caller = async (lane: 'interactive' | 'background', name: string): Promise<void> => {
    for (let at = 0; left > 0; at += 1) {
      left -= lane === 'interactive' ? 1 : 0;
      const prompt = `${name} ${at}`;
      const sentAt = performance.now();
      const answer = await box.submit({ session: 'bench:fairness', lane, prompt });
      if (answer.kind !== 'accepted') {
        throw new Error(answer.code);
      }
      await box.result(answer.task);
      if (lane === 'interactive' || left > 0) {
        waits[lane].push((begun.get(prompt) ?? Number.NaN) - sentAt);
      }
    }
  };
  await Promise.all([
    caller('interactive', 'one'),
    caller('interactive', 'two'),
    caller('background', 'background one'),
    caller('background', 'background two'),
  ]);
  await box.close({ graceMs: 0 });
  return { urgentWaits: waits.interactive, backgroundWaits: waits.background, longestRow };
}
