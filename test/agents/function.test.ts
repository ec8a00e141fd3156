/** The function driver beyond the contract: what a function in the daemon's own process may not do to it. */
import { describe, expect, test } from 'vitest';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import type { AgentFunction, FunctionDriverOptions } from '../../src/agents/index.ts';
import { functionDriver } from '../../src/agents/index.ts';

async function agent(run: AgentFunction, options: FunctionDriverOptions = {}): Promise<AgentProbe> {
  const probe = new AgentProbe(functionDriver(run, { killGraceMs: 5, ...options }));
  await probe.ready();
  return probe;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('a turn of a function', () => {
  test('gets its context, and has the return value as its result', async () => {
    await using one = await agent(
      async function* (prompt, context) {
        yield { kind: 'tool', id: null, name: 'look', action: 'read', title: 'look', status: 'completed' };
        yield `${context.session} ${context.incarnation} ${context.turn} ${context.conversation}`;
        return { text: prompt.toUpperCase(), usage: { inputTokens: 3, outputTokens: 1 } };
      },
      { ids: () => 'a-conversation' },
    );
    one.prompt(4, 'hello');
    expect((await one.result(4)).result).toEqual({
      outcome: 'completed',
      empty: false,
      failure: null,
      report: { text: 'contract 1 4 a-conversation\n\nHELLO', usage: { inputTokens: 3, outputTokens: 1 } },
    });
    expect(one.text(4)).toBe('contract 1 4 a-conversation\n\nHELLO');
    expect(one.parts('usage')).toEqual([{ kind: 'usage', inputTokens: 3, outputTokens: 1 }]);
    expect(one.parts('tool')).toMatchObject([{ name: 'look', action: 'read' }]);
  });

  test('emits its return value as a last piece, unless the function has yielded it already', async () => {
    const returns: { readonly [prompt: string]: readonly [yielded: string[], returned: string] } = {
      whole: [['Hello ', 'world'], 'Hello world'],
      rest: [['Hello '], 'Hello world'],
      last: [['Hello ', 'world'], 'world'],
      none: [[], 'Hello world'],
    };
    await using one = await agent(async function* (prompt) {
      const [yielded = [], returned = ''] = returns[prompt] ?? [];
      yield* yielded;
      return returned;
    });
    for (const [at, prompt] of Object.keys(returns).entries()) {
      one.prompt(at + 1, prompt);
      expect((await one.result(at + 1)).result.report, prompt).toEqual({ text: 'Hello world' });
      expect(one.text(at + 1), prompt).toBe('Hello world');
    }
  });

  test('that stops because of the abort is interrupted, with its output so far', async () => {
    await using one = await agent(async function* (_prompt, { signal }) {
      yield 'a';
      await aborted(signal);
      return { text: 'half' };
    });
    one.prompt(1, 'go');
    await one.output(1);
    one.interrupt(1);
    expect((await one.result(1)).result).toMatchObject({
      outcome: 'interrupted',
      empty: false,
      report: { text: 'a\n\nhalf' },
    });
    expect(one.events.map((event) => event.type)).toEqual(['ready', 'started', 'output', 'ack', 'output', 'result']);
  });

  test('that throws because of the abort is interrupted; one that throws by itself has failed, with the error', async () => {
    await using one = await agent(async function* (prompt, { signal }) {
      yield 'a';
      if (prompt === 'wait') {
        await aborted(signal);
      }
      throw Object.assign(new RangeError('no more'), { code: 'out_of_range' });
    });
    one.prompt(1, 'wait');
    await one.output(1);
    one.interrupt(1);
    expect((await one.result(1)).result).toMatchObject({ outcome: 'interrupted', report: { text: 'a' } });
    one.prompt(2, 'throw');
    expect((await one.result(2)).result).toMatchObject({
      outcome: 'failed',
      report: { error: { name: 'RangeError', message: 'no more', code: 'out_of_range' } },
    });
  });

  test('may return another outcome than the one that its signal suggests', async () => {
    await using one = await agent(async function* (_prompt, { signal }) {
      yield 'a';
      await aborted(signal);
      return { text: 'done all the same', outcome: 'completed' };
    });
    one.prompt(1, 'go');
    await one.output(1);
    one.interrupt(1);
    expect((await one.result(1)).result.outcome).toBe('completed');
  });

  test('that ignores its signal but yields is ended at its next yield, and its cleanup runs', async () => {
    let cleaned = false;
    await using one = await agent(async function* () {
      try {
        for (;;) {
          yield 'again ';
        }
      } finally {
        cleaned = true;
      }
    });
    one.prompt(1, 'go');
    await one.output(1);
    one.interrupt(1);
    expect((await one.result(1)).result.outcome).toBe('interrupted');
    expect(cleaned).toBe(true);
  });

  test('function-agent/4: that yields for ever without waiting does not starve the loop', async () => {
    await using one = await agent(async function* () {
      for (;;) {
        yield '.';
      }
    });
    one.prompt(1, 'go');
    await one.output(1);
    // A timer of the loop: it fires only if the loop turns.
    await new Promise((resolve) => setImmediate(resolve));
    one.interrupt(1);
    await one.result(1);
  });
});

describe('the end of an agent', () => {
  test('function-agent/3: is abandoned if its function ignores everything, and further output is dropped and counted', async () => {
    let release = (): void => {};
    const wedged = new Promise<void>((resolve) => {
      release = resolve;
    });
    let pulled = 0;
    const driver = functionDriver(
      async function* () {
        yield 'a';
        await wedged;
        for (;;) {
          pulled += 1;
          yield 'late';
        }
      },
      { killGraceMs: 5 },
    );
    await using one = new AgentProbe(driver);
    await one.ready();
    one.prompt(1, 'go');
    await one.output(1);
    one.interrupt(1);
    one.kill();
    expect(await one.exited()).toEqual({ type: 'exited', reason: 'killed', data: { abandoned: true } });
    release();
    await new Promise((resolve) => setImmediate(resolve));
    // The late piece and the late result; then the generator was returned.
    expect(driver.lateDropped).toBe(2);
    expect(pulled).toBe(1);
    expect(one.of('result')).toEqual([]);
  });

  test('comes after the cleanup of a function that obeys its signal', async () => {
    let cleaned = false;
    await using one = await agent(
      async function* (_prompt, { signal }) {
        yield 'a';
        await aborted(signal);
        await new Promise((resolve) => setImmediate(resolve));
        cleaned = true;
      },
      { killGraceMs: 10_000 },
    );
    one.prompt(1, 'go');
    await one.output(1);
    one.kill();
    expect((await one.exited()).data).toEqual({ abandoned: false });
    expect(cleaned).toBe(true);
  });
});

test('a steer that throws is not accepted', async () => {
  await using one = await agent(
    async function* (_prompt, { signal }) {
      yield 'a';
      await aborted(signal);
    },
    {
      steer: () => {
        throw new Error('cannot');
      },
    },
  );
  one.prompt(1, 'go');
  await one.output(1);
  one.steer(1, 'x', 'text');
  expect((await one.first('steered', () => true)).delivered).toBe(false);
});

describe('a permission request of a function', () => {
  const ask = { kind: 'execute', tool: 'Bash', title: 'npm test' } as const;

  test('gets a response with its note', async () => {
    await using one = await agent(async function* (_prompt, context) {
      yield 'a';
      const { allow, note } = await context.requestPermission(ask, { detail: { command: ['npm', 'test'] } });
      return `${allow} ${note}`;
    });
    one.prompt(1, 'go');
    const asked = await one.first('permission-requested', () => true);
    expect(asked).toEqual({
      type: 'permission-requested',
      turn: 1,
      request: 'ask-1',
      action: ask,
      detail: { command: ['npm', 'test'] },
    });
    one.respond(1, 'ask-1', false, 'not now');
    // What is over, or was never asked, changes nothing.
    one.respond(1, 'ask-1', true);
    one.respond(1, 'ask-7', true);
    expect((await one.result(1)).result.report).toEqual({ text: 'a\n\nfalse not now' });
  });

  test('is denied without a note at an interrupt, and no further one can follow', async () => {
    const said: boolean[] = [];
    await using one = await agent(async function* (_prompt, context) {
      yield 'a';
      said.push((await context.requestPermission(ask)).allow, (await context.requestPermission(ask)).allow);
    });
    one.prompt(1, 'go');
    await one.first('permission-requested', () => true);
    one.interrupt(1);
    expect((await one.result(1)).result.outcome).toBe('interrupted');
    expect(said).toEqual([false, false]);
    expect(one.of('permission-requested')).toHaveLength(1);
    expect(one.of('permission-withdrawn')).toEqual([]);
  });

  test('is withdrawn when the function does not want it any more', async () => {
    await using one = await agent(async function* (_prompt, context) {
      yield 'a';
      const stop = new AbortController();
      const asked = context.requestPermission(ask, { signal: stop.signal });
      stop.abort();
      return String((await asked).allow);
    });
    one.prompt(1, 'go');
    expect((await one.result(1)).result.report).toEqual({ text: 'a\n\nfalse' });
    expect(one.of('permission-withdrawn')).toEqual([{ type: 'permission-withdrawn', turn: 1, request: 'ask-1' }]);
  });
});

test('a failure of the provider fails the turn and is in the result, and a retry is reported', async () => {
  await using one = await agent(async function* (_prompt, context) {
    context.retrying({ class: 'overloaded', status: 529 });
    yield 'a';
    return { failure: { class: 'rate_limit', retryAfterMs: 2_000, status: 429, message: 'slow down' } };
  });
  one.prompt(1, 'go');
  expect((await one.result(1)).result).toMatchObject({
    outcome: 'failed',
    failure: { class: 'rate_limit', retryAfterMs: 2_000, status: 429, message: 'slow down' },
  });
  expect(one.of('retrying')).toEqual([
    {
      type: 'retrying',
      turn: 1,
      failure: { class: 'overloaded', retryAfterMs: null, status: 529, message: 'overloaded' },
    },
  ]);
});

test('a model is changed for the turns that follow, or the function reports that it cannot', async () => {
  const run: AgentFunction = async function* (_prompt, { model }) {
    yield String(model);
  };
  await using one = await agent(run, { models: (model) => model !== 'unknown' });
  one.switchModel('large');
  one.switchModel('unknown');
  await one.first('switched', ({ ok }) => !ok);
  expect(one.of('switched')).toEqual([
    { type: 'switched', model: 'large', ok: true },
    { type: 'switched', model: 'unknown', ok: false },
  ]);
  one.prompt(1, 'go');
  await one.result(1);
  expect(one.text(1)).toBe('large');
});

test('5,000 idle agents use little memory and time', async () => {
  const driver = functionDriver(async function* () {
    yield 'a';
  });
  const before = process.memoryUsage().heapUsed;
  const agents = Array.from({ length: 5_000 }, () => new AgentProbe(driver));
  await Promise.all(agents.map((one) => one.ready()));
  const each = (process.memoryUsage().heapUsed - before) / agents.length;
  expect(each).toBeLessThan(20_000);
  await Promise.all(agents.map((one) => one[Symbol.asyncDispose]()));
});
