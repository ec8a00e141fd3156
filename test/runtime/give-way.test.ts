/** Rule 20: an urgent task that finds no slot, or its folder in use, interrupts a background turn of another session. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scriptedDriver } from '../../src/agents/index.ts';
import { Workspaces } from '../../src/runtime/index.ts';
import { type Box, expectSound, openBox, type PlayedTurn } from '../support/box.ts';
import { ManualClock } from '../support/manual-clock.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-give-way-')));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const agent = scriptedDriver({ chunkMs: 0 });
const endless = '[[forever:5]]';

const dataOf = async (one: Box, task: string, type: string): Promise<unknown[]> =>
  (await one.tape(task)).filter((event) => event.type === type).map(({ data }) => data);

const sessionEvents = async (one: Box, session: string, type: string): Promise<unknown[]> =>
  (await one.box.tape(session, null, 0, 1_000)).filter((event) => event.type === type).map(({ data }) => data);

const sessions = async (one: Box): Promise<string[]> =>
  (await one.box.store.processes()).map(({ session }) => String(session)).toSorted();

describe('F01: an urgent task that finds all slots taken', () => {
  it('interrupts one background turn of 16, whose task is resumed afterwards and loses nothing', async () => {
    await using one = await openBox({ limits: { maxAgents: 16, maxStarting: 16 } });
    const tasks: string[] = [];
    const turns: PlayedTurn[] = [];
    for (let at = 0; at < 16; at += 1) {
      tasks.push(await one.background({ session: `s${at}`, prompt: `long ${at}`, maxAttempts: 1, onLost: 'fail' }));
      turns.push(await one.stage.turn());
    }
    const urgent = await one.send({ session: 'urgent', prompt: 'urgent' });
    await turns.at(-1)?.interrupted;
    (await one.stage.turn()).finish();
    expect(await one.ended(urgent)).toMatchObject({ status: 'completed' });
    const youngest = tasks.at(-1) ?? '';
    const by = { kind: 'task', name: urgent };
    expect(await dataOf(one, youngest, 'interrupt-requested')).toMatchObject([{ why: 'give-way', by }]);
    expect(await dataOf(one, youngest, 'turn-ended')).toMatchObject([{ outcome: 'preempted' }]);
    expect(await dataOf(one, youngest, 'preempted')).toMatchObject([{ by }]);
    expect(await sessionEvents(one, 's15', 'agent-ending')).toMatchObject([{ reason: 'give_way', by }]);
    // The urgent session's agent is idle now, and makes room for the one that gave way.
    const resumed = await one.stage.turn();
    expect(resumed.prompt).toContain('long 15');
    expect(turns.slice(0, -1).filter(({ context }) => context.signal.aborted)).toEqual([]);
    for (const turn of [...turns.slice(0, -1), resumed]) {
      turn.finish();
    }
    for (const task of tasks) {
      expect(await one.ended(task)).toMatchObject({ status: 'completed', row: { attempts: 1 } });
      expectSound(await one.ended(task), await one.tape(task));
    }
  });

  it('gets the slot of a program that obeys, and that program is gone before its own is started', async () => {
    await using one = await openBox({ agent, limits: { maxAgents: 1 } });
    const long = await one.background({ session: 'long', prompt: endless });
    await one.event(long, 'turn-started');
    const urgent = await one.send({ session: 'urgent', prompt: '[[text:served]]' });
    expect(await one.ended(urgent)).toMatchObject({ status: 'completed' });
    const exited = (await one.box.tape('long', null, 0, 1_000)).find(({ type }) => type === 'agent-exited');
    const ready = (await one.box.tape('urgent', null, 0, 1_000)).find(({ type }) => type === 'agent-ready');
    expect(exited?.at).toBeLessThanOrEqual(ready?.at ?? 0);
    await one.event(long, 'turn-started', ({ data }) => data.turn === 2);
    expect(await sessions(one)).toEqual(['long']);
    await one.box.cancel(long);
  });

  it('is served when a program that ignores interrupts has been killed, whose task is resumed then', async () => {
    await using one = await openBox({ agent, limits: { maxAgents: 1, drainMs: 1_000 } });
    const deaf = await one.background({ session: 'deaf', prompt: `[[deaf]] ${endless}`, maxAttempts: 1 });
    await one.event(deaf, 'turn-started');
    const urgent = await one.send({ session: 'urgent', prompt: '[[text:served]]' });
    expect(await one.ended(urgent)).toMatchObject({ status: 'completed' });
    expect(await sessionEvents(one, 'deaf', 'agent-ending')).toMatchObject([{ reason: 'drain_deadline' }]);
    expect(await dataOf(one, deaf, 'turn-ended')).toMatchObject([{ outcome: 'preempted', reason: 'drain_deadline' }]);
    await one.event(deaf, 'turn-started', ({ data }) => data.turn === 2);
    expect(await dataOf(one, deaf, 'turn-sent')).toMatchObject([{ attempt: 1 }, { attempt: 1 }]);
    await one.box.close({ graceMs: 0 });
  });

  it('waits for an interactive turn, and for no more turns than there are urgent tasks', async () => {
    await using one = await openBox({ limits: { maxAgents: 2 } });
    const first = await one.send({ session: 'a', prompt: 'interactive' });
    const interactive = await one.stage.turn();
    await one.background({ session: 'b', prompt: 'background' });
    const background = await one.stage.turn();
    await one.send({ session: 'c', prompt: 'urgent' });
    await background.interrupted;
    const urgent = await one.stage.turn();
    const later = await one.send({ session: 'd', prompt: 'later' });
    await one.quiet();
    expect(interactive.context.signal.aborted).toBe(false);
    expect(urgent.context.signal.aborted).toBe(false);
    expect(await one.box.explain(later)).toMatchObject({
      summary: expect.stringContaining('all agent slots (limits.maxAgents: 2) are taken, by a, c') as string,
      throttle: { cause: 'slot', reason: 'slots_taken' },
    });
    interactive.finish();
    await one.ended(first);
    expect((await one.stage.turn()).prompt).toBe('later');
  });

  it('does not interrupt a session that gave way `maxPassedOver` times before its next turn is over', async () => {
    await using one = await openBox({ limits: { maxAgents: 1, maxPassedOver: 2 } });
    await one.background({ session: 'long', prompt: 'long' });
    for (const round of [1, 2]) {
      const long = await one.stage.turn();
      await one.send({ session: `urgent ${round}`, prompt: `urgent ${round}` });
      await long.interrupted;
      const urgent = await one.stage.turn();
      expect(urgent.prompt).toBe(`urgent ${round}`);
      urgent.finish();
    }
    const long = await one.stage.turn();
    await one.send({ session: 'urgent 3', prompt: 'urgent 3' });
    await one.quiet();
    expect(long.context.signal.aborted).toBe(false);
    long.finish();
    expect((await one.stage.turn()).prompt).toBe('urgent 3');
  });

  it('is served though the other session always has a next task', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, limits: { maxAgents: 1, maxWaitMs: 1_000 } });
    for (const prompt of ['one', 'two', 'three']) {
      await one.send({ session: 'busy', prompt });
    }
    const waits = await one.send({ session: 'waits', prompt: 'mine' });
    const first = await one.stage.turn();
    clock.advance(1_000);
    await one.quiet();
    expect(first.context.signal.aborted).toBe(false);
    first.finish();
    expect((await one.stage.turn()).prompt).toBe('mine');
    expect(await sessionEvents(one, 'busy', 'agent-ending')).toMatchObject([
      { reason: 'give_way', by: { name: waits } },
    ]);
  });

  it('keeps its place, and is served first, after the daemon has died', async () => {
    await using one = await openBox({ agent, limits: { maxAgents: 1 } });
    const long = await one.background({ session: 'long', prompt: '[[text:long]]' });
    const urgent = await one.send({ session: 'urgent', prompt: '[[text:urgent]]' });
    await using two = await one.reopen({ agent, limits: { maxAgents: 1 }, graceMs: 0 });
    const [first, second] = [await two.ended(urgent), await two.ended(long)];
    expect([first.status, second.status]).toEqual(['completed', 'completed']);
  });
});

describe('F02: an urgent task that finds its folder in use', () => {
  it('interrupts the background turn of the session that has it, though slots are free', async () => {
    const workspaces = new Workspaces({ root, rules: [{ session: 'shared*', folder: join(root, 'shared') }] });
    await using one = await openBox({ agent, workspaces });
    const other = await one.background({ session: 'other', prompt: endless });
    const long = await one.background({ session: 'shared:long', prompt: endless });
    await one.event(long, 'turn-started');
    await one.event(other, 'turn-started');
    const urgent = await one.send({ session: 'shared:urgent', prompt: '[[text:served]]' });
    expect(await one.ended(urgent)).toMatchObject({ status: 'completed' });
    expect(await sessionEvents(one, 'shared:urgent', 'throttled')).toMatchObject([{ reason: 'folder_in_use' }]);
    await one.event(long, 'turn-started', ({ data }) => data.turn === 2);
    expect(await dataOf(one, other, 'interrupt-requested')).toEqual([]);
    expect(await sessions(one)).toEqual(['other', 'shared:long']);
    await Promise.all([one.box.cancel(long), one.box.cancel(other)]);
  });

  it('waits for the folder in the line of its lane, and interrupts nothing from the background', async () => {
    const workspaces = new Workspaces({ root, rules: [{ session: '*', folder: join(root, 'shared') }] });
    await using one = await openBox({ agent, workspaces });
    const long = await one.background({ session: 'long', prompt: endless });
    await one.event(long, 'turn-started');
    const behind = await one.background({ session: 'behind', prompt: '[[text:behind]]' });
    await one.quiet();
    expect(await dataOf(one, long, 'interrupt-requested')).toEqual([]);
    await one.box.cancel(long);
    expect(await one.ended(behind)).toMatchObject({ status: 'completed' });
  });
});
