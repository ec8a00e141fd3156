/** A real process dies at every statement of the commit that ends a task. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { functionDriver } from '../../src/agents/index.ts';
import { createSignalbox } from '../../src/runtime/index.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import { expectSound } from '../support/box.ts';

const program = fileURLToPath(new URL('fixtures/ends-a-task.ts', import.meta.url));

interface Left {
  /** It said that the task has ended. */
  readonly told: boolean;
  /** It died; else it had fewer statements to run. */
  readonly killed: boolean;
  readonly status: string;
  /** How often `final` stands on the tape, and in the feed of the session. */
  readonly finals: readonly [number, number];
}

async function killAt(statement: number): Promise<Left> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-ending-'));
  try {
    const path = join(folder, 'signalbox.db');
    const { signal, stdout, stderr } = spawnSync(process.execPath, [program, path, String(statement)], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const store = openSqliteStore({ path });
    const found = store.tasks({}, null, 10);
    const [task] = found.items;
    if (task === undefined) {
      throw new Error('the task was accepted and is not there');
    }
    const { session, status, row } = task;
    const count = (events: readonly { readonly type: string }[]): number =>
      events.filter(({ type }) => type === 'final').length;
    const finals = [count(store.tape(session, row.id, 0, 100)), count(store.feed(session, null, 100))] as const;
    const box = createSignalbox({
      store,
      agent: functionDriver(async function* () {
        yield 'an answer, once more';
      }),
    });
    await box.ready;
    expectSound(await box.result(row.id), await box.tape(session, row.id, 0, 100));
    await box.close({ graceMs: 0 });
    return { told: stdout === 'final\n', killed: signal === 'SIGKILL', status, finals };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

it('U4 a process that dies while it ends a task leaves status and final, or neither; then the task ends', async () => {
  const seen: Left[] = [];
  do {
    seen.push(await killAt(seen.length + 1));
  } while (seen.at(-1)?.killed === true);
  for (const { told, status, finals } of seen) {
    expect(['running', 'completed']).toContain(status);
    expect({ finals, untrue: told && status === 'running' }).toEqual({
      finals: status === 'completed' ? [1, 1] : [0, 0],
      untrue: false,
    });
  }
  // It died before the end was durable, and it lived through all of it.
  expect(seen.filter(({ status }) => status === 'running').length).toBeGreaterThan(3);
  expect(seen.at(-1)).toEqual({ told: true, killed: false, status: 'completed', finals: [1, 1] });
}, 120_000);
