/** Channels, pending requests and the list of parked work: bounded, named, and ended. */
import { describe, expect, test } from 'vitest';
import { Channel, ChannelBroken, ParkedWork, PendingTable } from '../../src/supervise/index.ts';
import { HandTimers } from './harness.ts';

const broken = new ChannelBroken('agent (pid 7)', 'crashed', 'ready');

class Bench {
  now = 1_000;
  readonly timers = new HandTimers();
  readonly parked = new ParkedWork(() => this.now);
}

describe('ChannelBroken', () => {
  test('says who, why and when', () => {
    expect(broken).toMatchObject({ code: 'channel_broken', child: 'agent (pid 7)', cause: 'crashed', phase: 'ready' });
    expect(broken.message).toBe('the channel to agent (pid 7) is broken: crashed, while ready');
    expect(new ChannelBroken('x', new Error('the disk is full'), 'starting').message).toContain('the disk is full');
    expect(new ChannelBroken('x', 7, 'over').message).toContain('a reason of its own');
  });
});

describe('the pending table', () => {
  const table = (options: object = {}): Bench & { readonly table: PendingTable<string> } => {
    const it = new Bench();
    return Object.assign(it, {
      table: new PendingTable<string>({ owner: 'agent', timers: it.timers, parked: it.parked, ...options }),
    });
  };

  test('gives each request its own reply', async () => {
    const { table: pending, timers, parked } = table();
    const [one, two] = [pending.request('1', 'a model list', 50), pending.request('2', 'a model list', 60)];
    expect(timers.delays).toEqual([50, 60]);
    expect(pending.settle('2', 'second')).toBe(true);
    expect(pending.settle('1', 'first')).toBe(true);
    expect(await Promise.all([one, two])).toEqual(['first', 'second']);
    expect([pending.size, timers.delays, parked.size]).toEqual([0, [], 0]);
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

  test('rejects everything at the end of the channel, in order, and is empty; then refuses at once', async () => {
    const { table: pending, timers, parked } = table();
    const order: string[] = [];
    const asked = ['1', '2', '3'].map((id) =>
      pending.request(id, 'x', 50).catch((error: unknown) => {
        order.push(id);
        return error;
      }),
    );
    pending.breakAll(broken);
    expect([pending.size, timers.delays, parked.size]).toEqual([0, [], 0]);
    expect(await Promise.all(asked)).toEqual([broken, broken, broken]);
    expect(order).toEqual(['1', '2', '3']);
    pending.breakAll(new ChannelBroken('agent', 'again', 'over'));
    await expect(pending.request('4', 'x', 50)).rejects.toBe(broken);
    expect([pending.size, timers.delays, parked.size]).toEqual([0, [], 0]);
  });

  test('is bounded, and keeps ids apart', async () => {
    const { table: pending } = table({ maxPending: 1 });
    const first = pending.request('1', 'x', 50);
    await expect(pending.request('1', 'x', 50)).rejects.toThrow('waited for already');
    await expect(pending.request('2', 'x', 50)).rejects.toMatchObject({ code: 'channel_full' });
    pending.settle('1', 'still there');
    expect(await first).toBe('still there');
  });

  test('stands in the list of parked work with id, begin and deadline', async () => {
    const it = table();
    const asked = it.table.request('r-1', 'a model list', 50);
    expect(it.parked.list()).toEqual([
      { owner: 'agent', name: 'a model list', id: 'r-1', since: 1_000, deadline: 1_050, person: false },
    ]);
    it.table.settle('r-1', 'x');
    await asked;
  });
});

describe('the channel', () => {
  const channel = (capacity: number): Bench & { readonly channel: Channel<number> } => {
    const it = new Bench();
    return Object.assign(it, {
      channel: new Channel<number>({ name: 'events', capacity, timers: it.timers, parked: it.parked }),
    });
  };

  test('K-1: takes no more than its capacity, and says so at once', () => {
    const { channel: bounded } = channel(2);
    expect([1, 2, 3].map((value) => bounded.trySend(value))).toEqual(['taken', 'taken', 'full']);
    expect([bounded.size, bounded.dropped]).toEqual([2, 1]);
  });

  test('K-2: gives values in order, each once, also to one who waits already', async () => {
    const { channel: bounded } = channel(2);
    const first = bounded.receive(50);
    expect(bounded.trySend(1)).toBe('taken');
    expect(bounded.size).toBe(0);
    bounded.trySend(2);
    bounded.trySend(3);
    expect([await first, await bounded.receive(50), await bounded.receive(50)]).toEqual(
      [1, 2, 3].map((value) => ({ done: false, value })),
    );
  });

  test('K-3: a receive has a deadline, and stands in the list of parked work', async () => {
    const it = channel(2);
    const waiting = it.channel.receive(50);
    expect(it.parked.list()).toMatchObject([
      { owner: 'events', name: 'the next message', since: 1_000, deadline: 1_050 },
    ]);
    await expect(it.channel.receive(50)).rejects.toThrow('two receive');
    it.timers.fire();
    await expect(waiting).rejects.toMatchObject({ code: 'wait_timed_out' });
    expect([it.timers.delays, it.parked.size]).toEqual([[], 0]);
    // It can be received from again.
    it.channel.trySend(1);
    expect(await it.channel.receive(50)).toEqual({ done: false, value: 1 });
  });

  test('K-4: a break rejects who waits and whoever comes, drops what was there, and refuses sends', async () => {
    const it = channel(2);
    const waiting = it.channel.receive(50);
    it.channel.break(broken);
    await expect(waiting).rejects.toBe(broken);
    await expect(it.channel.receive(50)).rejects.toBe(broken);
    expect(it.channel.trySend(1)).toBe('broken');
    expect([it.timers.delays, it.parked.size]).toEqual([[], 0]);
    const full = channel(2);
    full.channel.trySend(1);
    full.channel.break(broken);
    expect([full.channel.size, full.channel.dropped]).toEqual([0, 1]);
  });

  test('K-4: an end lets out what was taken, then ends the loop', async () => {
    const { channel: bounded } = channel(3);
    for (const value of [1, 2]) bounded.trySend(value);
    bounded.end();
    expect(bounded.trySend(3)).toBe('broken');
    const seen: number[] = [];
    for await (const value of bounded.values(50)) seen.push(value);
    expect(seen).toEqual([1, 2]);
    const { channel: empty } = channel(3);
    const waiting = empty.receive(50);
    empty.end();
    expect(await waiting).toEqual({ done: true });
  });

  test('invariant 9: a reader that stalls at 200,000 sends does not grow memory', () => {
    const { channel: bounded } = channel(1_000);
    const before = process.memoryUsage().heapUsed;
    let taken = 0;
    for (let send = 0; send < 200_000; send += 1) if (bounded.trySend(send) === 'taken') taken += 1;
    expect([taken, bounded.size, bounded.dropped]).toEqual([1_000, 1_000, 199_000]);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024);
  });
});

describe('parked work', () => {
  test('is listed oldest first, until it is over', () => {
    const it = new Bench();
    const done = it.parked.park({ owner: 'session a', name: 'its drain', deadlineMs: 10 });
    it.now = 500;
    it.parked.park({ owner: 'session b', name: 'an answer', deadlineMs: null, id: 'ask-1', person: true });
    expect(it.parked.list()).toEqual([
      { owner: 'session b', name: 'an answer', id: 'ask-1', since: 500, deadline: null, person: true },
      { owner: 'session a', name: 'its drain', id: null, since: 1_000, deadline: 1_010, person: false },
    ]);
    done();
    done();
    expect(it.parked.list().map(({ owner }) => owner)).toEqual(['session b']);
  });

  test('includes the tables of others, and names one that fails', () => {
    const { parked } = new Bench();
    const own = { owner: 'x', name: 'y', id: null, since: 7, deadline: 9, person: false };
    const remove = parked.source(() => [own]);
    parked.source(() => {
      throw new Error('half built');
    });
    expect(parked.list()).toMatchObject([own, { name: 'a list that failed: half built' }]);
    remove();
    expect(parked.list()).toHaveLength(1);
  });
});
