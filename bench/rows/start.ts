/**
 * What a start costs over an empty Node program: commands of the built CLI, and the daemon from its spawn to the line that
 * says that it answers.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Figure, Goal, Row, Run } from '../harness.ts';
import { compared, inTurns, median, temporaryFolder } from '../harness.ts';
import { cli, mustBeBuilt, startDaemon } from '../support/built-daemon.ts';

export const row: Row = {
  name: 'start',
  title: 'start of a command, of the daemon until it answers',
  limit: "node -e ''",
  async measure(run: Run): Promise<readonly Figure[]> {
    mustBeBuilt();
    using folder = temporaryFolder();
    const data = join(folder.path, 'daemon');
    const times = run.quick ? 2 : 10;
    await using _daemon = await startDaemon(data);
    const start: Goal = { of: 'ratio', atMost: 1.5 };
    // What asks the daemon has no goal: it contains a round trip and the loading of `fetch`.
    const commands: readonly (readonly [name: string, args: readonly string[], goal: Goal | null])[] = [
      ['signalbox --version', ['--version'], start],
      ['signalbox --help', ['--help'], start],
      ['signalbox tasks, with a round trip', ['tasks', '--data', data], null],
    ];
    const empty = (): Promise<number> => timed(times, () => ended(process.execPath, ['-e', '']));
    const figures: Figure[] = [];
    for (const [measure, args, goal] of commands) {
      const pairs = await inTurns(run, {
        limit: empty,
        ours: () => timed(times, () => ended(process.execPath, [cli, ...args])),
      });
      figures.push(compared(pairs, { measure, unit: 'ms', goal }));
    }
    let made = 0;
    const pairs = await inTurns(run, {
      limit: empty,
      ours: () => timed(Math.ceil(times / 2), () => answers(join(folder.path, `new-${(made += 1)}`))),
    });
    figures.push(
      compared(pairs, { measure: 'daemon ready, new folder', unit: 'ms', goal: { of: 'ratio', atMost: 4 } }),
    );
    return figures;
  },
};

/** Median of so many in a row. */
async function timed(times: number, once: () => Promise<number>): Promise<number> {
  const taken: number[] = [];
  for (let time = 0; time < times; time += 1) {
    taken.push(await once());
  }
  return median(taken);
}

/** Milliseconds from the spawn to the end. */
async function ended(program: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(program, args, { stdio: 'ignore' });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) {
    throw new Error(`${args.join(' ')} ended with ${String(code)}`);
  }
  return performance.now() - began;
}

/** Milliseconds from the spawn to the ready line. */
async function answers(folder: string): Promise<number> {
  const began = performance.now();
  await using daemon = await startDaemon(folder);
  return daemon.readyAt - began;
}
