/** Providers and their throttles over the real runtime, through the client. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Door } from '../support/door.ts';
import { openDoor, refusalOf } from '../support/door.ts';

let door: Door;
beforeEach(async () => {
  door = await openDoor();
});
afterEach(() => door[Symbol.asyncDispose]());

describe('providers', () => {
  test('are listed from the start, show what failed, and can be resumed', async () => {
    const { client, box } = door;
    expect((await client.providers()).items).toEqual([
      {
        name: 'function',
        agents: ['function'],
        state: 'free',
        level: null,
        reason: null,
        since: null,
        until: null,
        throttlesInRow: 0,
        failures: 0,
        status: null,
        message: null,
      },
    ]);
    expect(await refusalOf(client.resumeProvider('function'))).toBe('not_throttled');
    expect(await refusalOf(client.resumeProvider('other'))).toBe('unknown_provider');
    const { task } = await client.submit({ session: 'a', prompt: 'p' });
    (await box.stage.turn()).refuse({ class: 'rate_limit', retryAfterMs: 60_000, status: 429, message: 'slow down' });
    await box.event(task, 'turn-retried');
    const [provider] = (await client.providers()).items;
    expect(provider).toMatchObject({ state: 'throttled', level: 'all', reason: 'rate_limit', status: 429 });
    expect((provider?.until ?? 0) - (provider?.since ?? 0)).toBeGreaterThanOrEqual(60_000);
    const explained = await client.explain(task);
    expect(explained.summary).toContain('throttled (rate_limit');
    expect(explained.throttle).toMatchObject({ level: 'all', reason: 'rate_limit' });
    expect(explained.waitsFor).toContainEqual(expect.objectContaining({ deadline: 'throttle' }));
    const metrics = await client.metrics();
    expect(metrics).toContain('signalbox_provider_throttled{provider="function"} 1');
    expect(metrics).toContain('signalbox_provider_failures_total{provider="function"} 1');
    expect(metrics).toContain('signalbox_sessions_throttled{level="all"} 1');
    expect(await client.resumeProvider('function')).toEqual({ ok: true });
    (await box.stage.turn()).finish();
    expect((await client.session('a')).throttle).toBeNull();
  });
});
