/** A chain of follow-ups, each submitted by the turn before it. The benchmark runs the same with 100,000 of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runChain } from '../../bench/support/chain.ts';

const length = 3_000;
const padding = 8_192;
/** What is compiled and cached between a tenth of the chain and its end is below 1 MiB; the texts of all links are 22 MiB. */
const heapSlackBytes = 4 * 2 ** 20;

test(`D01 ${length} chained follow-ups keep stack and heap at one size, and the session always has an owner`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-test-'));
  try {
    const chain = await runChain(join(folder, 'chain.db'), { length, padding });
    // A pass that a timer began stands a frame or two deeper than one that an input began; a chain would add one a link.
    expect(chain.depthMost - chain.depthFirst).toBeLessThan(5);
    expect(chain.heapAfter - chain.heapBefore).toBeLessThan(heapSlackBytes);
    expect(chain).toMatchObject({ freeWindows: 0, owners: length, tapes: { read: length, broken: 0 } });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
