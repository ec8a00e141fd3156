import { describe, expect, it } from 'vitest';
import { policyActor, type Actor } from '../../src/core/model/actor.ts';
import { scriptedDriver } from '../../src/agents/index.ts';
import type { RequestedAction } from '../../src/core/model/permission.ts';
import { acpPlayer } from '../agents/acp-subjects.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Box, openBox, type PlayedTurn } from '../support/box.ts';

const run: RequestedAction = { kind: 'execute', tool: 'Bash', title: 'npm test' };
const edit: RequestedAction = { kind: 'edit', tool: 'Write', title: 'src/a.ts' };
const read: RequestedAction = { kind: 'read', tool: 'Read', title: 'src/a.ts' };

/** What the turn may do, in the order it asks; `null` where a person would have to decide. */
async function verdicts(one: Box, turn: PlayedTurn, asks: readonly RequestedAction[]): Promise<(boolean | null)[]> {
  const given: (boolean | null)[] = [];
  for (const ask of asks) {
    const stop = new AbortController();
    const answer = turn.context.requestPermission(ask, { signal: stop.signal }).then(({ allow }) => allow);
    given.push(await Promise.race([answer, one.quiet().then(() => null)]));
    stop.abort();
  }
  return given;
}

const ann: Actor = { kind: 'person', name: 'ann' };

