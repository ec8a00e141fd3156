/** The provider limits the rate once: the turn completes all the same, and no error text is taken for an answer. */
import assert from 'node:assert/strict';
import type { Scenario, Scene } from './scenario.ts';
import { ended, said, turnOf, wholeTape, word } from './scenario.ts';

async function run({ setup, daemon }: Scene): Promise<void> {
  const { model } = setup;
  const limited = word('limited');
  const prompt = `${limited} [[flaky:1:429:rate_limit_error:1]]`;
  const { task } = await daemon.client.submit({ session: 'limited', prompt });
  await ended(daemon, task, 'completed', 60_000);
  const requests = model.log.of('request').filter(turnOf(limited));
  assert.ok(requests.length >= 2, 'it was refused, and asked again');
  const text = said(await wholeTape(daemon, task));
  assert.match(text, /recovered after 1/);
  assert.doesNotMatch(text, /429|rate_limit/);
}

export const rateLimit: Scenario = {
  name: 'rate-limit',
  title: 'a 429 is waited for and tried again, and the task completes',
  run,
};
