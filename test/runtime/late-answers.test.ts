/** What breaks if a store's answer comes at the worst moment? Each test holds back the one answer that it is about. */
import { describe, expect, it } from 'vitest';
import type { AgentDriver, AgentEvent } from '../../src/agents/port.ts';
import { AppError } from '../../src/core/errors.ts';
import type { Runner } from '../../src/runtime/index.ts';
import { MemoryDisk, openMemoryStore } from '../../src/store/index.ts';
import type { StoredEvent } from '../../src/store/port.ts';
import { lateStore, shuffled } from '../../src/testing/store/late.ts';
import { type Box, expectSound, openBox } from '../support/box.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Held, type HeldStore, heldStore } from '../support/held-store.ts';

async function openHeld(
  options: Parameters<typeof openBox>[0] = {},
  disk = new MemoryDisk(),
): Promise<{ readonly one: Box; readonly held: HeldStore }> {
  const held = heldStore(openMemoryStore({ disk }));
  return { one: await openBox({ ...options, store: held.store }), held };
}

/** Reads that box's tape to its end, or to the end of what it gives. */
async function readAll(tape: AsyncIterable<StoredEvent>): Promise<string[]> {
  const types: string[] = [];
  for await (const event of tape) {
    types.push(event.type);
  }
  return types;
}

/** Whether the promise has settled when nothing else is left to be done. */
async function isOpen(one: Box, promise: Promise<unknown>): Promise<boolean> {
  let open = true;
  const over = (): void => {
    open = false;
  };
  promise.then(over, over);
  await one.quiet();
  return open;
}

describe('a reader of a tape', () => {
  it('ends with `final` when the task ends between its reads of the tape and of the task', async () => {
    const { one, held } = await openHeld();
    await using _ = one;
    const task = await one.send({});
    const turn = await one.stage.turn();
    await one.event(task, 'turn-started');
    const { seq = 0 } = (await one.box.task(task)) ?? {};
    const page = held.hold('tape', 'answer');
    const types = readAll(one.box.follow(task, seq));
    await page.arrived();
    const commit = held.hold('commit', 'answer');
    turn.finish();
    await commit.arrived();
    page.release();
    expect((await types).at(-1)).toBe('final');
    commit.release();
  });

  it('gets the events of all sessions in the order in which the store wrote them', async () => {
    const { one, held } = await openHeld();
    await using _ = one;
    const published: string[] = [];
    one.box.listen({ all: true }, (events) => published.push(...events.map(({ position }) => position)));
    const commits = held.hold('commit', 'answer');
    const sent = [one.send({ session: 'test:one' })];
    await commits.arrived();
    sent.push(one.send({ session: 'test:two' }));
    await one.quiet();
    commits.one('newest');
    await one.quiet();
    commits.release();
    await Promise.all(sent);
    await one.quiet();
    expect(published).toEqual((await one.box.feed(null, null, 1_000)).map(({ position }) => position));
  });
});

