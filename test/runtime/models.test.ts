import { describe, expect, it } from 'vitest';
import { functionDriver, type FunctionContext, type FunctionDriverOptions } from '../../src/agents/index.ts';
import type { Runner } from '../../src/runtime/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { expectSound, openBox } from '../support/box.ts';

/** What each turn was: prompt, model, incarnation. Turns whose prompt says `wait` run until they are interrupted. */
function player(models: FunctionDriverOptions['models']) {
  const turns: string[] = [];
  const waiting: ((context: FunctionContext) => void)[] = [];
  const began = (): Promise<FunctionContext> => new Promise((resolve) => waiting.push(resolve));
  const driver = functionDriver(
    async function* (prompt, context) {
      const text = prompt.split('\n').at(-1) ?? '';
      turns.push(`${text} ${context.model ?? 'default'} #${context.incarnation}`);
      yield 'a';
      waiting.shift()?.(context);
      if (!text.startsWith('wait') || prompt.includes('Continue from where it stopped')) {
        return;
      }
      await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
    },
    models === undefined ? {} : { models },
  );
  return { turns, began, driver };
}

const threeTurns: Runner = async ({ hold }) => {
  const outcomes = [];
  outcomes.push((await hold.turn('one')).outcome);
  outcomes.push((await hold.turn('two', { model: 'large' })).outcome);
  outcomes.push((await hold.turn('three')).outcome);
  return outcomes;
};

const done = { status: 'completed', final: { result: ['completed', 'completed', 'completed'] } };

describe('C27: a hold whose turns are for different models', () => {
  it('changes the model by protocol where the agent can, with one agent and one hold', async () => {
    const agent = player(true);
    await using one = await openBox({ agent: agent.driver, runners: { threeTurns } });
    const task = await one.send({ runner: 'threeTurns' });
    expect(await one.ended(task)).toMatchObject(done);
    expect(agent.turns).toEqual(['one default #1', 'two large #1', 'three default #1']);
    const types = (await one.box.tape('test:one', null, 0, 100)).map(({ type }) => type);
    expect(types).toEqual([
      'agent-starting',
      'agent-ready',
      'model-switching',
      'model-switched',
      'model-switching',
      'model-switched',
    ]);
    expectSound(await one.ended(task), await one.tape(task));
  });

  it.each([
    ['cannot switch', undefined],
    ['says that it could not', () => false],
  ] as const)('restarts an agent that %s with its conversation, and no attempt is lost', async (_why, models) => {
    const agent = player(models);
    await using one = await openBox({ agent: agent.driver, runners: { threeTurns } });
    const task = await one.send({ runner: 'threeTurns', maxAttempts: 1 });
    expect(await one.ended(task)).toMatchObject(done);
    expect(agent.turns).toEqual(['one default #1', 'two large #2', 'three default #3']);
    expect(await one.box.session('test:one')).toMatchObject({ throttle: null, row: { incarnations: 3 } });
  });

  it('restarts an agent that does not answer the change in time', async () => {
    const clock = new ManualClock();
    const deaf = player(true);
    const { driver } = deaf;
    await using one = await openBox({
      clock,
      runners: { threeTurns },
      limits: { switchMs: 1_000 },
      agent: {
        ...driver,
        start: (start) => driver.start({ ...start, emit: (event) => event.type === 'switched' || start.emit(event) }),
      },
    });
    const task = await one.send({ runner: 'threeTurns', maxAttempts: 1 });
    for (let switches = 1; switches <= 2; switches += 1) {
      await new Promise<void>((resolve) => {
        const look = async (): Promise<void> => {
          const tape = await one.box.tape('test:one', null, 0, 100);
          if (tape.filter(({ type }) => type === 'model-switching').length === switches) {
            resolve();
          } else {
            setImmediate(() => void look());
          }
        };
        void look();
      });
      await one.quiet();
      clock.advance(1_000);
    }
    expect(await one.ended(task)).toMatchObject(done);
    expect(deaf.turns).toEqual(['one default #1', 'two large #2', 'three default #3']);
  });

  it('keeps a demand and a cancel that come during the change', async () => {
    const agent = player(true);
    await using one = await openBox({ agent: agent.driver });
    const first = agent.began();
    const back = await one.background({ prompt: 'wait for it', model: 'small' });
    await first;
    const urgent = await one.send({ prompt: 'urgent', model: 'large' });
    const cancelled = await one.background({ prompt: 'never', model: 'huge' });
    await one.box.cancel(cancelled);
    expect(await one.ended(urgent)).toMatchObject({ status: 'completed' });
    expect(await one.ended(back)).toMatchObject({ status: 'completed', row: { attempts: 1, model: 'small' } });
    expect(agent.turns).toEqual(['wait for it small #1', 'urgent large #1', 'wait for it small #1']);
    expect(await one.ended(cancelled)).toMatchObject({ status: 'cancelled' });
  });
});
