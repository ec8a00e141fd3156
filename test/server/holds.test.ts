/** Holds over HTTP: the routes as any language sees them, and the client's `hold`. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError, type HoldReceipt } from '../../src/client/index.ts';
import type { Door } from '../support/door.ts';
import { openDoor, problemIn } from '../support/door.ts';

let door: Door;
beforeEach(async () => {
  door = await openDoor();
});
afterEach(() => door[Symbol.asyncDispose]());

const post = (path: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
  door.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  });

async function external(fields: object = {}): Promise<string> {
  const { task } = await door.client.submit({
    session: 's',
    prompt: 'work',
    mode: 'external',
    lane: 'background',
    ...fields,
  });
  return task;
}

/** A task that is held by `one`, with its epoch. */
async function held(): Promise<{ readonly task: string; readonly epoch: number }> {
  const task = await external();
  const receipt = (await (await post(`/v1/tasks/${task}/hold`, { holder: 'one' })).json()) as HoldReceipt;
  expect(receipt).toMatchObject({ state: 'granted', task, session: 's', prompt: 'work', leaseMs: 30_000 });
  return { task, epoch: receipt.epoch ?? 0 };
}

const refusal = async (response: Promise<Response>): Promise<string> => {
  const { status, code } = await problemIn(await response);
  return `${status} ${code}`;
};

/** Resolves when so many long polls are open. */
async function openPolls(count: number): Promise<void> {
  while (!(await (await door.fetch('/metrics')).text()).includes(`signalbox_http_long_polls ${count}\n`)) {
    // It is asked again.
  }
}

