/** The simulator on a mutant: a bounded number of seeds, in one process. */
import { fileURLToPath } from 'node:url';
import { runChild } from './child.ts';
import type { MutatedCore } from './files.ts';
import { environmentOf } from './files.ts';
import type { StageResult } from './stage.ts';
import { killed, passed } from './stage.ts';

const allSeeds = 40;
const secondsMax = 240;

/** What of its report is looked at. */
interface Report {
  readonly failures: readonly { readonly seed: number; readonly rule: string }[];
}

const preload = new URL('preload.ts', import.meta.url).href;
const program = fileURLToPath(new URL('../../sim/main.ts', import.meta.url));

export async function runSimulator(core: MutatedCore, signal: AbortSignal, seeds = allSeeds): Promise<StageResult> {
  const args = ['--import', preload, program, '--seeds', String(seeds), '--jobs', '1', '--tail', '0', '--json'];
  const ended = await runChild(args, { env: environmentOf(core), seconds: secondsMax, signal });
  if (ended.code === 0) {
    return passed();
  }
  if (ended.code === null) {
    return killed(`no end within ${secondsMax} s`);
  }
  if (!ended.stdout.startsWith('{')) {
    return killed(`the simulator ended with ${ended.code}: ${ended.stderr.slice(0, 200)}`);
  }
  const [failure] = (JSON.parse(ended.stdout) as Report).failures;
  return killed(failure === undefined ? 'failed' : `seed ${failure.seed}: ${failure.rule}`);
}