/** A store that answers late has an event before the session knows that it is stored. */
async function listed(one: Box, count: number) {
  for (;;) {
    const requests = await one.box.permissionRequests();
    if (requests.length >= count) {
      return requests;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const asked = (one: Box, task: string) => one.event(task, 'permission-requested');

describe('permissions by policy', () => {
  it('are those of the lane: interactive work may read, background work may edit and asks for the rest', async () => {
    await using one = await openBox();
    await one.send({});
    const triage = await one.stage.turn();
    expect(await verdicts(one, triage, [read, edit, run])).toEqual([true, false, false]);
    triage.finish();
    await one.background();
    const back = await one.stage.turn();
    expect(await verdicts(one, back, [read, edit, run])).toEqual([true, true, null]);
    back.finish();
  });

  it('are those that the configuration gives to a lane, unless the task brings its own', async () => {
    await using one = await openBox({
      permissions: { interactive: { mode: 'ask', allow: ['Bash(npm test)'], deny: ['edit'] } },
    });
    await one.send({});
    const lane = await one.stage.turn();
    expect(await verdicts(one, lane, [run, edit, { ...run, title: 'npm run x' }])).toEqual([true, false, null]);
    lane.finish();
    const own = await one.send({ permissions: { mode: 'allow', deny: ['Bash'] } });
    const turn = await one.stage.turn();
    expect(await verdicts(one, turn, [edit, run])).toEqual([true, false]);
    turn.finish();
    expect((await one.ended(own)).payload.permissions).toEqual({ mode: 'allow', allow: [], deny: ['Bash'] });
  });

  it('of the rights class untrusted are those of untrusted tasks, in each lane', async () => {
    await using one = await openBox();
    await one.background({ rights: 'untrusted' });
    const back = await one.stage.turn();
    expect(await verdicts(one, back, [read, edit, run])).toEqual([true, false, false]);
    back.finish();
    const policy = { mode: 'ask', allow: ['edit'], deny: ['Bash'] } as const;
    await using other = await openBox({ permissions: { untrusted: { interactive: policy, background: policy } } });
    await other.send({ rights: 'untrusted' });
    const configured = await other.stage.turn();
    expect(await verdicts(other, configured, [read, edit, run])).toEqual([true, true, false]);
    configured.finish();
    await other.send({ rights: 'trusted' });
    const trusted = await other.stage.turn();
    expect(await verdicts(other, trusted, [read, edit])).toEqual([true, false]);
    trusted.finish();
  });

  it('of a preempted task apply again when it is resumed, and those of the other task do not', async () => {
    await using one = await openBox();
    await one.background();
    await one.stage.turn();
    await one.send({ permissions: { mode: 'allow' } });
    const urgent = await one.stage.turn();
    expect(await verdicts(one, urgent, [run])).toEqual([true]);
    urgent.finish();
    const resumed = await one.stage.turn();
    expect(await verdicts(one, resumed, [run])).toEqual([null]);
    resumed.finish();
  });

  it('keep tasks apart: a task with more rights is not merged or steered into one with less', async () => {
    await using one = await openBox({ limits: { collectMs: 60 } });
    await one.send({ prompt: 'owner' });
    const owner = await one.stage.turn();
    const steered = await one.box.submit({
      session: 'test:one',
      prompt: 'more',
      whenBusy: 'steer',
      permissions: { mode: 'allow' },
    });
    expect(steered).toMatchObject({ stage: 'waiting', mergedInto: null, fallback: true });
    const parts = { whenBusy: 'collect', source: 'chat' } as const;
    await one.send({ prompt: 'a', ...parts });
    const other = await one.box.submit({ session: 'test:one', prompt: 'b', ...parts, permissions: { mode: 'allow' } });
    expect(other).toMatchObject({ mergedInto: null });
    owner.finish();
    expect((await one.stage.turn()).prompt).toBe('more');
  });

  it('are recorded on the tape: the request, the decision, and the actor', async () => {
    await using one = await openBox();
    const task = await one.send({});
    const turn = await one.stage.turn();
    await turn.context.requestPermission(edit, { detail: { path: 'src/a.ts', text: 'x' } });
    turn.finish();
    await one.ended(task);
    const tape = (await one.tape(task)).filter(({ type }) => type.startsWith('permission'));
    expect(tape.map(({ data }) => data)).toEqual([
      { turn: 1, request: 'ask-1', action: { ...edit, detail: { path: 'src/a.ts', text: 'x' } } },
      {
        turn: 1,
        request: 'ask-1',
        decision: 'deny',
        by: policyActor,
        note: 'The policy of the task is read-only, and none of its rules allows this.',
      },
    ]);
  });
});

describe('permissions by a person', () => {
  it('wait, are listed everywhere, and are allowed or denied with a note', async () => {
    await using one = await openBox();
    const task = await one.background();
    const turn = await one.stage.turn();
    const first = turn.context.requestPermission(run, { detail: { command: 'npm test' } });
    const second = turn.context.requestPermission({ ...run, title: 'npm publish' });
    await asked(one, task);
    const [ask, other] = await listed(one, 2);
    expect(ask).toMatchObject({
      session: 'test:one',
      task,
      turn: 1,
      request: 'ask-1',
      kind: 'execute',
      tool: 'Bash',
      title: 'npm test',
      detail: { command: 'npm test' },
    });
    expect(ask?.until).toBeGreaterThan(ask?.since ?? 0);
    expect((await one.box.session('test:one'))?.permissionRequests).toHaveLength(2);
    const explained = await one.box.explain(task);
    expect(explained?.summary).toBe('The task runs, and waits for a person to answer 2 permission requests.');
    expect(explained?.waitsFor.map(({ deadline }) => deadline)).toEqual(['permission']);
    expect((await one.box.stats()).permissionRequests).toBe(2);
    expect(await one.box.respond('test:one', { turn: 1, request: 'ask-1', allow: true, by: ann })).toEqual({
      kind: 'ok',
    });
    const denial = { turn: 1, request: other?.request ?? '', allow: false, note: 'not today', by: ann };
    expect(await one.box.respond('test:one', denial)).toEqual({ kind: 'ok' });
    expect(await first).toMatchObject({ allow: true });
    expect(await second).toEqual({ allow: false, note: 'not today' });
    expect(await one.box.respond('test:one', denial)).toMatchObject({ kind: 'refused', code: 'no_permission_request' });
    expect(await one.box.permissionRequests()).toEqual([]);
    turn.finish();
    await one.ended(task);
    const decided = (await one.tape(task)).filter(({ type }) => type === 'permission-resolved');
    expect(decided.map(({ data }) => data)).toEqual([
      { turn: 1, request: 'ask-1', decision: 'allow', by: ann, note: null },
      { turn: 1, request: 'ask-2', decision: 'deny', by: ann, note: 'not today' },
    ]);
  });

  it('are not reported as a hang while they wait, and are denied at their deadline', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, limits: { silenceMs: 1_000, permissionMs: 10_000 } });
    const task = await one.background();
    const turn = await one.stage.turn();
    const answer = turn.context.requestPermission(run);
    await one.event(task, 'permission-requested');
    // A late store can show the event before the runtime has armed the deadline.
    await one.quiet();
    clock.advance(9_999);
    expect(turn.context.signal.aborted).toBe(false);
    clock.advance(1);
    expect(await answer).toEqual({ allow: false, note: null });
    expect((await one.event(task, 'permission-resolved')).data).toMatchObject({
      by: { kind: 'deadline', name: 'permission' },
      decision: 'deny',
    });
    turn.finish();
    expect(await one.ended(task)).toMatchObject({ status: 'completed' });
  });

  it('D08 are withdrawn by an interrupt, and the urgent task does not wait for the person', async () => {
    await using one = await openBox();
    const task = await one.background();
    const turn = await one.stage.turn();
    const answer = turn.context.requestPermission(run);
    await one.event(task, 'permission-requested');
    await one.send({ prompt: 'urgent' });
    const urgent = await one.stage.turn();
    expect(urgent.prompt).toBe('urgent');
    expect(await answer).toMatchObject({ allow: false });
    expect(await one.box.permissionRequests()).toEqual([]);
    expect((await one.event(task, 'permission-resolved')).data).toMatchObject({
      decision: 'withdrawn',
      by: { kind: 'task' },
    });
    expect(await one.box.respond('test:one', { turn: 1, request: 'ask-1', allow: true })).toMatchObject({
      code: 'no_permission_request',
    });
    urgent.finish();
    (await one.stage.turn()).finish();
  });

  it('name their turn: an answer to a request of the same name in an earlier turn is refused', async () => {
    await using one = await openBox();
    await one.background();
    const first = await one.stage.turn();
    void first.context.requestPermission(run);
    await one.send({ prompt: 'urgent' });
    (await one.stage.turn()).finish();
    const task = await one.stage.turn();
    const answer = task.context.requestPermission({ ...run, title: 'rm -rf x' });
    await one.quiet();
    expect(await one.box.respond('test:one', { turn: 1, request: 'ask-1', allow: true })).toMatchObject({
      code: 'no_permission_request',
    });
    const [open] = await one.box.permissionRequests();
    expect(open).toMatchObject({ turn: 3, request: 'ask-1', title: 'rm -rf x' });
    await one.box.respond('test:one', { turn: 3, request: 'ask-1', allow: false });
    expect(await answer).toMatchObject({ allow: false });
    task.finish();
  });

  it('have a detail of any size on the tape, and a large one nowhere else', async () => {
    await using one = await openBox();
    const task = await one.background();
    const turn = await one.stage.turn();
    void turn.context.requestPermission(run, { detail: { text: 'x'.repeat(20_000) } });
    const event = await asked(one, task);
    expect(JSON.stringify(event.data).length).toBeGreaterThan(20_000);
    expect((await one.box.permissionRequests())[0]).toMatchObject({ title: 'npm test', detail: null });
    await one.box.cancel(task);
  });

  it('of an unknown session are refused', async () => {
    await using one = await openBox();
    expect(await one.box.respond('no:such', { turn: 1, request: 'x', allow: true })).toMatchObject({
      code: 'unknown_session',
    });
  });
});

