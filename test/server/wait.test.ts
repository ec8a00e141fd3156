/** `GET /v1/tasks/{id}?wait=`: one request that is answered with the end of a task. */
import { describe, expect, test, vi } from 'vitest';
import type { TaskView } from '../../src/protocol/index.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import { type Door, hastyTimer, openDoor, problemIn } from '../support/door.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Resolves when so many requests wait. */
async function openPolls(door: Door, count: number): Promise<void> {
  while (!(await (await door.fetch('/metrics')).text()).includes(`signalbox_http_long_polls ${count}\n`)) {
    // It is asked again.
  }
}

/** A task whose turn has begun, and its turn. */
async function begun(door: Door) {
  const { task } = await door.client.submit({ session: 's', prompt: 'p' });
  const turn = await door.box.stage.turn();
  await door.box.event(task, 'turn-started');
  return { task, turn, path: `/v1/tasks/${task}?wait=30` };
}

const viewOf = async (answer: Promise<Response>): Promise<TaskView> => (await (await answer).json()) as TaskView;

describe('a task that is waited for', () => {
  test.each([
    ['SQLite', {}],
    ['memory', { store: openMemoryStore() }],
  ])('is answered with its end, however many wait for it: on %s', async (_, box) => {
    await using door = await openDoor({ box });
    const { turn, path } = await begun(door);
    const waiting = [1, 2, 3].map(() => viewOf(door.fetch(path)));
    await openPolls(door, 3);
    turn.finish('the answer');
    for (const view of await Promise.all(waiting)) {
      expect(view).toMatchObject({ status: 'completed', final: { answer: { text: 'the answer' } } });
    }
    await openPolls(door, 0);
  });

  test('is read again at its end only, not at each event', async () => {
    await using door = await openDoor();
    const { task, turn, path } = await begun(door);
    const waiting = viewOf(door.fetch(path));
    await openPolls(door, 1);
    const reads = vi.spyOn(door.box.box, 'task');
    for (let at = 0; at < 100; at++) {
      turn.say(`word ${at} `);
    }
    await door.box.event(task, 'output', ({ data }) => data.part.kind === 'text' && data.part.text.includes('word 99'));
    await door.box.quiet();
    expect(reads).not.toHaveBeenCalled();
    turn.finish('done');
    expect((await waiting).status).toBe('completed');
    expect(reads).toHaveBeenCalledTimes(1);
  });

  test('is answered as it is when the time is up, and no timer is left', async () => {
    const clock = new ManualClock();
    await using door = await openDoor({ server: { clock } });
    const { path, turn, task } = await begun(door);
    const waiting = viewOf(door.fetch(path));
    await openPolls(door, 1);
    clock.advance(29_999);
    await openPolls(door, 1);
    clock.advance(1);
    expect(await waiting).toMatchObject({ status: 'running', endedAt: null, final: null });
    expect(clock.armed).toBe(0);
    turn.finish();
    await door.box.ended(task);
  });

  test('leaves nothing behind when its client leaves', async () => {
    const clock = new ManualClock();
    await using door = await openDoor({ server: { clock } });
    const { path, turn } = await begun(door);
    const leave = new AbortController();
    const waiting = door.fetch(path, { signal: leave.signal });
    await openPolls(door, 1);
    leave.abort();
    await expect(waiting).rejects.toThrow('abort');
    await openPolls(door, 0);
    expect(clock.armed).toBe(0);
    turn.finish();
  });

  test('is answered as it is when the daemon closes', async () => {
    await using door = await openDoor();
    const { path } = await begun(door);
    const waiting = viewOf(door.fetch(path));
    await openPolls(door, 1);
    await door.server.close({ graceMs: 60_000 });
    expect(await waiting).toMatchObject({ status: 'running', endedAt: null });
  });

  test('is answered at once when it has ended, also with no room for one more that waits', async () => {
    await using door = await openDoor({ server: { limits: { maxStreams: 1 } } });
    const ended = await begun(door);
    ended.turn.finish();
    await door.box.ended(ended.task);
    const open = await begun(door);
    const waiting = viewOf(door.fetch(open.path));
    await openPolls(door, 1);
    expect((await viewOf(door.fetch(ended.path))).status).toBe('completed');
    expect((await viewOf(door.fetch(`/v1/tasks/${open.task}`))).status).toBe('running');
    expect((await problemIn(await door.fetch(open.path))).code).toBe('too_many_streams');
    open.turn.finish();
    await waiting;
  });

  test.each(['61', '-1', 'soon', '1e1', ''])('is refused for so long: %j', async (wait) => {
    await using door = await openDoor();
    const { task } = await door.client.submit({ session: 's', prompt: 'p' });
    const problem = await problemIn(await door.fetch(`/v1/tasks/${task}?wait=${wait}`));
    expect(problem).toMatchObject({ code: 'invalid_request', errors: [{ path: '/query/wait' }] });
  });
});

describe('the result of a task', () => {
  test('is waited for by the client over a restart of the daemon', async () => {
    let door = await openDoor({ client: { timer: hastyTimer } });
    const { task } = await begun(door);
    const result = door.client.result(task);
    await openPolls(door, 1);
    door = await door.restart();
    await using _ = door;
    const again = await door.box.stage.turn();
    await openPolls(door, 1);
    again.finish('after all');
    expect(await result).toMatchObject({ id: task, status: 'completed', final: { answer: { text: 'after all' } } });
  });

  test('is given up when its signal aborts, and refused for a task that does not exist', async () => {
    await using door = await openDoor();
    const { task, turn } = await begun(door);
    const stop = new AbortController();
    const result = door.client.result(task, { signal: stop.signal });
    await openPolls(door, 1);
    stop.abort();
    await expect(result).rejects.toMatchObject({ code: 'aborted' });
    await openPolls(door, 0);
    await expect(door.client.result('none')).rejects.toMatchObject({ code: 'unknown_task' });
    turn.finish();
  });
});
