/** A short run of the fuzz campaign, and the requests that once found something; an hour of it is `npm run fuzz`. */
import { expect, test } from 'vitest';
import { fuzzRun } from './run.ts';

/** Requests that a daemon has answered wrongly. */
const kept: readonly number[] = [];

test('every request, right or wrong, is answered with a status of its caller, and the daemon lives on', async () => {
  const { failures, sent, byStatus } = await fuzzRun({ seed: 1, minutes: 2, requests: 1_500, tell: () => {} });
  expect(failures).toEqual([]);
  expect(sent).toBeGreaterThan(200);
  expect(Object.keys(byStatus)).toEqual(expect.arrayContaining(['200', '400', '404']));
}, 300_000);

test.runIf(kept.length > 0)('the requests that once found something are answered', async () => {
  const { failures } = await fuzzRun({ seed: 1, minutes: 2, requests: 1, only: kept, tell: () => {} });
  expect(failures).toEqual([]);
});