it('permission requests of a real process are judged, answered by a person, and withdrawn by an interrupt', async () => {
  await using one = await openBox({ agent: scriptedDriver({ chunkMs: 0 }) });
  const triage = await one.send({ prompt: '[[ask:read:look]] [[ask:npm test]]' });
  await one.ended(triage);
  const decisions = (await one.tape(triage)).filter(({ type }) => type === 'permission-resolved');
  expect(decisions.map(({ data }) => data)).toMatchObject([
    { decision: 'allow', by: policyActor },
    { decision: 'deny', by: policyActor },
  ]);
  // A late store has the event on the tape before it answers the commit; the view shows what was answered.
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  const stop = one.box.listen({ all: true }, (events) => {
    if (events.some(({ type }) => type === 'permission-requested')) {
      resolve();
    }
  });
  const back = await one.background({ prompt: '[[ask:npm test]] [[ask:npm publish]]' });
  await requested;
  stop();
  const [open] = await one.box.permissionRequests();
  expect(open).toMatchObject({ title: 'npm test', kind: 'execute' });
  await one.box.respond('test:one', { turn: open?.turn ?? 0, request: open?.request ?? '', allow: true });
  await one.event(back, 'permission-requested', ({ data }) => JSON.stringify(data).includes('npm publish'));
  const urgent = await one.send({ prompt: '[[text:urgent]]' });
  expect(await one.ended(urgent)).toMatchObject({ status: 'completed' });
  const told = (await one.tape(back)).filter(({ type }) => type === 'permission-resolved').map(({ data }) => data);
  expect(told.slice(0, 2)).toMatchObject([
    { decision: 'allow' },
    { decision: 'withdrawn', by: { kind: 'task', name: urgent } },
  ]);
  await one.box.cancel(back);
});