describe('a hold over HTTP', () => {
  test('is waited for in a long poll, which is answered in time and with the grant', async () => {
    await door.client.submit({ session: 's', prompt: 'busy' });
    const busy = await door.box.stage.turn();
    const task = await external();
    const now = await post(`/v1/tasks/${task}/hold`, { holder: 'one', wait: 0 });
    expect(await now.json()).toMatchObject({ state: 'waiting', epoch: null, prompt: null, call: null });
    // At most half of the lease.
    const soon = await post(`/v1/tasks/${task}/hold`, { holder: 'one', leaseMs: 1_000, wait: 0.05 });
    expect(await soon.json()).toMatchObject({ state: 'waiting', leaseMs: 30_000 });
    const waiting = post(`/v1/tasks/${task}/hold`, { holder: 'one' });
    busy.finish();
    expect(await (await waiting).json()).toMatchObject({ state: 'granted', epoch: 2, attempt: 1 });
  });

  test('takes a turn whose answer is there again after the connection was lost', async () => {
    const { task, epoch } = await held();
    const lost = new AbortController();
    const body = { epoch, call: 1, prompt: 'go' };
    const first = post(`/v1/tasks/${task}/hold/turn`, body, { signal: lost.signal });
    const turn = await door.box.stage.turn();
    lost.abort();
    await expect(first).rejects.toThrow('abort');
    turn.finish('the answer');
    const again = await post(`/v1/tasks/${task}/hold/turn`, body);
    expect(await again.json()).toEqual({
      state: 'answered',
      call: 1,
      answer: { outcome: 'completed', text: 'the answer' },
    });
    expect(door.box.stage.prompts).toEqual(['go']);
  });

  test('asks the owner of a session of another node nothing while the agent speaks', async () => {
    const { holders } = door.box.box;
    const { task, epoch } = await held();
    const turn = vi.spyOn(holders, 'turn');
    // Only the owner knows whether the call waits.
    vi.spyOn(holders, 'waits').mockReturnValue(false);
    const answer = post(`/v1/tasks/${task}/hold/turn`, { epoch, call: 1, prompt: 'go' });
    const taken = await door.box.stage.turn();
    await door.box.event(task, 'turn-started');
    await openPolls(1);
    await door.box.quiet();
    const before = turn.mock.calls.length;
    for (const word of ['some ', 'words']) {
      taken.say(word);
      await door.box.event(task, 'output', ({ data }) => data.part.kind === 'text' && data.part.text.includes(word));
    }
    await door.box.quiet();
    expect(turn.mock.calls.length).toBe(before);
    taken.finish('some words');
    expect(await (await answer).json()).toMatchObject({ answer: { text: 'some words' } });
  });

  test('asks the session once for a request that waits, and once more when there is news', async () => {
    const { holders } = door.box.box;
    const [claim, turn] = [vi.spyOn(holders, 'claim'), vi.spyOn(holders, 'turn')];
    await door.client.submit({ session: 's', prompt: 'busy' });
    const busy = await door.box.stage.turn();
    const task = await external();
    const waiting = post(`/v1/tasks/${task}/hold`, { holder: 'one' });
    await door.box.event(task, 'claimed');
    for (const prompt of ['a', 'b']) {
      await door.client.edit(task, { prompt });
      await door.box.event(task, 'edited');
    }
    busy.finish();
    expect(await (await waiting).json()).toMatchObject({ state: 'granted', epoch: 2 });
    expect(claim).toHaveBeenCalledTimes(2);
    const answer = post(`/v1/tasks/${task}/hold/turn`, { epoch: 2, call: 1, prompt: 'go' });
    const taken = await door.box.stage.turn();
    for (const word of ['some ', 'words']) {
      taken.say(word);
      await door.box.event(task, 'output', ({ data }) => data.part.kind === 'text' && data.part.text.includes(word));
    }
    taken.finish('some words');
    expect(await (await answer).json()).toMatchObject({ answer: { text: 'some words' } });
    expect(turn).toHaveBeenCalledTimes(2);
  });

  test('of a client that is gone learns of no grant', async () => {
    const claim = vi.spyOn(door.box.box.holders, 'claim');
    await door.client.submit({ session: 's', prompt: 'busy' });
    const busy = await door.box.stage.turn();
    const task = await external();
    const lost = new AbortController();
    const waiting = post(`/v1/tasks/${task}/hold`, { holder: 'one' }, { signal: lost.signal });
    await openPolls(1);
    lost.abort();
    await expect(waiting).rejects.toThrow('abort');
    await openPolls(0);
    busy.finish();
    await door.box.event(task, 'granted');
    await door.box.quiet();
    expect(claim).toHaveBeenCalledTimes(1);
  });

  test('is refused with a reason for each call that is not its own', async () => {
    const { task, epoch } = await held();
    const at = `/v1/tasks/${task}/hold`;
    expect(await refusal(post(at, { holder: 'two' }))).toBe('409 task_claimed');
    expect(await refusal(post(`${at}/heartbeat`, { epoch: epoch + 1 }))).toBe('409 evicted');
    expect(await refusal(post(`${at}/turn`, { epoch: epoch + 1, call: 1, prompt: 'x' }))).toBe('409 evicted');
    expect(await refusal(post('/v1/tasks/nothing/hold', { holder: 'one' }))).toBe('404 unknown_task');
    expect(await refusal(post('/v1/tasks/nothing/hold/heartbeat', { epoch }))).toBe('404 unknown_task');
    const prompt = await door.client.submit({ session: 't', prompt: 'p' });
    expect(await refusal(post(`/v1/tasks/${prompt.task}/hold`, { holder: 'one' }))).toBe('409 not_external');
    expect(await refusal(post('/v1/tasks', { session: 's', prompt: 'p', mode: 'code' }))).toBe('409 mode_conflict');
    await door.client.cancel(task);
    for (const [path, body] of [
      ['turn', { epoch, call: 1, prompt: 'x' }],
      ['progress', { epoch, data: 1 }],
      ['heartbeat', { epoch }],
      ['release', { epoch }],
      ['finish', { epoch, status: 'completed' }],
    ] as const) {
      expect(await refusal(post(`${at}/${path}`, body)), path).toBe('409 evicted');
    }
  });

  test('rejects a malformed request, and names the place', async () => {
    const { task, epoch } = await held();
    const at = `/v1/tasks/${task}/hold`;
    for (const [path, body] of [
      ['', {}],
      ['', { holder: 'has a space' }],
      ['', { holder: 'one', leaseMs: 5 }],
      ['/turn', { epoch, prompt: 'x' }],
      ['/turn', { epoch, call: 0, prompt: 'x' }],
      ['/turn', { epoch: 'one', call: 1, prompt: 'x' }],
      ['/turn', { epoch, call: 1, prompt: '' }],
      ['/progress', { epoch }],
      ['/finish', { epoch, status: 'cancelled' }],
      ['/finish', { epoch, status: 'failed', reason: 'Not A Code' }],
      ['/heartbeat', { epoch, hodler: 1 }],
    ] as const) {
      const problem = await problemIn(await post(at + path, body));
      expect(problem, JSON.stringify(body)).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(problem.errors?.length).toBeGreaterThan(0);
    }
    expect(await door.client.explain(task)).toMatchObject({ status: 'running', owner: { epoch } });
  });

  test('ends its wait when the daemon closes, and the same request continues after the restart', async () => {
    const { task, epoch } = await held();
    const waiting = post(`/v1/tasks/${task}/hold/turn`, { epoch, call: 1, prompt: 'go' });
    await door.box.stage.turn();
    const restarted = door.restart();
    expect(await (await waiting).json()).toMatchObject({ state: 'waiting' });
    door = await restarted;
    const again = post(`/v1/tasks/${task}/hold/turn`, { epoch, call: 1, prompt: 'go' });
    (await door.box.stage.turn()).finish('later');
    expect(await (await again).json()).toMatchObject({ answer: { outcome: 'completed', text: 'later' } });
  });
});

