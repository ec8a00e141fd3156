/** Measures a row in a process of its own, so that no row runs in what another has left of heap and compiled code. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Row, Run } from './harness.ts';
import type { RowReport } from './report.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every row ends by itself; one that does not is a defect and must not hang whoever waits for the table. */
const rowDeadlineMs = 900_000;

/** `program` gets the name and the options, and sends what it has measured. */
export async function measureRow(
  program: string,
  name: string,
  options: Pick<Run, 'quick' | 'rounds'>,
): Promise<RowReport> {
  const began = performance.now();
  const child = fork(program, [name, JSON.stringify(options)], {
    cwd: root,
    execArgv: ['--expose-gc', '--no-warnings'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    timeout: rowDeadlineMs,
  });
  let report: (Pick<Row, 'title' | 'limit'> & Pick<RowReport, 'figures'>) | null = null;
  child.on('message', (message) => (report = message as NonNullable<typeof report>));
  const end = await new Promise<string>((resolve) =>
    child.on('close', (code, signal) => resolve(String(code ?? signal))),
  );
  const seconds = (performance.now() - began) / 1000;
  const known: Omit<RowReport, 'error' | 'row' | 'seconds'> = report ?? { title: name, limit: '', figures: [] };
  const error = report === null || end !== '0' ? `ended with ${end}` : null;
  return { row: name, ...known, error, seconds };
}