describe('a turn that ends without text after a denial', () => {
  const notices = async (one: Box, task: string): Promise<unknown[]> =>
    (await one.tape(task)).flatMap((event) =>
      event.type === 'output' && event.data.part.kind === 'notice' ? [event.data.part] : [],
    );

  it('is answered by Signalbox, with the denied action and how to allow it', async () => {
    await using one = await openBox();
    const task = await one.send({});
    const turn = await one.stage.turn();
    expect(await verdicts(one, turn, [run, edit])).toEqual([false, false]);
    turn.finish('');
    const { status, final } = await one.ended(task);
    const text =
      '[signalbox] The agent ended its turn without an answer after a denial: `Bash: npm test` (by the policy), ' +
      '`Write: src/a.ts` (by the policy). To allow it, add the rule `Bash(npm test)` to `allow` in the permissions of ' +
      'the task or of its lane.';
    expect({ status, text: final?.answer?.text }).toEqual({ status: 'completed', text });
    expect(await notices(one, task)).toEqual([
      { kind: 'notice', code: 'denied', message: text, detail: { actions: [run, edit] } },
    ]);
  });

  it('names the person who decided, and what to do then', async () => {
    await using one = await openBox({ permissions: { interactive: { mode: 'ask', allow: [], deny: [] } } });
    const task = await one.send({});
    const turn = await one.stage.turn();
    const answer = turn.context.requestPermission(run);
    const { data } = await asked(one, task);
    await one.box.respond('test:one', { turn: data.turn, request: data.request, allow: false, by: ann });
    expect(await answer).toMatchObject({ allow: false });
    turn.finish('');
    const { final } = await one.ended(task);
    expect(final?.answer?.text).toMatch(/`Bash: npm test` \(by a person, .*send the task again and approve/);
  });

  it('keeps the words of the agent where it has any, and stays empty where nothing was denied', async () => {
    await using one = await openBox();
    const spoken = await one.send({});
    const first = await one.stage.turn();
    await verdicts(one, first, [run]);
    first.finish('I was not allowed to.');
    expect(await one.ended(spoken)).toMatchObject({ final: { answer: { text: 'I was not allowed to.' } } });
    const silent = await one.send({});
    const second = await one.stage.turn();
    expect(await verdicts(one, second, [read])).toEqual([true]);
    second.finish('');
    expect(await one.ended(silent)).toMatchObject({ final: { answer: { text: '' } } });
    expect([...(await notices(one, spoken)), ...(await notices(one, silent))]).toEqual([]);
  });

  it('says nothing of itself in a turn that is interrupted', async () => {
    await using one = await openBox({ permissions: { background: { mode: 'read-only', allow: [], deny: [] } } });
    const back = await one.background();
    await verdicts(one, await one.stage.turn(), [run]);
    await one.send({});
    (await one.stage.turn()).finish();
    expect(await one.event(back, 'turn-ended')).toMatchObject({ data: { outcome: 'preempted', textLength: 0 } });
    (await one.stage.turn()).finish('done');
    await one.ended(back);
    expect(await notices(one, back)).toEqual([]);
  });

  it('is so with Copilot CLI, which says nothing after a denial', async () => {
    using player = acpPlayer('copilot');
    await using one = await openBox({ agent: player.driver() });
    const task = await one.send({ prompt: '[[ask:touch made.txt]]' });
    const { status, final } = await one.ended(task);
    expect(status).toBe('completed');
    expect(final?.answer?.text).toMatch(/^\[signalbox\] .*touch made\.txt` \(by the policy\)/);
  });
});
