/** Bounds on open tasks: a source cannot fill the daemon, and the count stays right however a task ends. */
import { describe, expect, it } from 'vitest';
import type { SubmitAnswer, SubmitRequest } from '../../src/runtime/index.ts';
import { shareOf } from '../../src/runtime/shares.ts';
import { Pace } from '../../src/runtime/pace.ts';
import { openBox, type Box } from '../support/box.ts';
import { rejectingStore } from '../support/rejecting-store.ts';

const open = async (one: Box) => (await one.box.stats()).openTasks;

/** Open tasks by source as the store has them: another witness of what is counted. */
async function stored(one: Box): Promise<{ readonly [source: string]: number }> {
  const counts: { [source: string]: number } = {};
  for (let cursor: string | null = null; ;) {
    const page = await one.box.tasks({ status: ['queued', 'running'] }, cursor, 500);
    for (const { payload } of page.items) {
      const source = shareOf(payload.source);
      counts[source] = (counts[source] ?? 0) + 1;
    }
    cursor = page.cursor;
    if (cursor === null) {
      return counts;
    }
  }
}

async function expectCounted(one: Box): Promise<void> {
  const { open: total, sources } = await open(one);
  const counted = Object.fromEntries(sources.map((each) => [each.source, each.open]));
  const inStore = await stored(one);
  expect([counted, total]).toEqual([inStore, Object.values(inStore).reduce((sum, count) => sum + count, 0)]);
}

const kinds = (answers: readonly SubmitAnswer[]): readonly string[] =>
  answers.map((answer) => (answer.kind === 'refused' ? answer.code : answer.kind));

