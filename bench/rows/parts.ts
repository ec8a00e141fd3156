/**
 * Thousands of messages that are merged into one task, through the whole runtime on SQLite: what one more of them costs, and how they end
 * when the session is stopped or a message interrupts their turn. A step is a pure function: one that took long is taken again, and its
 * shortest time counts, so that a busy machine is not measured.
 */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { functionDriver } from '../../src/agents/index.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Session } from '../../src/core/model/session.ts';
import { step } from '../../src/core/step.ts';
import { createSignalbox, systemClock } from '../../src/runtime/index.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { alone, median, temporaryFolder } from '../harness.ts';

/** Told apart from all other times by its length; it passes when the row says so. */
const collectMs = 777_777;
const session = 'bench:parts';

type Ending = 'stop' | 'interrupt';

interface Round {
  /** Milliseconds of each step that admitted a part, in their order. */
  readonly admissions: readonly number[];
  /** Milliseconds of the longest step from the stop or interrupt on. */
  readonly longestStep: number;
  /** Milliseconds from the stop or interrupt to the end of the last part. */
  readonly settled: number;
  readonly bytesEach: number;
}

export const row: Row = {
  name: 'parts',
  title: '10,000 messages merged into one task: one more of them, a stop, an interrupt',
  limit: 'half as many',
  async measure(run: Run): Promise<readonly Figure[]> {
    using folder = temporaryFolder();
    const count = run.quick ? 400 : 10_000;
    const figures: Figure[] = [];
    for (const ending of ['stop', 'interrupt'] as const) {
      const rounds: { readonly all: Round; readonly half: Round }[] = [];
      for (let round = 0; round <= run.rounds; round += 1) {
        const half = await measured(folder.path, count / 2, ending);
        const all = await measured(folder.path, count, ending);
        if (round > 0) {
          rounds.push({ half, all });
        }
        run.say(`${ending}, round ${round}: ${Math.round(all.settled)} ms, longest step ${all.longestStep} ms`);
      }
      figures.push(...figuresOf(ending, rounds));
    }
    return figures;
  },
};

function figuresOf(ending: Ending, rounds: readonly { readonly all: Round; readonly half: Round }[]): Figure[] {
  const middle = (value: (round: { readonly all: Round; readonly half: Round }) => number): number =>
    median(rounds.map(value));
  const ends = [
    alone(
      middle(({ all }) => all.longestStep),
      { measure: `${ending}: longest step`, unit: 'ms', goal: { of: 'ours', atMost: 2 } },
    ),
    alone(
      middle(({ all, half }) => all.settled / half.settled),
      {
        measure: `${ending}: time until all have ended, to half as many`,
        unit: '×',
        goal: { of: 'ours', atMost: 2.5 },
      },
    ),
    alone(
      middle(({ all }) => all.settled),
      { measure: `${ending}: time until all have ended`, unit: 'ms', goal: null },
    ),
  ];
  if (ending === 'interrupt') {
    return ends;
  }
  const growth = ({ admissions }: Round): number => {
    const tenth = Math.floor(admissions.length / 10);
    return median(admissions.slice(-tenth)) / median(admissions.slice(tenth, 2 * tenth));
  };
  return [
    alone(
      middle(({ all }) => growth(all)),
      { measure: 'admission, the last tenth to the second', unit: '×', goal: { of: 'ours', atMost: 1.5 } },
    ),
    alone(
      middle(({ all }) => all.bytesEach),
      { measure: 'store, each part', unit: 'B', goal: { of: 'ours', atMost: 1_024 } },
    ),
    ...ends,
  ];
}

/** Where the time of the collect window is passed by hand. */
function windows(): { readonly clock: typeof systemClock; readonly close: () => void } {
  const open = new Set<() => void>();
  const timer = (ms: number, fire: () => void): (() => void) => {
    if (ms !== collectMs) {
      return systemClock.timer(ms, fire);
    }
    open.add(fire);
    return () => void open.delete(fire);
  };
  return { clock: { ...systemClock, timer }, close: () => open.forEach((fire) => fire()) };
}

/** Milliseconds of a step, at best. */
function timeOf(before: Session, input: Input, first: number): number {
  let best = first;
  for (let again = 0; again < 5 && best > 0.5; again += 1) {
    const from = performance.now();
    step(before, input);
    best = Math.min(best, performance.now() - from);
  }
  return best;
}

async function measured(folder: string, count: number, ending: Ending): Promise<Round> {
  const path = join(folder, `${randomUUID()}.db`);
  const steps: { readonly before: Session; readonly input: Input; readonly ms: number }[] = [];
  let begunAt = 0;
  let begun: () => void = () => {};
  const agent = functionDriver(async function* (prompt, { signal }) {
    yield String(prompt.length);
    begun();
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  });
  const { clock, close } = windows();
  const box = createSignalbox({
    store: openSqliteStore({ path, durability: 'process' }),
    agent,
    clock,
    limits: { collectMs, maxOpen: count + 10, maxOpenPerSource: count + 10 },
    faults: {
      at: (point) => {
        begunAt = point === 'runtime.before-step' ? performance.now() : begunAt;
      },
    },
    observe: (before, input) => steps.push({ before, input, ms: performance.now() - begunAt }),
  });
  await box.ready;
  const send = async (whenBusy: 'collect' | 'interrupt'): Promise<string> => {
    const answer = await box.submit({ session, lane: 'interactive', prompt: 'look at what has changed', whenBusy });
    if (answer.kind !== 'accepted') {
      throw new Error(answer.code);
    }
    return answer.task;
  };
  const tasks: string[] = [];
  for (let at = 0; at < count; at += 100) {
    tasks.push(...(await Promise.all(Array.from({ length: 100 }, () => send('collect')))));
  }
  const admissions = steps.filter(({ input }) => input.type === 'submit').map(({ ms }) => ms);
  const started = new Promise<void>((resolve) => (begun = resolve));
  steps.length = 0;
  close();
  await started;
  const startedAt = performance.now();
  if (ending === 'stop') {
    await box.stop(session, 'session');
  } else {
    await send('interrupt');
  }
  await Promise.all(tasks.map((task) => box.result(task)));
  const settled = performance.now() - startedAt;
  const longestStep = Math.max(...steps.map(({ before, input, ms }) => timeOf(before, input, ms)));
  await box.close({ graceMs: 0 });
  return { admissions, longestStep, settled, bytesEach: statSync(path).size / count };
}
