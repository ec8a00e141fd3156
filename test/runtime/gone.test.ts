/** Agents that are gone and do not say so: real processes, real time, and an urgent caller who waits. */
import { describe, expect, it } from 'vitest';
import { functionDriver, scriptedDriver } from '../../src/agents/index.ts';
import type { AgentDriver } from '../../src/agents/port.ts';
import { turnId } from '../../src/core/model/ids.ts';
import { type Box, openBox } from '../support/box.ts';
import { defaultLimits } from '../../src/runtime/options.ts';
import { ManualClock } from '../support/manual-clock.ts';

const servedMs = 6_000;

/** Sends an urgent task, and returns how long its caller waited for the answer. */
async function urgent(one: Box): Promise<number> {
  const since = performance.now();
  const task = await one.send({ prompt: '[[text:served]]' });
  expect(await one.ended(task)).toMatchObject({ status: 'completed', final: { answer: { text: 'served' } } });
  return performance.now() - since;
}

describe('C37: an agent that closes its output and lives', () => {
  it.each(['interactive', 'background'] as const)(
    'loses its %s turn at once, with a reason that says so, and the caller behind it is served',
    async (lane) => {
      await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }) });
      const lost = await one.send({ lane, prompt: '[[text:a]][[hang-up]][[silent]]', maxAttempts: 1 });
      await one.event(lost, 'output');
      expect(await urgent(one)).toBeLessThan(servedMs);
      expect(await one.ended(lost)).toMatchObject({ status: 'failed', reason: 'channel_broken' });
      expect(await one.event(lost, 'turn-ended', ({ data }) => data.outcome === 'agent-lost')).toMatchObject({
        data: { outcome: 'agent-lost', reason: 'channel_broken' },
      });
      const tape = await one.box.tape('test:one', null, 0, 1_000);
      expect(tape.find(({ type }) => type === 'agent-exited')).toMatchObject({
        data: { reason: 'channel_broken', data: { message: 'it closed its stdout and did not end' } },
      });
    },
  );
});

describe('C38: an agent that ignores its interrupt', () => {
  it('is ended with its group within 5 s, and the caller is served within a start of that', async () => {
    await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }) });
    const back = await one.background({ prompt: '[[ignore-term]][[ignore-eof]][[text:a]][[deaf]][[forever:20]]' });
    await one.event(back, 'output');
    await urgent(one);
    const { at: since } = await one.event(back, 'interrupt-requested');
    const tape = await one.box.tape('test:one', null, 0, 1_000);
    const exited = tape.find(({ type }) => type === 'agent-exited');
    expect(exited).toMatchObject({ data: { reason: 'killed', data: { rung: 'kill' } } });
    expect((exited?.at ?? 0) - since).toBeLessThan(servedMs);
    await one.box.stop('test:one', 'session');
  });

  /** A function whose first turn never ends; `told`: when its driver was told to interrupt it, and to kill it. */
  function deaf(clock: ManualClock): { readonly driver: AgentDriver; readonly told: (readonly [string, number])[] } {
    const told: (readonly [string, number])[] = [];
    const inner = functionDriver(
      async function* (_prompt, { turn }) {
        if (turn === 1) {
          yield await new Promise<string>(() => {});
        }
        return { text: 'served' };
      },
      { killGraceMs: 1 },
    );
    const start: AgentDriver['start'] = (options) => {
      const handle = inner.start(options);
      return {
        prompt: (turn, text, how) => handle.prompt(turn, text, how),
        interrupt: () => void told.push(['interrupt', clock.now()]),
        steer: (turn, id, text) => handle.steer(turn, id, text),
        respond: (turn, request, decision) => handle.respond(turn, request, decision),
        switchModel: (model) => handle.switchModel(model),
        close: () => handle.close(),
        kill: () => {
          told.push(['kill', clock.now()]);
          handle.kill();
        },
      };
    };
    return { driver: { ...inner, start }, told };
  }

  /** A background task whose turn is confirmed; that is recorded in a batch. */
  async function begun(one: Box, clock: ManualClock): Promise<string> {
    const task = await one.background();
    await one.quiet();
    clock.advance(defaultLimits.outputBatchMs);
    await one.event(task, 'turn-started');
    return task;
  }

  it('gets the interrupt once more half way and is killed, and `explain` has named that end from the begin on', async () => {
    const clock = new ManualClock();
    const { driver, told } = deaf(clock);
    await using one = await openBox({ clock, agent: driver });
    const back = await begun(one, clock);
    const waiting = await one.send({});
    await one.quiet();
    const since = clock.now();
    const ends = clock.wall() + 5_000;
    const named = async (): Promise<unknown> =>
      (await one.box.explain(waiting))?.waitsFor.find(({ deadline }) => deadline === 'drain')?.at;
    expect(await named()).toBe(ends);
    clock.advance(1_999);
    await one.quiet();
    expect(told).toEqual([['interrupt', since]]);
    clock.advance(1);
    await one.quiet();
    expect(told.slice(1)).toEqual([['interrupt', since + 2_000]]);
    expect(await named()).toBe(ends);
    clock.advance(2_000);
    // The ladder has the last second.
    await one.event(back, 'preempted');
    expect(told.slice(2)).toEqual([['kill', since + 4_000]]);
    expect(await one.event(back, 'turn-ended')).toMatchObject({
      data: { outcome: 'preempted', reason: 'drain_deadline' },
    });
    expect(await one.ended(waiting)).toMatchObject({ status: 'completed' });
    expect(await one.ended(back)).toMatchObject({ status: 'completed' });
  });

  it('has the time that is configured for it', async () => {
    const clock = new ManualClock();
    const { driver, told } = deaf(clock);
    await using one = await openBox({ clock, agent: driver, limits: { drainMs: 500 } });
    const back = await begun(one, clock);
    const since = clock.now();
    const waiting = await one.send({});
    for (let step = 0; step < 2; step += 1) {
      await one.quiet();
      clock.advance(200);
    }
    await one.event(back, 'preempted');
    expect(told).toEqual([
      ['interrupt', since],
      ['interrupt', since + 200],
      ['kill', since + 400],
    ]);
    expect(await one.ended(waiting)).toMatchObject({ status: 'completed' });
    expect(await one.ended(back)).toMatchObject({ status: 'completed' });
  });
});