describe('G08: shares', () => {
  it('a flood of one source is refused at its bound, and other sources are still accepted', async () => {
    await using one = await openBox({ limits: { maxOpenPerSource: 3, maxOpenTasks: 5 } });
    const submit = (source: string, session: string): Promise<SubmitAnswer> =>
      one.box.submit({ session, prompt: 'flood', source, lane: 'background' });
    const flood = await Promise.all(
      Array.from({ length: 50 }, (_, index) => submit(`github:acme/app#${index}`, `session:${index}`)),
    );
    expect(kinds(flood).filter((kind) => kind === 'accepted')).toHaveLength(3);
    expect(flood.at(-1)).toMatchObject({
      kind: 'refused',
      code: 'source_full',
      full: { what: 'source', name: 'github:acme/app', open: 3, limit: 3, retryAfterMs: 30_000 },
    });
    expect(kinds([await submit('api', 'a'), await submit('hook:alerts', 'b')])).toEqual(['accepted', 'accepted']);
    expect(await submit('cli', 'c')).toMatchObject({
      code: 'daemon_full',
      full: { what: 'daemon', name: null, open: 5, limit: 5 },
    });
    expect((await one.box.stats()).counters).toMatchObject({ refused_source_full: 47, refused_daemon_full: 1 });
    await expectCounted(one);
  });

  it('shares/3: the last tenth, of a source and in all, is for interactive tasks', async () => {
    await using one = await openBox({ limits: { maxOpenPerSource: 10, maxOpenTasks: 20 } });
    const submit = (source: string, lane: 'interactive' | 'background'): Promise<SubmitAnswer> =>
      one.box.submit({ session: source, prompt: 'flood', source, lane });
    for (let sent = 0; sent < 9; sent += 1) {
      expect(kinds([await submit('a', 'background'), await submit('b', 'background')])).toEqual([
        'accepted',
        'accepted',
      ]);
    }
    expect(await submit('a', 'background')).toMatchObject({ code: 'source_full', full: { open: 9, limit: 9 } });
    expect(await submit('c', 'background')).toMatchObject({ code: 'daemon_full', full: { open: 18, limit: 18 } });
    expect(kinds([await submit('a', 'interactive'), await submit('c', 'interactive')])).toEqual([
      'accepted',
      'accepted',
    ]);
    expect(await submit('c', 'interactive')).toMatchObject({ code: 'daemon_full', full: { open: 20, limit: 20 } });
  });

  it('shares/2: a source with any characters counts as itself, and no longer when its task has ended', async () => {
    await using one = await openBox();
    const source = 'api\u0000";[\u0000x';
    const answer = await one.box.submit({ session: 's', prompt: 'p', source });
    expect((await open(one)).sources).toEqual([{ source, open: 1 }]);
    (await one.stage.turn()).finish();
    await one.ended(answer.kind === 'accepted' ? answer.task : '');
    expect((await open(one)).sources).toEqual([]);
  });

  it('a part of a source counts with it, and a mark at the beginning does not name one', () => {
    expect(['github:a/b#12/review-7', 'github:a/b@3f2a', 'hook:alerts', '#general', '@me#x'].map(shareOf)).toEqual([
      'github:a/b',
      'github:a/b',
      'hook:alerts',
      '#general',
      '@me#x',
    ]);
  });

  it('a repeat of an accepted submit is answered with its task, also when all is full', async () => {
    await using one = await openBox({ limits: { maxOpenPerSource: 1, maxOpenTasks: 1 } });
    const request = { session: 's', prompt: 'once', idempotencyKey: 'k' };
    const first = await one.box.submit(request);
    const again = await Promise.all([one.box.submit(request), one.box.submit(request)]);
    expect([first, ...again].map((answer) => answer.kind === 'accepted' && answer.duplicate)).toEqual([
      false,
      true,
      true,
    ]);
    expect(kinds([await one.box.submit({ ...request, idempotencyKey: 'other' })])).toEqual(['source_full']);
    // What was refused leaves its key free.
    (await one.stage.turn()).finish();
    await one.ended(first.kind === 'accepted' ? first.task : '');
    expect(kinds([await one.box.submit({ ...request, idempotencyKey: 'other' })])).toEqual(['accepted']);
  });

  it('a full session is refused with what is full and when a task may end', async () => {
    await using one = await openBox({ limits: { maxOpen: 2 } });
    const submit = () => one.box.submit({ session: 's', prompt: 'p' });
    expect(kinds([await submit(), await submit()])).toEqual(['accepted', 'accepted']);
    expect(await submit()).toMatchObject({
      code: 'queue_full',
      full: { what: 'session', name: 's', open: 2, limit: 2, retryAfterMs: 30_000 },
    });
    await expectCounted(one);
  });

  it('what is open counts after a restart, and no longer when it has ended', async () => {
    const limits = { maxOpenPerSource: 3, maxOpenTasks: 4 };
    const before = await openBox({ limits });
    const tasks = [
      await before.background({ source: 'a#1', session: 's' }),
      await before.background({ source: 'a#2', session: 's' }),
      await before.background({ source: 'a', session: 't', permissions: { mode: 'read-only' } }),
      await before.background({ source: 'b', session: 't' }),
    ];
    await using one = await before.reopen();
    await expectCounted(one);
    expect(await open(one)).toMatchObject({
      open: 4,
      sources: [
        { source: 'a', open: 3 },
        { source: 'b', open: 1 },
      ],
    });
    expect(kinds([await one.box.submit({ session: 'u', prompt: 'p', source: 'a@9' })])).toEqual(['source_full']);
    expect(kinds([await one.box.submit({ session: 'u', prompt: 'p', source: 'c' })])).toEqual(['daemon_full']);
    for (const task of tasks) {
      await one.box.cancel(task);
      await one.ended(task);
    }
    expect(await open(one)).toMatchObject({ open: 0, sources: [] });
  });

  it('a submit that is not stored gives its place back', async () => {
    let failing = false;
    const faults = {
      at: (point: string) => {
        if (failing && point === 'store.after-write') {
          throw new Error('the disk is full');
        }
      },
    };
    await using one = await openBox({ faults, limits: { maxOpenPerSource: 1, maxOpenTasks: 1 } });
    failing = true;
    await expect(one.box.submit({ session: 's', prompt: 'p' })).rejects.toThrow('the disk is full');
    failing = false;
    expect(kinds([await one.box.submit({ session: 's', prompt: 'p', whenBusy: 'reject' })])).toEqual(['accepted']);
    expect(kinds([await one.box.submit({ session: 's', prompt: 'p' })])).toEqual(['source_full']);
    await expectCounted(one);
  });

  it('a session that the store rejects is counted once when it is opened again', async () => {
    const { store, reject } = rejectingStore('s');
    await using one = await openBox({ store });
    const task = await one.background({ session: 's' });
    reject();
    await expect(one.box.submit({ session: 's', prompt: 'p' })).rejects.toThrow('a second writer');
    await one.box.explain(task);
    await expectCounted(one);
    expect(await open(one)).toMatchObject({ open: 1 });
    await one.box.cancel(task);
    expect(await open(one)).toMatchObject({ open: 0 });
  });

  it.each([1, 2, 3, 4])('the count is that of the store under any verbs, seed %i', async (seed) => {
    let one = await openBox({ limits: { collectMs: 1, maxOpen: 12, maxOpenPerSource: 9, maxOpenTasks: 20 } });
    let state = seed * 2_654_435_761;
    const pick = <T>(list: readonly [T, ...T[]]): T => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return list[Math.floor((state / 2 ** 32) * list.length)] ?? list[0];
    };
    const tasks: string[] = [];
    const submit = async (): Promise<void> => {
      const request: SubmitRequest = {
        session: pick(['s', 't']),
        prompt: 'p',
        source: pick(['a', 'a#1', 'b', 'c@2']),
        lane: pick(['interactive', 'background']),
        whenBusy: pick(['preempt', 'enqueue', 'steer', 'collect', 'replace', 'interrupt', 'reject']),
        onLost: pick(['retry', 'fail']),
        idempotencyKey: pick([null, null, 'k1', 'k2']),
      };
      const answer = await one.box.submit(request);
      if (answer.kind === 'accepted') {
        tasks.push(answer.task);
      }
    };
    const verbs: readonly [() => Promise<unknown>, ...(() => Promise<unknown>)[]] = [
      submit,
      submit,
      submit,
      () => Promise.all([submit(), submit(), submit()]),
      async () => (one.stage.unplayed > 0 ? (await one.stage.turn()).finish() : undefined),
      async () => (one.stage.unplayed > 0 ? (await one.stage.turn()).fail('broken') : undefined),
      async () => tasks.length > 0 && one.box.cancel(pick([tasks[0] ?? '', ...tasks])),
      async () => tasks.length > 0 && one.box.move(pick([tasks[0] ?? '', ...tasks]), { lane: 'background' }),
      () => one.box.stop(pick(['s', 't']), pick(['turn', 'queue', 'session'])),
      () => one.box.evict(pick(['s', 't'])),
      async () => (one = await one.reopen()),
    ];
    for (let step = 0; step < 120; step += 1) {
      await pick(verbs)();
      await one.quiet();
      await expectCounted(one);
    }
    await one.box.stop('s', 'session');
    await one.box.stop('t', 'session');
    await one[Symbol.asyncDispose]();
  });
});

describe('the pace at which tasks end', () => {
  it('is unknown at first, follows the intervals, and grows when no task ends', () => {
    const pace = new Pace();
    expect(pace.nextMs(0)).toBe(30_000);
    pace.ended(0);
    expect(pace.nextMs(5)).toBe(30_000);
    pace.ended(10_000);
    expect(pace.nextMs(10_001)).toBe(10_000);
    pace.ended(15_000);
    expect(pace.nextMs(15_000)).toBe(9_000);
    expect(pace.nextMs(55_000)).toBe(40_000);
    expect(pace.nextMs(10_000_000)).toBe(300_000);
    for (let times = 0; times < 100; times += 1) {
      pace.ended(15_000);
    }
    expect(pace.nextMs(15_000)).toBe(1_000);
  });
});
