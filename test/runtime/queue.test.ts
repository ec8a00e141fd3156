import { describe, expect, it } from 'vitest';
import { defaultLimits, type SubmitRequest } from '../../src/runtime/index.ts';
import { expectSound, loopPasses, openBox } from '../support/box.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** An event is published before the runtime forgets the session: a message may come before, in between, and after. */
const moments: readonly { readonly when: string; readonly wait: (() => Promise<void>) | null }[] = [
  { when: 'at once', wait: null },
  ...[1, 2, 3, 5, 8].map((count) => ({ when: `${count} microtasks later`, wait: () => microtasks(count) })),
  ...[1, 2, 3, 20].map((count) => ({ when: `${count} passes later`, wait: () => loopPasses(count) })),
];

async function microtasks(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    await Promise.resolve();
  }
}

describe('queues, follow-ups and commands', () => {
  it('D03 a message that arrives between the result and the release is neither lost nor run twice', async () => {
    await using one = await openBox();
    const sent: Promise<string>[] = [];
    let left = 20;
    const stop = one.box.listen({ all: true }, (events) => {
      for (const event of events) {
        // Sent from within the pass that published the end of the turn before.
        if (event.type === 'turn-ended' && left > 0) {
          left -= 1;
          sent.push(one.send({ prompt: `follow-up ${left}` }));
        }
      }
    });
    await one.send({ prompt: 'first' });
    for (let turns = 0; turns < 21; turns += 1) {
      (await one.stage.turn()).finish();
    }
    for (const task of await Promise.all(sent)) {
      expectSound(await one.ended(task), await one.tape(task));
    }
    stop();
    expect(one.stage.prompts).toHaveLength(21);
    expect(new Set(one.stage.prompts).size).toBe(21);
  });

  it('a text that is edited while its agent waits to start is the text that the agent gets', async () => {
    await using one = await openBox({ limits: { maxAgents: 1 } });
    await one.send({ session: 'test:other', prompt: 'other' });
    const other = await one.stage.turn();
    const task = await one.send({ prompt: 'old' });
    await one.event(task, 'granted');
    expect(await one.box.edit(task, { prompt: 'new' })).toEqual({ kind: 'ok' });
    other.finish();
    const turn = await one.stage.turn();
    expect(turn.prompt).toBe('new');
    expect(await one.box.edit(task, { prompt: 'late' })).toMatchObject({ code: 'text_sent' });
    expect(await one.box.move(task, { where: 'last' })).toMatchObject({ code: 'turn_sent' });
    turn.finish();
    expect(await one.ended(task)).toMatchObject({ status: 'completed', payload: { prompt: 'new' } });
  });

  it('an owner that is moved while its agent waits to start lets the next task go first', async () => {
    await using one = await openBox({ limits: { maxAgents: 1 } });
    await one.send({ session: 'test:other', prompt: 'other' });
    const other = await one.stage.turn();
    const first = await one.send({ prompt: 'first' });
    const second = await one.send({ prompt: 'second' });
    await one.event(first, 'granted');
    expect(await one.box.move(first, { where: 'last' })).toEqual({ kind: 'ok' });
    other.finish();
    for (const prompt of ['second', 'first']) {
      const turn = await one.stage.turn();
      expect(turn.prompt).toContain(prompt);
      turn.finish();
    }
    expectSound(await one.ended(second), await one.tape(second));
    expectSound(await one.ended(first), await one.tape(first));
  });

  it('a background task that is moved to the interactive lane interrupts the background turn', async () => {
    await using one = await openBox();
    await one.background();
    const turn = await one.stage.turn();
    const task = await one.background({ prompt: 'promoted' });
    expect(await one.box.move(task, { lane: 'interactive' })).toEqual({ kind: 'ok' });
    await turn.interrupted;
    const next = await one.stage.turn();
    expect(next.prompt).toBe('promoted');
    next.finish();
    expect(await one.ended(task)).toMatchObject({ status: 'completed', row: { whenBusy: 'preempt' } });
  });

  it('D04 five messages during one turn: five are kept', async () => {
    await using one = await openBox();
    await one.send({ prompt: 'owner' });
    const owner = await one.stage.turn();
    const prompts = ['1', '2', '3', '4', '5'];
    const tasks = await Promise.all(prompts.map((prompt) => one.send({ prompt })));
    owner.finish();
    for (const prompt of prompts) {
      const turn = await one.stage.turn();
      expect(turn.prompt).toBe(prompt);
      turn.finish();
    }
    for (const task of tasks) {
      expect(await one.ended(task)).toMatchObject({ status: 'completed' });
    }
  });

  it('D05 a message to a full queue is refused, and accepted messages stay', async () => {
    await using one = await openBox({ limits: { maxOpen: 2 } });
    const first = await one.send({ prompt: 'first' });
    const turn = await one.stage.turn();
    const second = await one.send({ prompt: 'second' });
    expect(await one.box.submit({ session: 'test:one', prompt: 'third' })).toMatchObject({
      kind: 'refused',
      code: 'queue_full',
    });
    turn.finish();
    (await one.stage.turn()).finish();
    expect(await one.ended(first)).toMatchObject({ status: 'completed' });
    expect(await one.ended(second)).toMatchObject({ status: 'completed' });
  });

  it('D06 a steered message that the turn did not take returns to the queue and runs, and its tape says so', async () => {
    await using one = await openBox();
    one.stage.takesSteering = false;
    const owner = await one.send({ prompt: 'owner' });
    const turn = await one.stage.turn();
    await one.event(owner, 'turn-started');
    const steered = await one.send({ prompt: 'steer', whenBusy: 'steer' });
    await one.event(steered, 'requeued');
    turn.finish();
    (await one.stage.turn()).finish();
    expect(await one.ended(steered)).toMatchObject({ status: 'completed', reason: 'completed' });
    expect(await one.types(steered)).toContain('requeued');
  });

  it('D06 a steered message that was taken ends with the turn that took it', async () => {
    await using one = await openBox();
    const owner = await one.send({ prompt: 'owner' });
    const turn = await one.stage.turn();
    await one.event(owner, 'turn-started');
    const steered = await one.send({ prompt: 'also this', whenBusy: 'steer' });
    await one.event(steered, 'steered', ({ data }) => data.delivered);
    turn.finish();
    expect(await one.ended(steered)).toMatchObject({ status: 'completed', reason: 'answered_with' });
    expect(one.stage.steered).toEqual(['also this']);
    expect(one.stage.prompts).toHaveLength(1);
  });

  it('a steered message that was read fails with the lost turn, if it must not run twice', async () => {
    await using one = await openBox();
    const owner = await one.send({ prompt: 'owner' });
    await one.stage.turn();
    await one.event(owner, 'turn-started');
    const once = await one.send({ prompt: 'pay', whenBusy: 'steer', onLost: 'fail' });
    const again = await one.send({ prompt: 'look', whenBusy: 'steer' });
    await one.event(once, 'steered', ({ data }) => data.delivered);
    await one.event(again, 'steered', ({ data }) => data.delivered);
    expect(await one.box.task(once)).toMatchObject({ status: 'running' });
    await using two = await one.reopen({ graceMs: 0 });
    expect(await two.ended(once)).toMatchObject({ status: 'failed', reason: 'node_restarted' });
    (await two.stage.turn()).finish();
    const turn = await two.stage.turn();
    expect(turn.prompt).toMatch(/^\[signalbox\].*\n\nlook$/);
    turn.finish();
    expect(await two.ended(again)).toMatchObject({ status: 'completed', reason: 'completed' });
    expectSound(await two.ended(again), await two.tape(again));
  });

  it('three hundred pieces become one turn, and each has its answer, in slices', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, limits: { collectMs: 300, maxOpen: 400 } });
    const sent = Array.from({ length: 300 }, (_, at) => one.send({ prompt: `part ${at}`, whenBusy: 'collect' }));
    const tasks = await Promise.all(sent);
    await one.quiet();
    clock.advance(300);
    const turn = await one.stage.turn();
    expect(turn.prompt.split('\n\n')).toHaveLength(300);
    const [first = ''] = tasks;
    const leader = await one.box.task(first);
    expect(leader === null ? [] : await one.box.mergedTasks(leader)).toEqual(tasks.slice(1));
    expect(await one.box.task(tasks.at(-1) ?? '')).toMatchObject({ status: 'running', row: { mergedInto: first } });
    turn.finish('all of it');
    for (const task of tasks) {
      expect(await one.ended(task)).toMatchObject({ status: 'completed', final: { answer: { text: 'all of it' } } });
    }
    expect(one.stage.prompts).toHaveLength(1);
  });

  it('a cancel of the first piece leaves the others in one turn, and their window open', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, limits: { collectMs: 60 } });
    const first = await one.send({ prompt: '1', whenBusy: 'collect' });
    const second = await one.send({ prompt: '2', whenBusy: 'collect' });
    await one.box.cancel(first);
    const third = await one.send({ prompt: '3', whenBusy: 'collect' });
    expect((await one.box.explain(third))?.summary).toContain(`merged into task ${second}`);
    await one.quiet();
    clock.advance(60);
    const turn = await one.stage.turn();
    expect(turn.prompt).toBe('2\n\n3');
    turn.finish();
    expect(await one.ended(third)).toMatchObject({ status: 'completed' });
  });

  it('D07 the pieces of an album become one turn, in order, each part once', async () => {
    const clock = new ManualClock();
    await using one = await openBox({ clock, limits: { collectMs: 60 } });
    const parts = ['part 1', 'part 2', 'part 3', 'part 4'];
    const tasks: string[] = [];
    for (const prompt of parts) {
      tasks.push(await one.send({ prompt, whenBusy: 'collect', source: 'chat', author: 'ann' }));
    }
    const other = await one.send({ prompt: 'other', whenBusy: 'collect', source: 'elsewhere' });
    await one.quiet();
    clock.advance(60);
    const turn = await one.stage.turn();
    expect(turn.prompt).toBe(parts.map((part) => `ann: ${part}`).join('\n\n'));
    turn.finish();
    expect((await one.stage.turn()).prompt).toBe('other');
    for (const task of tasks) {
      const ended = await one.ended(task);
      expect(ended.status).toBe('completed');
      expectSound(ended, await one.tape(task));
    }
    await one.box.cancel(other);
  });

  it('D08 a cancel of the owner does not wait for the queue', async () => {
    await using one = await openBox();
    const owner = await one.send({ prompt: 'owner' });
    await one.stage.turn();
    for (let at = 0; at < 10; at += 1) {
      await one.send({ prompt: `waiting ${at}` });
    }
    const receipt = await one.box.cancel(owner, { by: { kind: 'person', name: 'ann' } });
    expect(receipt).toMatchObject({ kind: 'receipt', receipt: { state: 'requested', turn: 1 } });
    expect(await one.ended(owner)).toMatchObject({ status: 'cancelled', reason: 'cancelled' });
    await one.box.stop('test:one', 'session');
  });

  it('D09 a stop of the queue leaves the turn, and a stop of the session ends both and reports what still runs', async () => {
    await using one = await openBox();
    const owner = await one.send({ prompt: 'owner' });
    await one.stage.turn();
    const waiting = [await one.send({ prompt: 'a' }), await one.background({ prompt: 'b' })];
    const queue = await one.box.stop('test:one', 'queue', { kind: 'person', name: 'ann' });
    expect(queue.kind === 'receipts' && queue.receipts.map((receipt) => receipt.task).toSorted()).toEqual(
      waiting.toSorted(),
    );
    for (const task of waiting) {
      expect(await one.ended(task)).toMatchObject({ status: 'cancelled', reason: 'stopped' });
    }
    expect(await one.box.task(owner)).toMatchObject({ status: 'running' });
    const later = await one.send({ prompt: 'later' });
    const session = await one.box.stop('test:one', 'session');
    expect(session).toMatchObject({
      receipts: [
        { task: later, state: 'acknowledged' },
        { task: owner, state: 'requested', turn: 1 },
      ],
    });
    expect(await one.ended(owner)).toMatchObject({ status: 'cancelled' });
    expect(one.stage.prompts).toEqual(['owner']);
  });

  it('D10 tasks of two keys for one session run one after the other', async () => {
    const aliases: { readonly [key: string]: string } = { 'chat:room-7': 'github:acme/app' };
    await using one = await openBox({ resolveSession: (key) => aliases[key] ?? key });
    await one.send({ session: 'github:acme/app', prompt: 'first' });
    const first = await one.stage.turn();
    await one.send({ session: 'chat:room-7', prompt: 'second' });
    expect(one.stage.unplayed).toBe(0);
    first.finish();
    const second = await one.stage.turn();
    expect(second.prompt).toBe('second');
    expect(second.context.session).toBe('github:acme/app');
    second.finish();
  });

  describe.each([
    { after: 'its task has ended', type: 'final' },
    { after: 'its agent has gone', type: 'agent-exited' },
  ] as const)('D12 after $after', ({ type }) => {
    it.each(moments)(
      'an idle session starts a turn within a few passes for a message that comes $when',
      async ({ wait }) => {
        // Time stands still: a timer of the runtime never fires, and any other timer fires too late.
        const clock = new ManualClock();
        await using one = await openBox({ clock });
        const task = await one.send({ prompt: 'first' });
        const first = await one.stage.turnWithin(100);
        const second = new Promise<string>((resolve, reject) => {
          const stop = one.box.listen({ all: true }, (events) => {
            if (events.some((event) => event.type === type)) {
              stop();
              const send = (): Promise<string> => one.send({ prompt: 'second' });
              (wait === null ? send() : wait().then(send)).then(resolve, reject);
            }
          });
        });
        first.finish();
        await one.ended(task);
        if (type === 'agent-exited') {
          // The deadline of an idle agent is armed when the release is stored, which comes after the `final`.
          while ((await one.box.session('test:one'))?.owner !== null) {
            await loopPasses(1);
          }
          clock.advance(defaultLimits.agentIdleMs);
        }
        const turn = await one.stage.turnWithin(100);
        expect(turn.prompt).toBe('second');
        turn.finish();
        expect(await one.ended(await second)).toMatchObject({ status: 'completed' });
      },
    );
  });

  it('T02 a cancel before the first step ends the task at once with its final', async () => {
    await using one = await openBox();
    await one.send({ prompt: 'owner' });
    const owner = await one.stage.turn();
    const task = await one.send({ prompt: 'never' });
    await one.box.cancel(task);
    expectSound(await one.ended(task), await one.tape(task));
    expect(await one.types(task)).toEqual(['queued', 'final']);
    owner.finish();
  });

  it('U1 a second cancel, and a close after it, change nothing and return the first receipt', async () => {
    const first = await openBox();
    const task = await first.send({ prompt: 'owner' });
    const turn = await first.stage.turn();
    await first.event(task, 'turn-started');
    const receipts = await Promise.all([first.box.cancel(task), first.box.cancel(task)]);
    expect(receipts[1]).toEqual(receipts[0]);
    await turn.interrupted;
    await using again = await first.reopen();
    const ended = await again.ended(task);
    expect(ended.status).toBe('cancelled');
    expectSound(ended, await again.tape(task));
    expect(await again.box.cancel(task)).toMatchObject({ kind: 'already-terminal' });
  });

  it('T07 many submits with one idempotency key at once make one task', async () => {
    await using one = await openBox();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        // One request in two spellings.
        one.box.submit(
          at % 2 === 0
            ? { session: 's', prompt: 'once', idempotencyKey: 'k', labels: { a: '1', b: '2' } }
            : { idempotencyKey: 'k', labels: { b: '2', a: '1' }, author: null, prompt: 'once', session: 's' },
        ),
      ),
    );
    const ids = new Set(answers.map((answer) => (answer.kind === 'accepted' ? answer.task : 'refused')));
    expect(ids.size).toBe(1);
    expect(answers.filter((answer) => answer.kind === 'accepted' && !answer.duplicate)).toHaveLength(1);
    expect((await one.box.tasks({}, null, 100)).items).toHaveLength(1);
    (await one.stage.turn()).finish();
  });

  it.each<[string, Partial<SubmitRequest>]>([
    ['session', { session: 'other' }],
    ['prompt', { prompt: 'twice' }],
    ['lane', { lane: 'background' }],
    ['label', { labels: { a: '2' } }],
  ])('W07 refuses another request under the same idempotency key: another %s', async (_, change) => {
    await using one = await openBox();
    const request: SubmitRequest = { session: 's', prompt: 'once', labels: { a: '1' }, idempotencyKey: 'k' };
    const answers = await Promise.all([one.box.submit(request), one.box.submit({ ...request, ...change })]);
    const reused = { kind: 'refused', code: 'key_reused' };
    expect(answers).toMatchObject([{ kind: 'accepted', duplicate: false }, reused]);
    const again = await one.reopen();
    expect(await again.box.submit({ ...request, ...change })).toMatchObject(reused);
    expect(await again.box.submit(request)).toMatchObject({ kind: 'accepted', duplicate: true });
    // Another sender has its own keys.
    const other = await again.box.submit({ ...request, source: 'chat' });
    expect(other).toMatchObject({ kind: 'accepted', duplicate: false });
    await again[Symbol.asyncDispose]();
  });

  it('explain names the owner, the tasks ahead, and the deadline that ends each wait', async () => {
    await using one = await openBox();
    const owner = await one.send({ prompt: 'owner' });
    const turn = await one.stage.turn();
    const ahead = await one.send({ prompt: 'ahead' });
    const task = await one.background({ prompt: 'mine' });
    const why = await one.box.explain(task);
    expect(why).toMatchObject({
      owner: { task: owner, phase: 'running' },
      ahead: [ahead],
      aheadCount: 1,
      status: 'queued',
    });
    expect(why?.waitsFor.map((wait) => wait.deadline)).toEqual(expect.arrayContaining(['hold', 'silence']));
    await one.box.stop('test:one', 'queue');
    turn.finish();
    expect(await one.ended(owner)).toMatchObject({ status: 'completed' });
    expect(await one.box.explain(owner)).toMatchObject({ summary: 'The task has ended: completed (completed).' });
    expect(await one.box.explain('no-such-task')).toBeNull();
  });

  it('a follower that starts at any event reads each later event once, in order, up to final', async () => {
    await using one = await openBox();
    const task = await one.send({ prompt: 'talk' });
    const readers = [0, 2, 5].map(async (after) => {
      const seen: number[] = [];
      for await (const event of one.box.follow(task, after)) {
        seen.push(event.seq);
      }
      return seen;
    });
    const turn = await one.stage.turn();
    for (let at = 0; at < 200; at += 1) {
      turn.say(`chunk ${at}`);
    }
    turn.finish();
    const { seq } = await one.ended(task);
    const all = Array.from({ length: seq }, (_, at) => at + 1);
    expect(await Promise.all(readers)).toEqual([all, all.slice(2), all.slice(5)]);
  });
});
