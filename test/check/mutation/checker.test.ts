/** The checker on a mutated copy of the core: what it finds, and how it is stopped. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runChecker } from '../../../check/mutation/checker.ts';
import type { MutatedCore } from '../../../check/mutation/files.ts';
import { coreDirectory, writeMutated } from '../../../check/mutation/files.ts';
import { statesOf } from '../../../check/mutation/plan.ts';
import type { StageResult } from '../../../check/mutation/stage.ts';

const directory = mkdtempSync(join(tmpdir(), 'signalbox-checker-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const file = 'rules/arrange.ts';
const text = readFileSync(join(coreDirectory, file), 'utf8');

function changed(name: string, change: (text: string) => string): MutatedCore {
  const other = change(text);
  expect(other, name).not.toBe(text);
  return writeMutated(join(directory, name), file, other);
}

const look = (core: MutatedCore, maxStates: number, budget = 60, signal = new AbortController().signal) =>
  runChecker(core, { looks: [{ config: 'permission-names', maxStates }], budget, signal, statesOf });

const found = (result: StageResult): string => (result.kind === 'killed' ? result.how : result.kind);

test('the checker kills a core that grants nothing, and says by which property', async () => {
  const core = changed('grants-nothing', (was) => was.replace(/export function arrange\(.*\{\n/u, '$&  return;\n'));
  expect(found(await look(core, 1000))).toMatch(/^permission-names: .+ \(\d+ steps\)$/u);
});

test('the checker passes a core that is the same in all it does', async () => {
  const core = changed('same', (was) => `${was}// The end.\n`);
  expect(await look(core, 200)).toEqual({ kind: 'passed', notes: [] });
});

test('the checker stops when its time is over', async () => {
  const core = changed('late', (was) => `${was}// The end.\n`);
  expect(await look(core, 1_000_000, 0)).toEqual({ kind: 'passed', notes: [] });
});

test('a core that cannot be loaded is reported as such, and not as killed', async () => {
  const core = changed('unloadable', (was) => `${was}throw new Error('at once');\n`);
  expect(await look(core, 200)).toEqual({ kind: 'unloadable', how: 'at once' });
});

test('the checker on a mutant is interrupted by a signal', async () => {
  const interruption = new AbortController();
  const core = changed('interrupted', (was) => `${was}// The end.\n`);
  const looked = look(core, 1_000_000, 60, interruption.signal);
  interruption.abort();
  await expect(looked).rejects.toThrow('interrupted');
});
