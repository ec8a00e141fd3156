/** Pending requests and the list of pending waits: bounded, named, and ended. */
import { describe, expect, test } from 'vitest';
import { ChannelBroken, PendingWaits, PendingTable } from '../../src/supervise/index.ts';
import { HandTimers } from './harness.ts';

const broken = new ChannelBroken('agent (pid 7)', 'crashed', 'ready');

class Bench {
  now = 1_000;
  readonly timers = new HandTimers();
  readonly waits = new PendingWaits(() => this.now);
}

describe('ChannelBroken', () => {
  test('names the child, the reason and the phase', () => {
    expect(broken).toMatchObject({ code: 'channel_broken', child: 'agent (pid 7)', cause: 'crashed', phase: 'ready' });
    expect(broken.message).toBe('the channel to agent (pid 7) is broken: crashed, while ready');
    expect(new ChannelBroken('x', new Error('the disk is full'), 'starting').message).toContain('the disk is full');
    expect(new ChannelBroken('x', 7, 'over').message).toContain('an unknown reason');
  });
});

describe('the pending table', () => {
  const table = (options: object = {}): Bench & { readonly table: PendingTable<string> } => {
    const it = new Bench();
    return Object.assign(it, {
      table: new PendingTable<string>({ owner: 'agent', timers: it.timers, waits: it.waits, ...options }),
    });
  };

  test('gives each request its own reply', async () => {
    const { table: pending, timers, waits } = table();
    const [one, two] = [pending.request('1', 'a model list', 50), pending.request('2', 'a model list', 60)];
    expect(timers.delays).toEqual([50, 60]);
    expect(pending.settle('2', 'second')).toBe(true);
    expect(pending.settle('1', 'first')).toBe(true);
    expect(await Promise.all([one, two])).toEqual(['first', 'second']);
    expect([pending.size, timers.delays, waits.size]).toEqual([0, [], 0]);
  });

  test('rejects a request that fails, and one that is not answered in time, with its name', async () => {
    const { table: pending, timers } = table();
    const failed = pending.request('1', 'a model list', 50);
    pending.fail('1', new Error('no such model'));
    await expect(failed).rejects.toThrow('no such model');
    const late = pending.request('2', 'the interrupt’s ack', 50);
    timers.fire();
    await expect(late).rejects.toMatchObject({
      code: 'wait_timed_out',
      message: 'agent: the interrupt’s ack did not come within 50 ms',
    });
  });

  test('counts and drops a late reply', async () => {
    const { table: pending, timers } = table();
    const late = pending.request('1', 'x', 50);
    timers.fire();
    await expect(late).rejects.toThrow('did not come');
    expect(pending.settle('1', 'too late')).toBe(false);
    expect(pending.settle('never asked', 'x')).toBe(false);
    expect(pending.fail('1', new Error('too late'))).toBe(false);
    expect(pending.late).toBe(2);
  });

  test('rejects everything at the end of the channel, in order, and is empty; later requests fail at once', async () => {
    const { table: pending, timers, waits } = table();
    const order: string[] = [];
    const asked = ['1', '2', '3'].map((id) =>
      pending.request(id, 'x', 50).catch((error: unknown) => {
        order.push(id);
        return error;
      }),
    );
    pending.breakAll(broken);
    expect([pending.size, timers.delays, waits.size]).toEqual([0, [], 0]);
    expect(await Promise.all(asked)).toEqual([broken, broken, broken]);
    expect(order).toEqual(['1', '2', '3']);
    pending.breakAll(new ChannelBroken('agent', 'again', 'over'));
    await expect(pending.request('4', 'x', 50)).rejects.toBe(broken);
    expect([pending.size, timers.delays, waits.size]).toEqual([0, [], 0]);
  });

  test('is bounded, and keeps ids apart', async () => {
    const { table: pending } = table({ maxPending: 1 });
    const first = pending.request('1', 'x', 50);
    await expect(pending.request('1', 'x', 50)).rejects.toThrow('waited for already');
    await expect(pending.request('2', 'x', 50)).rejects.toMatchObject({ code: 'channel_full' });
    pending.settle('1', 'still there');
    expect(await first).toBe('still there');
  });

  test('is in the list of pending waits with id, begin and deadline', async () => {
    const it = table();
    const asked = it.table.request('r-1', 'a model list', 50);
    expect(it.waits.list()).toEqual([
      { owner: 'agent', name: 'a model list', id: 'r-1', since: 1_000, deadline: 1_050, person: false },
    ]);
    it.table.settle('r-1', 'x');
    await asked;
  });
});

describe('a pending wait', () => {
  test('is listed oldest first, until it is over', () => {
    const it = new Bench();
    const done = it.waits.add({ owner: 'session a', name: 'its drain', deadlineMs: 10 });
    it.now = 500;
    it.waits.add({ owner: 'session b', name: 'an answer', deadlineMs: null, id: 'ask-1', person: true });
    expect(it.waits.list()).toEqual([
      { owner: 'session b', name: 'an answer', id: 'ask-1', since: 500, deadline: null, person: true },
      { owner: 'session a', name: 'its drain', id: null, since: 1_000, deadline: 1_010, person: false },
    ]);
    done();
    done();
    expect(it.waits.list().map(({ owner }) => owner)).toEqual(['session b']);
  });

  test('of another table is included, and a table that fails is named', () => {
    const { waits } = new Bench();
    const own = { owner: 'x', name: 'y', id: null, since: 7, deadline: 9, person: false };
    const remove = waits.source(() => [own]);
    waits.source(() => {
      throw new Error('half built');
    });
    expect(waits.list()).toMatchObject([own, { name: 'a list that failed: half built' }]);
    remove();
    expect(waits.list()).toHaveLength(1);
  });
});
