import { describe, expect, it } from 'vitest';
import { sessionKey } from '../../src/core/model/ids.ts';
import { ownedOf } from '../../src/store/errors.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import type { Store, StoredEvent } from '../../src/store/port.ts';
import type { Runner, Signalbox } from '../../src/runtime/index.ts';
import { expectSound, openBox } from '../support/box.ts';
import { rejectingStore } from '../support/rejecting-store.ts';

describe('restarts, failures of the store, and defects', () => {
  it('T09 queued tasks keep their place over a restart, and the running one is retried with a note in its prompt', async () => {
    const first = await openBox();
    const running = await first.send({ prompt: 'running' });
    await first.stage.turn();
    const queued = [await first.send({ prompt: 'second' }), await first.send({ prompt: 'third' })];
    await using again = await first.reopen();
    const turn = await again.stage.turn();
    expect(turn.prompt).toContain('may or may not have happened');
    expect(turn.prompt).toContain('running');
    turn.finish();
    for (const prompt of ['second', 'third']) {
      const next = await again.stage.turn();
      expect(next.prompt).toBe(prompt);
      next.finish();
    }
    for (const task of [running, ...queued]) {
      const ended = await again.ended(task);
      expect(ended.status).toBe('completed');
      expectSound(ended, await again.tape(task));
    }
    expect(await again.types(running)).toContain('attempt-retried');
  });

  it('T09 a running task with `onLost: fail` fails at the restart, with the reason', async () => {
    const first = await openBox();
    const task = await first.send({ onLost: 'fail' });
    await first.stage.turn();
    await using again = await first.reopen();
    expect(await again.ended(task)).toMatchObject({ status: 'failed', reason: 'node_restarted' });
  });

  it('a task burns no attempt when its daemon dies, however often', async () => {
    let one = await openBox();
    const task = await one.send({ maxAttempts: 1 });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await one.stage.turn();
      one = await one.reopen();
    }
    await using last = one;
    (await last.stage.turn()).finish();
    expect(await last.ended(task)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
  });

  it('S10 a graceful close interrupts the running turn like a preemption, starts no other, and the task continues', async () => {
    const first = await openBox();
    const running = await first.send({ prompt: 'running', maxAttempts: 1, onLost: 'fail' });
    const turn = await first.stage.turn();
    const queued = await first.send({ prompt: 'queued' });
    const closing = first.reopen({ graceMs: 60_000 });
    await turn.interrupted;
    await using again = await closing;
    const resumed = await again.stage.turn();
    expect(resumed.prompt).toContain('running');
    resumed.finish();
    expect(await again.ended(running)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
    expect((await again.tape(running)).filter(({ type }) => type === 'preempted')).toMatchObject([
      { data: { by: { kind: 'daemon', name: 'close' } } },
    ]);
    const next = await again.stage.turn();
    expect(next.prompt).toBe('queued');
    next.finish();
    expect(await again.ended(queued)).toMatchObject({ status: 'completed' });
  });

  it('a closing runtime refuses new work with a reason', async () => {
    const one = await openBox();
    await one.send({});
    const turn = await one.stage.turn();
    const closing = one.box.close({ graceMs: 60_000 });
    expect(await one.box.submit({ session: 's', prompt: 'late' })).toMatchObject({ kind: 'refused', code: 'closing' });
    turn.finish();
    await closing;
  });

  it('a code runner that a restart interrupted starts again as a new attempt and can see that', async () => {
    const seen: { attempt: number; interruptedMidTurn: boolean }[] = [];
    const runner: Runner = async ({ hold, attempt, interruptedMidTurn }) => {
      seen.push({ attempt, interruptedMidTurn });
      await hold.turn('work');
      return 'ok';
    };
    const first = await openBox({ runners: { runner } });
    const task = await first.background({ runner: 'runner' });
    await first.stage.turn();
    await using again = await first.reopen();
    (await again.stage.turn()).finish();
    expect(await again.ended(task)).toMatchObject({ status: 'completed' });
    expect(seen).toEqual([
      { attempt: 1, interruptedMidTurn: false },
      { attempt: 2, interruptedMidTurn: true },
    ]);
  });

  it('a restart keeps a session parked by its operator, whatever the reason says', async () => {
    const first = await openBox();
    const by = { kind: 'person', name: 'ada' } as const;
    const reasons = { 'test:closing': 'closing', 'test:fault': 'fault: the disk is full' };
    for (const [session, reason] of Object.entries(reasons)) {
      const task = await first.send({ session, prompt: 'first' });
      (await first.stage.turn()).finish();
      await first.ended(task);
      await first.box.park(session, reason, by);
    }
    await using again = await first.reopen();
    for (const [session, reason] of Object.entries(reasons)) {
      expect(await again.box.session(session)).toMatchObject({ row: { parked: { kind: 'operator', reason, by } } });
    }
  });

  it('a commit that fails returns its error to the command, and an event of the agent is applied again', async () => {
    let failures = 0;
    const store = openMemoryStore();
    const failing: Store = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name === 'commit') {
          return (commits: Parameters<Store['commit']>[0]) => {
            if (failures > 0) {
              failures -= 1;
              throw new Error('disk full');
            }
            return store.commit(commits);
          };
        }
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await using one = await openBox({ store: failing });
    const task = await one.send({ prompt: 'first' });
    const turn = await one.stage.turn();
    failures = 1;
    await expect(one.box.submit({ session: 'test:one', prompt: 'refused' })).rejects.toThrow('disk full');
    failures = 1;
    turn.finish('kept');
    expect(await one.ended(task)).toMatchObject({ status: 'completed', final: { answer: { text: 'kept' } } });
    expect((await one.box.tasks({}, null, 10)).items.map((item) => item.payload.prompt)).toEqual(['first']);
    expectSound(await one.ended(task), await one.tape(task));
  });

  it('a defect in a step stops its session with a fault, and no other', async () => {
    let strike = false;
    const faults = {
      at: (point: string): void => {
        if (strike && point === 'runtime.before-step') {
          strike = false;
          throw new Error('a defect');
        }
      },
    };
    await using one = await openBox({ faults });
    const task = await one.send({ prompt: 'first' });
    const turn = await one.stage.turn();
    await one.event(task, 'turn-started');
    strike = true;
    await expect(one.box.submit({ session: 'test:one', prompt: 'unlucky' })).rejects.toThrow('a defect');
    await turn.interrupted;
    expect(await one.box.session('test:one')).toMatchObject({ row: { parked: { kind: 'fault', reason: 'a defect' } } });
    // A faulted session answers as any other that is parked: what it accepts waits for the unpark.
    const later = await one.box.submit({ session: 'test:one', prompt: 'later' });
    const waiting = later.kind === 'accepted' ? later.task : '';
    expect(await one.box.explain(waiting)).toMatchObject({
      parked: { kind: 'fault' },
      summary: 'The session is parked (a defect stopped it: a defect): nothing is granted until it is unparked.',
    });
    expect(await one.box.cancel(waiting)).toMatchObject({ kind: 'receipt', receipt: { state: 'acknowledged' } });
    const other = await one.send({ session: 'test:other', prompt: 'other' });
    (await one.stage.turn()).finish();
    expect(await one.ended(other)).toMatchObject({ status: 'completed' });
    expect(await one.box.unpark('test:one')).toEqual({ kind: 'ok' });
    (await one.stage.turn()).finish();
    expect(await one.ended(task)).toMatchObject({ status: 'completed' });
  });
});

