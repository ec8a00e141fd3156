/** The unit tests and the simulator on a mutated copy of the core: they run the copy, and not the core itself. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { MutatedCore } from '../../../check/mutation/files.ts';
import { coreDirectory, writeMutated } from '../../../check/mutation/files.ts';
import { runSimulator } from '../../../check/mutation/simulator.ts';
import { runUnitTests } from '../../../check/mutation/unit-tests.ts';

const directory = mkdtempSync(join(tmpdir(), 'signalbox-judges-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const { signal } = new AbortController();
const file = 'tree.ts';
const text = readFileSync(join(coreDirectory, file), 'utf8');

const same = (): MutatedCore => writeMutated(join(directory, 'same'), file, `${text}// The end.\n`);

/** A tree that finds nothing. */
function blind(): MutatedCore {
  const other = text.replace(/export function treeGet.*\{\n/u, '$&  if (tree !== null) { return undefined; }\n');
  expect(other).not.toBe(text);
  return writeMutated(join(directory, 'blind'), file, other);
}

// The core itself is tested first, so that nothing that was kept of it can be taken for the mutant.
test('the unit tests pass a core that is the same, and kill a mutant by the name of a test', async () => {
  const tests = ['test/core/tree.test.ts'];
  expect(await runUnitTests(same(), signal, tests)).toEqual({ kind: 'passed', notes: [] });
  expect(await runUnitTests(blind(), signal, tests)).toMatchObject({
    kind: 'killed',
    how: expect.stringContaining('tree'),
  });
}, 60_000);

test('the simulator passes a core that is the same, and kills a mutant', async () => {
  expect(await runSimulator(same(), signal, 1)).toEqual({ kind: 'passed', notes: [] });
  expect(await runSimulator(blind(), signal, 1)).toMatchObject({ kind: 'killed' });
}, 60_000);