describe('the hold of a client', () => {
  test('takes turns, is preempted between two of them, and ends its task with a result', async () => {
    await using hold = await door.client.hold('s', { prompt: 'work', lane: 'background', input: { rows: 3 } });
    expect(hold).toMatchObject({ session: 's', prompt: 'work', input: { rows: 3 }, attempt: 1, epoch: 1 });
    const first = hold.turn('one');
    (await door.box.stage.turn()).finish('1');
    expect(await first).toEqual({ outcome: 'completed', text: '1' });
    const { task: urgent } = await door.client.submit({ session: 's', prompt: 'urgent' });
    const second = hold.turn('two', { model: 'm' });
    (await door.box.stage.turn()).finish();
    await door.box.ended(urgent);
    (await door.box.stage.turn()).finish('2');
    expect(await second).toMatchObject({ text: '2' });
    await hold.progress({ done: 2 });
    await hold.finish({ sum: 3 });
    expect(door.box.stage.prompts).toEqual(['one', 'urgent', 'two']);
    expect(await door.client.task(hold.task)).toMatchObject({ status: 'completed', final: { result: { sum: 3 } } });
  });

  test('that is disposed without an end fails its task as abandoned, and the next task gets the session', async () => {
    let task = '';
    const work = async (): Promise<void> => {
      await using hold = await door.client.hold('s', { prompt: 'work' });
      ({ task } = hold);
      throw new Error('it broke');
    };
    await expect(work()).rejects.toThrow('it broke');
    expect(await door.client.task(task)).toMatchObject({ status: 'failed', reason: 'abandoned' });
    await using next = await door.client.hold('s');
    await next.release();
    await next.fail('no_tests', { tests: 0 });
    expect(await door.client.task(next.task)).toMatchObject({ status: 'failed', reason: 'no_tests' });
  });

  test('learns of its eviction by its signal, and rejects its turn', async () => {
    await using hold = await door.client.hold('s', {}, { leaseMs: 3_000 });
    const turn = hold.turn('long');
    await door.box.stage.turn();
    const evicted = once(hold.signal, 'abort');
    await door.client.evict('s');
    await expect(turn).rejects.toMatchObject({ code: 'evicted' });
    await evicted;
    await expect(hold.progress(1)).rejects.toBeInstanceOf(ApiError);
    await using idle = await door.client.hold('s', {}, { leaseMs: 3_000 });
    const lost = once(idle.signal, 'abort');
    await door.client.cancel(idle.task);
    // No call is open: a sign of life meets it.
    await lost;
    expect(idle.signal.reason).toMatchObject({ code: 'evicted' });
  });

  test('takes one turn at a time, and cancels its task if the wait for the session is aborted', async () => {
    await using hold = await door.client.hold('s');
    const first = hold.turn('one');
    await expect(hold.turn('two')).rejects.toMatchObject({ code: 'turn_in_progress' });
    const stop = new AbortController();
    const waiting = door.client.hold('s', { prompt: 'second' }, { signal: stop.signal });
    const [second] = await waitingTasks();
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    expect(await door.client.task(second ?? '')).toMatchObject({ status: 'cancelled', reason: 'abandoned' });
    (await door.box.stage.turn()).finish();
    await first;
    await hold.finish();
  });

  test('outlives a restart of the daemon in the middle of its turn', async () => {
    await using hold = await door.client.hold('s', { lane: 'background' });
    const turn = hold.turn('go');
    await door.box.stage.turn();
    door = await door.restart();
    (await door.box.stage.turn()).finish('after the restart');
    expect(await turn).toMatchObject({ outcome: 'completed', text: 'after the restart' });
    await hold.finish();
    expect(await door.client.task(hold.task)).toMatchObject({ status: 'completed', attempts: 1 });
  });
});

/** The tasks of the session that have been claimed and wait, once there is one. */
async function waitingTasks(): Promise<readonly string[]> {
  for await (const event of door.client.followSession('s')) {
    if (event.type === 'claimed' && event.task !== null) {
      const { items } = await door.client.tasks({ session: 's' });
      const waiting = items.filter(({ stage }) => stage === 'waiting').map(({ id }) => id);
      if (waiting.length > 0) {
        return waiting;
      }
    }
  }
  return [];
}
