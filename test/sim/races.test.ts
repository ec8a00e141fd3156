/** A sample of `npm run sim -- --stress`, which runs 2,560 races on each store. */
import { expect, test } from 'vitest';
import type { StoreKind } from '../../sim/disk.ts';
import { stress } from '../../sim/stress.ts';

const clean = async (store: StoreKind, count: number): Promise<void> => {
  const { failures, strands, scenarios } = await stress({ seed: 1, count }, store);
  expect({ failures, strands, scenarios }).toEqual({ failures: [], strands: 0, scenarios: count });
};

test('T06 U1 U2 U5 640 races of progress, cancel and completion in memory strand no task', { timeout: 60_000 }, () =>
  clean('memory', 640),
);
test('T06 U1 U2 U5 320 races of progress, cancel and completion on SQLite strand no task', { timeout: 60_000 }, () =>
  clean('sqlite', 320),
);
test(
  'T06 U1 U2 U5 320 races of progress, cancel and completion on a store that answers late strand no task',
  {
    timeout: 60_000,
  },
  () => clean('late', 320),
);
