/** Runs Node itself, for programs that are not ours. */
import { spawn } from 'node:child_process';
import type { Ran } from './cli.ts';
import { ended } from './cli.ts';

export const runNode = (args: readonly string[]): Promise<Ran> =>
  ended(spawn(process.execPath, [...args], { stdio: ['ignore', 'pipe', 'pipe'] }));
