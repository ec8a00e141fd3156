/** `supervision/11` in small; `npm run test:cycles` is the whole of it. In a process of its own, which nothing else counts in. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { ModeReport } from './run.ts';
import { needs } from '../../supervise/harness.ts';
import { stuckNames } from '../../supervise/stuck.ts';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));
const options = { timeout: 60_000, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;

test('supervision/11: start and end of children in every stuck mode leave no process, thread, descriptor, listener or memory', async (context) => {
  needs(context, 'cookies');
  const args = ['--no-warnings', '--max-semi-space-size=1', program, '--cycles', '15', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  const reports = JSON.parse(stdout) as readonly ModeReport[];
  expect(reports.map(({ mode }) => mode)).toEqual([...stuckNames, 'all together']);
  expect(reports.flatMap(({ mode, wrong }) => wrong.map((what) => `${mode}: ${what}`))).toEqual([]);
  expect(reports.every(({ cycles }) => cycles >= 15)).toBe(true);
}, 90_000);
