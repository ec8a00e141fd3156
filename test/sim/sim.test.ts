/** A sample of what `npm run sim` does at length. A failure names the command that tells its story. */
import { describe, expect, test } from 'vitest';
import type { StoreKind } from '../../sim/disk.ts';
import { commandOf, runSeed } from '../../sim/run.ts';

async function clean(store: StoreKind, from: number, count: number): Promise<void> {
  for (let seed = from; seed < from + count; seed += 1) {
    const { failure, lines } = await runSeed({ seed, store });
    expect(failure, `${commandOf({ seed, store })}\n${lines.slice(-30).join('\n')}`).toBeNull();
  }
}

describe('the simulated runtime, with one story for each seed,', () => {
  test('T11 keeps its promises for 60 seeds on the memory store', { timeout: 60_000 }, () => clean('memory', 1, 60));
  test('keeps its promises for 60 seeds on a store that answers late', { timeout: 60_000 }, () =>
    clean('late', 201, 60),
  );
  test('keeps its promises for 15 seeds on SQLite', { timeout: 60_000 }, () => clean('sqlite', 101, 15));
});

test('a seed tells the same story on both stores', async () => {
  for (const seed of [3, 4, 5]) {
    const [memory, sqlite] = [await runSeed({ seed, store: 'memory' }), await runSeed({ seed, store: 'sqlite' })];
    expect(sqlite.hash).toBe(memory.hash);
  }
});