describe('a runtime that is closed', () => {
  it('starts no agent for a commit that is answered after the sessions have ended, and waits for that answer', async () => {
    const { driver, started } = processInName();
    const clock = new ManualClock();
    const { one, held } = await openHeld({ agent: driver, clock });
    await using _ = one;
    const commit = held.hold('commit', 'way');
    const answer = one.box.submit({ session: 'test:one', prompt: 'late' });
    await commit.arrived();
    const closing = one.box.close({ graceMs: 0 });
    await one.quiet();
    // The grace is over: from here on the sessions have ended.
    clock.advance(0);
    expect(await isOpen(one, closing)).toBe(true);
    commit.release();
    expect(await answer).toMatchObject({ kind: 'accepted' });
    await closing;
    await one.quiet();
    expect(started).toEqual([]);
  });

  it('ends a runner whose cancel is being committed when the sessions end', async () => {
    const aborted: string[] = [];
    const runner: Runner = async ({ prompt, signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted.push(prompt);
      return null;
    };
    const clock = new ManualClock();
    const { one, held } = await openHeld({ runners: { runner }, clock });
    await using _ = one;
    const task = await one.background({ runner: 'runner', prompt: 'cancelled' });
    await one.quiet();
    const commit = held.hold('commit', 'way');
    const cancelled = one.box.cancel(task);
    await commit.arrived();
    const closing = one.box.close({ graceMs: 0 });
    await one.quiet();
    clock.advance(0);
    await one.quiet();
    expect(aborted).toEqual(['cancelled']);
    commit.release();
    expect(await cancelled).toMatchObject({ kind: 'receipt' });
    await closing;
  });

  it('opens no session whose claim is answered after the close began', async () => {
    const { one, held } = await openHeld();
    await using _ = one;
    const claim = held.hold('claim', 'answer');
    const answer = one.box.submit({ session: 'test:one', prompt: 'late' });
    await claim.arrived();
    const closing = one.box.close({ graceMs: 0 });
    await one.quiet();
    claim.release();
    await expect(answer).rejects.toMatchObject({ code: 'closing' });
    await closing;
    expect(one.box.inspect()).toEqual([]);
  });

  it('refuses a submit that waits for another one with its idempotency key, and does not ask the closed store', async () => {
    const { one, held } = await openHeld();
    await using _ = one;
    const claim = held.hold('claim', 'answer');
    const request = { session: 'test:one', prompt: 'late', idempotencyKey: 'once' };
    const first = one.box.submit(request);
    await claim.arrived();
    const second = one.box.submit(request);
    const closed = one.box.close({ graceMs: 0 });
    await one.quiet();
    claim.release();
    await expect(first).rejects.toMatchObject({ code: 'closing' });
    expect(await second).toMatchObject({ kind: 'refused', code: 'closing' });
    await closed;
  });

  it('is ready only when all its sessions are recovered and stored', async () => {
    const disk = new MemoryDisk();
    const before = await openHeld({}, disk);
    for (const session of ['test:one', 'test:two', 'test:three']) {
      await before.one.send({ session });
    }
    await before.one.box.close({ graceMs: 0 });
    const held = heldStore(openMemoryStore({ disk }));
    const claims = held.hold('claim', 'answer');
    const commits = held.hold('commit', 'way');
    const opening = openBox({ store: held.store });
    await claims.arrived();
    claims.one();
    await commits.arrived();
    claims.release();
    expect(await isOpen(before.one, opening)).toBe(true);
    // What the first session was told is stored; what the others were told waits for the next commit.
    commits.one();
    await commits.arrived();
    expect(await isOpen(before.one, opening)).toBe(true);
    commits.release();
    await using one = await opening;
    const recovered = (await one.box.feed(null, null, 1_000)).filter(({ type }) => type === 'recovered');
    expect(recovered.map(({ session }) => session).toSorted()).toEqual(['test:one', 'test:three', 'test:two']);
  });
});

describe('a task that is cancelled while its runner’s input is read', () => {
  it('is run when the cancel cannot be stored', async () => {
    const runs: string[] = [];
    const runner: Runner = async ({ prompt }) => {
      runs.push(prompt);
      return null;
    };
    let fails = false;
    const faults = {
      at(point: string): void {
        if (fails && point === 'store.before-commit') {
          fails = false;
          throw new AppError({ code: 'store_failed', message: 'the disk is full' });
        }
      },
    };
    const held = heldStore(openMemoryStore({ faults }));
    await using one = await openBox({ runners: { runner }, store: held.store });
    const first = await one.background({ prompt: 'first' });
    const turn = await one.stage.turn();
    const second = await one.background({ runner: 'runner', prompt: 'second' });
    const reads = held.hold('task', 'answer');
    turn.finish();
    // The first read is for the input of the runner, the second is the command's own.
    await reads.arrived();
    const cancelled = one.box.cancel(second);
    await reads.arrived();
    const commit = held.hold('commit', 'way');
    reads.one('newest');
    await commit.arrived();
    reads.release();
    await one.quiet();
    fails = true;
    commit.release();
    await expect(cancelled).rejects.toMatchObject({ code: 'store_failed' });
    expect(await one.ended(second)).toMatchObject({ status: 'completed' });
    expect(await one.ended(first)).toMatchObject({ status: 'completed' });
    expect(runs).toEqual(['second']);
  });

  it('is not run when the cancel is stored', async () => {
    const runs: string[] = [];
    const runner: Runner = async ({ prompt, signal }) => {
      runs.push(prompt);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return null;
    };
    const { one, held } = await openHeld({ runners: { runner } });
    await using _ = one;
    const first = await one.background({ runner: 'runner', prompt: 'first' });
    const second = await one.background({ runner: 'runner', prompt: 'second' });
    const reads = held.hold('task', 'answer');
    const cancelled = one.box.cancel(first);
    await reads.arrived();
    reads.one();
    // That was the command's own read. The next one is for the input of the second runner, the third for the second command.
    await reads.arrived();
    const withdrawn = one.box.cancel(second);
    await reads.arrived();
    reads.one('newest');
    await Promise.all([cancelled, withdrawn]);
    reads.release();
    await one.quiet();
    expect(runs).toEqual(['first']);
    expect(await one.ended(second)).toMatchObject({ status: 'cancelled' });
  });
});

/** A driver with a process of its own in name only, whose `ready` comes at once. */
function processInName(): {
  readonly driver: AgentDriver;
  /** Sessions for which it was started. */
  readonly started: string[];
  readonly written: string[];
  readonly exit: () => void;
} {
  const started: string[] = [];
  const written: string[] = [];
  let emit = (_event: AgentEvent): void => {};
  const caps = { steer: false, acks: false, rewind: false, models: false, keepsPrompts: false };
  const end = (): void => emit({ type: 'exited', reason: 'closed', data: null });
  return {
    started,
    written,
    exit: end,
    driver: {
      name: 'in name',
      provider: 'nobody',
      needsFolder: false,
      start(options) {
        started.push(options.session);
        emit = options.emit;
        options.onProcess({ pid: 1_000_000_007, startTime: '7', cookie: 'c' });
        setImmediate(() => emit({ type: 'ready', caps, conversation: null, conversationReset: false }));
        return {
          prompt: (turn) => written.push(`prompt ${turn}`),
          interrupt: () => {},
          steer: () => {},
          respond: () => {},
          switchModel: () => {},
          close: () => setImmediate(end),
          kill: () => setImmediate(end),
        };
      },
    },
  };
}

describe('an agent’s process', () => {
  it('gets no prompt before it is recorded', async () => {
    const { driver, written } = processInName();
    const { one, held } = await openHeld({ agent: driver });
    await using _ = one;
    const record = held.hold('recordProcess', 'way');
    await one.send({});
    await record.arrived();
    await one.quiet();
    expect(written).toEqual([]);
    // Whoever has to end it at once finds it all the same.
    expect(one.box.processes()).toEqual([{ pid: 1_000_000_007, startTime: '7' }]);
    record.release();
    await one.quiet();
    expect(written).toEqual(['prompt 1']);
    expect(await one.box.store.processes()).toHaveLength(1);
  });

  it('that ends before it is recorded leaves no record', async () => {
    const { driver, exit } = processInName();
    const { one, held } = await openHeld({ agent: driver });
    await using _ = one;
    const record: Held = held.hold('recordProcess', 'way');
    await one.send({ onLost: 'fail', maxAttempts: 1 });
    await record.arrived();
    await one.box.stop('test:one', 'session');
    exit();
    await one.quiet();
    record.release();
    await one.quiet();
    expect(await one.box.store.processes()).toEqual([]);
  });

  it('that a close ends before it is recorded is removed from the store before the store is closed', async () => {
    const { driver } = processInName();
    const disk = new MemoryDisk();
    const { one, held } = await openHeld({ agent: driver }, disk);
    await using _ = one;
    const record = held.hold('recordProcess', 'way');
    await one.send({});
    await record.arrived();
    const closed = one.box.close({ graceMs: 0 });
    expect(await isOpen(one, closed)).toBe(true);
    record.release();
    await closed;
    expect([one.errors, [...disk.processes]]).toEqual([[], []]);
  });
});

describe('a commit whose answer is lost', () => {
  it('is checked in each case: nothing is reported twice, no session stops, and no caller gets an error', async () => {
    const lost: number[] = [];
    let commits = 0;
    const loses = (): boolean => {
      commits += 1;
      const isLost = commits % 3 === 1;
      if (isLost) {
        lost.push(commits);
      }
      return isLost;
    };
    await using one = await openBox({ store: lateStore(openMemoryStore(), shuffled(3), { loses }) });
    const tasks = [await one.send({ prompt: 'first' }), await one.send({ prompt: 'second' })];
    for (const _ of tasks) {
      const turn = await one.stage.turn();
      turn.say('one ');
      turn.say('two');
      turn.finish();
    }
    for (const task of tasks) {
      const ended = await one.ended(task);
      expect(ended).toMatchObject({ status: 'completed', row: { attempts: 1 } });
      expectSound(ended, await one.tape(task));
    }
    expect(one.errors).toEqual([]);
    expect(one.stage.prompts).toHaveLength(2);
    expect(lost.length).toBeGreaterThan(3);
  });
});

describe('the view of a session', () => {
  it('shows an owner only when the owner is stored', async () => {
    const { one, held } = await openHeld();
    await using _ = one;
    await one.send({});
    (await one.stage.turn()).finish();
    await one.quiet();
    const commit = held.hold('commit', 'way');
    const second = one.send({ prompt: 'second' });
    await commit.arrived();
    expect(await one.box.session('test:one')).toMatchObject({ owner: null, open: 0 });
    expect((await one.box.stats()).holds).toBe(0);
    expect(one.box.inspect()).toMatchObject([{ task: null }]);
    commit.release();
    expect(await one.box.session('test:one')).toMatchObject({ owner: { task: await second } });
  });

  it('explains why a task waits whose admission is stored but not answered yet', async () => {
    const { one, held } = await openHeld();
    await using _ = one;
    const commit = held.hold('commit', 'answer');
    const sent = one.send({});
    await commit.arrived();
    const [stored] = (await one.box.tasks({}, null, 1)).items;
    const why = one.box.explain(stored?.row.id ?? '');
    await one.quiet();
    commit.release();
    expect(await why).toMatchObject({
      status: 'running',
      summary: expect.stringContaining('The task owns the session'),
    });
    await sent;
  });
});