describe('C32: words that come behind the end of their turn', () => {
  /** Says words of its first turn when it has taken the second one. */
  function trailing(): AgentDriver {
    const inner = functionDriver(async function* (prompt) {
      yield prompt;
    });
    return {
      ...inner,
      start: (options) => {
        const handle = inner.start(options);
        return {
          prompt: (turn, text, how) => {
            const part = { kind: 'text', text: 'too late' } as const;
            queueMicrotask(() => options.emit({ type: 'output', turn: turnId(1), part }));
            handle.prompt(turn, text, how);
          },
          interrupt: (turn) => handle.interrupt(turn),
          steer: (turn, id, text) => handle.steer(turn, id, text),
          respond: (turn, request, decision) => handle.respond(turn, request, decision),
          switchModel: (model) => handle.switchModel(model),
          close: () => handle.close(),
          kill: () => handle.kill(),
        };
      },
    };
  }

  it('are on the tape of the session, and in no other answer', async () => {
    await using one = await openBox({ agent: trailing() });
    await one.ended(await one.send({ prompt: 'first' }));
    const second = await one.send({ prompt: 'second' });
    expect(await one.ended(second)).toMatchObject({ final: { answer: { text: 'second' } } });
    const said = (await one.tape(second)).flatMap((event) => (event.type === 'output' ? [event.data.part] : []));
    expect(said).toEqual([{ kind: 'text', text: 'second' }]);
    const tape = await one.box.tape('test:one', null, 0, 1_000);
    expect(tape.filter(({ type }) => type === 'unexpected-output')).toMatchObject([
      { data: { part: { kind: 'text', text: 'too late' } } },
    ]);
  });
});

describe('B04: a tool that says nothing for longer than an agent may', () => {
  it('is left alone, with its agent: the turn completes, and no attempt is lost', async () => {
    await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }), limits: { silenceMs: 300 } });
    const task = await one.send({ prompt: '[[tool:900]][[text:built]]', maxAttempts: 1 });
    expect(await one.ended(task)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
  });
});
