/** Code runners of the simulator. What one does stands in its task's input, so a retried attempt does the same again. */
import type { Runner, RunnerContext } from '../src/runtime/api.ts';
import { markerOf } from './ledger.ts';
import type { Random } from './random.ts';

export interface RunnerScript {
  readonly n: number;
  readonly turns: number;
  readonly progress: number;
  /** Virtual ms between its acts. */
  readonly pause: number;
  readonly end: 'returns' | 'throws' | 'leaves-a-turn' | 'clings';
  /** The models it asks for, turn by turn; null: its task's. */
  readonly models: readonly (string | null)[];
  /** Rather than fail, ends quietly when a turn did not complete. */
  readonly tolerant: boolean;
}

export const drawScript = (random: Random, n: number): RunnerScript => ({
  n,
  turns: random.int(0, 4),
  progress: random.int(0, 3),
  pause: random.delay(300),
  end: random.weighted([
    [6, 'returns'],
    [1, 'throws'],
    [1, 'leaves-a-turn'],
    [1, 'clings'],
  ] as const),
  tolerant: random.chance(0.5),
  models: random.chance(0.7) ? [] : [null, 'small', 'large', 'small'],
});

interface RunnerStage {
  sleep(ms: number): Promise<void>;
  violate(rule: string, what: string): void;
  /** A run of this task begins (+1) or has ended, in its own eyes or by its signal (-1). */
  running(task: string, change: 1 | -1): void;
}

const isScript = (input: unknown): input is RunnerScript =>
  typeof input === 'object' && input !== null && 'turns' in input;

export function workerOf(stage: RunnerStage): Runner {
  return async (context) => {
    if (!isScript(context.input)) {
      throw new Error('the input is what was submitted');
    }
    let counted = true;
    const over = (): void => {
      if (counted) {
        counted = false;
        stage.running(context.task, -1);
      }
    };
    stage.running(context.task, 1);
    context.signal.addEventListener('abort', over);
    try {
      return await work(stage, context, context.input);
    } finally {
      over();
    }
  };
}

async function work(stage: RunnerStage, context: RunnerContext, script: RunnerScript): Promise<unknown> {
  const { hold } = context;
  const outcomes: string[] = [];
  for (let turn = 0; turn < script.turns; turn += 1) {
    for (let at = 0; at < script.progress; at += 1) {
      await hold.progress({ turn, at });
    }
    await stage.sleep(script.pause);
    const model = script.models[turn] ?? null;
    const asked = hold.turn(`${markerOf(script.n)} step ${turn}`, model === null ? {} : { model });
    if (script.end === 'leaves-a-turn' && turn === script.turns - 1) {
      asked.catch(() => {});
      await stage.sleep(script.pause);
      return { left: turn };
    }
    const answer = await asked;
    outcomes.push(answer.outcome);
    if (answer.outcome !== 'completed' && !script.tolerant) {
      throw new Error(`turn ${turn} was ${answer.outcome}`);
    }
  }
  if (script.end === 'throws') {
    throw new Error('thrown by the runner');
  }
  if (script.end === 'clings') {
    await cling(stage, context, script);
  }
  return { outcomes };
}

/** Goes on for a while whatever happens; once it is out, nothing it does may be taken. */
async function cling(stage: RunnerStage, context: RunnerContext, script: RunnerScript): Promise<void> {
  for (let at = 0; at < 4; at += 1) {
    await stage.sleep(script.pause + 50);
    const wasOut = context.signal.aborted;
    const taken = await context.hold.progress({ clings: at }).then(
      () => true,
      () => false,
    );
    if (taken && wasOut) {
      stage.violate('evicted is out', `progress of ${context.task} was taken after its abort`);
    }
  }
}