describe('a store that finds a session broken', () => {
  it('stops that session with a fault, commits the others of the group, and the session continues after unpark', async () => {
    const { store, reject } = rejectingStore('test:broken');
    await using one = await openBox({ store });
    const task = await one.send({ session: 'test:broken', prompt: 'first' });
    const turn = await one.stage.turn();
    await one.event(task, 'turn-started');
    reject();
    const answers = await Promise.allSettled([
      one.box.submit({ session: 'test:broken', prompt: 'unlucky' }),
      one.box.submit({ session: 'test:whole', prompt: 'lucky' }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'fulfilled']);
    // Sent while the old agent is still being ended: it waits for the session to be open again, and is kept.
    const meanwhile = one.send({ session: 'test:broken', prompt: 'meanwhile' });
    await turn.interrupted;
    (await one.stage.turn()).finish();
    for await (const event of faultsOf(one.box)) {
      expect(event.data).toMatchObject({ reason: 'a second writer' });
      break;
    }
    expect(await one.box.session('test:broken')).toMatchObject({
      row: { parked: { kind: 'fault', reason: 'a second writer' } },
    });
    expect(await one.box.unpark('test:broken')).toEqual({ kind: 'ok' });
    (await one.stage.turn()).finish();
    (await one.stage.turn()).finish();
    expect(await one.ended(await meanwhile)).toMatchObject({ status: 'completed' });
    const ended = await one.ended(task);
    expect(ended.status).toBe('completed');
    expectSound(ended, await one.tape(task));
  });
});

/** The `fault` events of all sessions, from the beginning and then as they come. */
async function* faultsOf(box: Signalbox): AsyncGenerator<StoredEvent> {
  const queue: StoredEvent[] = [];
  let wake = (): void => {};
  const stop = box.listen({ all: true }, (events) => {
    queue.push(...events);
    wake();
  });
  queue.push(...(await box.feed(null, null, 1000)));
  try {
    for (;;) {
      const event = queue.shift();
      if (event === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (event.type === 'fault') {
        yield event;
      }
    }
  } finally {
    stop();
  }
}

it('U5 a session that never had a task, and has its own events, continues behind them', async () => {
  const store = openMemoryStore();
  const session = sessionKey('test:one');
  const { lease } = ownedOf(store.claim(session), session);
  const told = { type: 'unthrottled', data: { reason: null } } as const;
  const event = { type: 'event', at: 1, task: null, event: told } as const;
  store.commit([
    {
      session,
      lease,
      records: [
        { ...event, seq: 1 },
        { ...event, seq: 2 },
      ],
    },
  ]);
  await using one = await openBox({ store });
  const task = await one.send({});
  (await one.stage.turn()).finish();
  expect(await one.ended(task)).toMatchObject({ status: 'completed' });
  const tape = await one.box.tape('test:one', null, 0, 100);
  expect(tape.map(({ seq }) => seq)).toEqual(tape.map((_, at) => at + 1));
  expect(tape.length).toBeGreaterThan(2);
});

it('facts-stores: the write-ahead log is moved into the database while the daemon is idle, not only when it is full', async () => {
  const store = openMemoryStore();
  let checkpointed = (): void => {};
  const quiet = new Promise<void>((resolve) => {
    checkpointed = resolve;
  });
  const watched: Store = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name === 'checkpoint') {
        return () => {
          checkpointed();
          return store.checkpoint();
        };
      }
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await using one = await openBox({ store: watched });
  const task = await one.send({});
  (await one.stage.turn()).finish();
  await one.ended(task);
  await quiet;
});
