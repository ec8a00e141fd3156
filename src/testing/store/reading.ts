/** `store/5`: lists, feeds, cursors, figures, processes. */
import { invariant } from '../../core/errors.ts';
import { taskStatuses } from '../../core/model/task.ts';
import { incarnation, sessionKey, taskId } from '../../core/model/ids.ts';
import type { FeedEvent, Page, Store, TaskFilter } from '../../store/port.ts';
import { codeOf, type Suite } from './api.ts';
import {
  admit,
  end,
  key,
  owner,
  ownEvent,
  running,
  sessionRecord,
  taskEvent,
  progress,
  taskRow,
  time,
  wholeTask,
} from './records.ts';

async function allPages<T>(read: (cursor: string | null) => Page<T> | Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await read(cursor);
    invariant(page.items.length > 0 || cursor === null, 'a cursor leads to at least one more item');
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  return items;
}

/** Three sessions whose tapes interleave, in 13 events: some runs end a task, some are only a `final`. */
async function interleaved(store: Store): Promise<FeedEvent[]> {
  const [a, b, c] = [await owner(store, 'a'), await owner(store, 'b'), await owner(store, 'c')];
  const commits = [
    [{ ...a, records: [admit('a1'), taskEvent('a1', 1), ownEvent(1), taskEvent('a1', 2), taskEvent('a1', 3)] }],
    [
      { ...a, records: [taskEvent('a1', 4), end('a1', 5)] },
      { ...b, records: [ownEvent(1)] },
      { ...c, records: wholeTask('c1') },
    ],
    [{ ...b, records: [admit('b1'), end('b1', 1)] }],
    [
      { ...c, records: [admit('c2')] },
      { ...b, records: [admit('b2'), taskEvent('b2', 1), taskEvent('b1', 2)] },
    ],
    [{ ...b, records: [end('b2', 2)] }],
  ];
  const published: FeedEvent[] = [];
  for (const group of commits) {
    const outcomes = await store.commit(group.map(({ session, lease, records }) => ({ session, lease, records })));
    for (const outcome of outcomes) {
      if (outcome.kind === 'committed') {
        published.push(...outcome.events);
      }
    }
  }
  return published;
}

export function reading(suite: Suite): void {
  feeds(suite);
  longFeeds(suite);
  taskLists(suite);
  sessionLists(suite);
  figures(suite);
}

function feeds({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('feeds', () => {
    check(
      'T05 a feed gives the events of the commits in their order, from any position, in pages of any size',
      async (harness) => {
        const store = await harness.open();
        const published = await interleaved(store);
        expect(published.length).toBe(13);
        expect(new Set(published.map((event) => event.position)).size).toBe(13);
        for (const session of [null, key('a'), key('b'), key('c')]) {
          const mine = published.filter((event) => session === null || event.session === session);
          expect(await store.feed(session, null, 99)).toEqual(mine);
          for (const [index, at] of published.entries()) {
            const rest = published.slice(index + 1).filter((event) => session === null || event.session === session);
            for (let limit = 1; limit <= 6; limit += 1) {
              expect(await store.feed(session, at.position, limit)).toEqual(rest.slice(0, limit));
            }
          }
          expect(await store.feedEnd(session)).toBe(mine.at(-1)?.position ?? null);
        }
      },
    );

    check('a follower at the end gets the next commit, also after the store is opened again', async (harness) => {
      const first = await harness.open();
      expect(await first.feedEnd(null)).toBe(null);
      expect(await first.feed(null, null, 9)).toEqual([]);
      await interleaved(first);
      const after = await first.feedEnd(null);
      const ofB = await first.feedEnd(key('b'));
      await first.close();
      const store = await harness.open();
      expect([await store.feedEnd(null), await store.feedEnd(key('b'))]).toEqual([after, ofB]);
      expect(await store.feed(null, after, 9)).toEqual([]);
      const a = await owner(store, 'a');
      const outcome = await a.commit(ownEvent(2));
      const events = outcome?.kind === 'committed' ? outcome.events : [];
      expect(events.length).toBe(1);
      expect(await store.feed(null, after, 9)).toEqual(events);
      expect(await store.feed(key('a'), after, 9)).toEqual(events);
      expect(await store.feed(key('b'), after, 9)).toEqual([]);
      expect(await store.feed(key('unknown'), after, 9)).toEqual([]);
      expect(await store.feedEnd(key('unknown'))).toBe(null);
    });

    check('a position that this store never gave is refused', async (harness) => {
      const store = await harness.open();
      await interleaved(store);
      const end = await store.feedEnd(null);
      for (const wrong of ['', ' ', 'x', '-1', '1.5', '0x1', '1e3', '99999999', '9'.repeat(40), `${end} `, `${end}9`]) {
        expect(await codeOf(() => store.feed(null, wrong, 9))).toBe('bad_cursor');
        expect(await codeOf(() => store.feed(key('a'), wrong, 9))).toBe('bad_cursor');
      }
    });
  });
}

function longFeeds({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('feeds of many sessions', () => {
    check('a long feed of many sessions is complete, by session and all, in pages of an odd size', async (harness) => {
      let store = await harness.open();
      let owners = [await owner(store, 'a'), await owner(store, 'b'), await owner(store, 'c')];
      const rare = await owner(store, 'rare');
      await rare.commit(ownEvent(1));
      const seqs = [0, 0, 0];
      for (const [index, { commit }] of owners.entries()) {
        await commit(admit(`t${index}`));
      }
      for (let round = 0; round < 900; round += 1) {
        if (round % 200 === 150) {
          await store.close();
          store = await harness.open();
          owners = [await owner(store, 'a'), await owner(store, 'b'), await owner(store, 'c')];
        }
        // Different lengths, so that the sessions' runs begin and end everywhere; the group's last one is a single event.
        await store.commit(
          owners.map(({ session, lease }, index) => {
            const from = seqs[index] ?? 0;
            const count = index === 2 ? 1 : ((round + index) % 4) + 1;
            seqs[index] = from + count;
            const records = Array.from({ length: count }, (_, n) =>
              taskEvent(`t${index}`, from + n + 1, progress(null)),
            );
            return { session, lease, records };
          }),
        );
      }
      await (await owner(store, 'rare')).commit(ownEvent(2));
      const total = seqs.reduce((sum, seq) => sum + seq, 2);
      const follow = async (session: ReturnType<typeof key> | null): Promise<readonly FeedEvent[]> => {
        const seen: FeedEvent[] = [];
        for (;;) {
          const page = await store.feed(session, seen.at(-1)?.position ?? null, 97);
          seen.push(...page);
          if (page.length === 0) {
            return seen;
          }
        }
      };
      const all = await follow(null);
      expect(all.length).toBe(total);
      expect((await store.stats()).events).toBe(total);
      for (const session of ['a', 'b', 'c', 'rare'].map(key)) {
        const mine = await follow(session);
        expect(mine).toEqual(all.filter((event) => event.session === session));
        expect(await store.feedEnd(session)).toBe(mine.at(-1)?.position);
        for (const task of new Set(mine.map((event) => event.task))) {
          const dense = mine.filter((event) => event.task === task).map((event) => event.seq);
          expect(dense).toEqual(dense.map((_, index) => index + 1));
        }
      }
    });
  });
}

/** 12 tasks in three sessions with every status, two lanes and two sources; the newest is number 11. */
async function fill(store: Store) {
  const owners = [await owner(store, 'a'), await owner(store, 'b'), await owner(store, 'c')];
  const statuses = taskStatuses;
  const made: { id: string; session: string; status: (typeof statuses)[number]; lane: string; source: string }[] = [];
  for (let n = 0; n < 12; n += 1) {
    const of = owners[n % 3] ?? owners[0];
    const status = statuses[n % 5] ?? 'queued';
    const lane = n % 2 === 0 ? 'interactive' : 'background';
    const source = n % 4 === 0 ? 'cli' : 'api';
    const id = `t${n}`;
    await of?.commit(admit(id, { source }, { lane }));
    if (status === 'running') {
      await of?.commit({ type: 'task', at: time, task: taskRow(taskId(id), { lane, status }) });
    } else if (status !== 'queued') {
      await of?.commit(end(id, 1, status));
    }
    made.unshift({ id, session: String(of?.session), status, lane, source });
  }
  return made;
}

function taskLists({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('lists of tasks', () => {
    check('tasks come newest first, by any filter, in pages of any size', async (harness) => {
      const store = await harness.open();
      const made = await fill(store);
      const filters: TaskFilter[] = [{}];
      for (const session of ['a', 'c', 'none']) {
        filters.push({ session: sessionKey(session) });
      }
      for (const status of [['queued'], ['completed', 'queued'], ['failed', 'failed'], []] as const) {
        filters.push({ status }, { status, session: sessionKey('b') }, { status, lane: 'background', source: 'api' });
      }
      filters.push({ lane: 'interactive' }, { source: 'cli' }, { session: sessionKey('a'), source: 'cli' });
      for (const filter of filters) {
        const expected = made.filter(
          (task) =>
            (filter.session === undefined || filter.session === task.session) &&
            (filter.status === undefined || filter.status.includes(task.status)) &&
            (filter.lane === undefined || filter.lane === task.lane) &&
            (filter.source === undefined || filter.source === task.source),
        );
        for (const limit of [1, 2, 3, 5, 50]) {
          const found = await allPages((cursor) => store.tasks(filter, cursor, limit));
          expect(found.map((task) => task.row.id)).toEqual(expected.map((task) => task.id));
          expect(found.map((task) => task.status)).toEqual(expected.map((task) => task.status));
        }
      }
    });

    check(
      'tasks are found by the beginning of their id, by words, labels and time, and by other filters too',
      async (harness) => {
        const store = await harness.open();
        const a = await owner(store, 'a');
        const b = await owner(store, 'b');
        const at = (session: typeof a, id: string, change: Parameters<typeof admit>[1], ms: number): Promise<unknown> =>
          session.commit({ ...admit(id, change), at: time + ms });
        await at(a, 'ab1', { prompt: 'Fix the Parser\nand "quotes"', labels: { pr: '7', 'a/b.c': 'x"y' } }, 0);
        await at(b, 'ab2', { prompt: 'fix the docs', labels: { pr: '7' } }, 10);
        await at(a, 'ac3', { prompt: 'NUL \0 and % and ß', labels: { pr: '8' } }, 20);
        await b.commit(end('ab2', 1));
        const found = async (filter: TaskFilter): Promise<string[]> =>
          (await allPages((cursor) => store.tasks(filter, cursor, 1))).map((task) => task.row.id);
        const cases: readonly (readonly [TaskFilter, readonly string[]])[] = [
          [{ idPrefix: 'ab' }, ['ab2', 'ab1']],
          [{ idPrefix: 'ab1' }, ['ab1']],
          [{ idPrefix: 'b' }, []],
          [{ idPrefix: 'a', session: sessionKey('a') }, ['ac3', 'ab1']],
          [{ idPrefix: 'a', session: sessionKey('none') }, []],
          [{ idPrefix: 'a', status: ['completed'] }, ['ab2']],
          [{ text: 'FIX the' }, ['ab2', 'ab1']],
          [{ text: 'parser\nand "' }, ['ab1']],
          [{ text: '%' }, ['ac3']],
          [{ text: '_' }, []],
          [{ text: 'and' }, ['ac3', 'ab1']],
          [{ text: 'fix', status: ['queued'], lane: 'interactive' }, ['ab1']],
          [{ labels: { pr: '7' } }, ['ab2', 'ab1']],
          [{ labels: { pr: '7', 'a/b.c': 'x"y' } }, ['ab1']],
          [{ labels: { none: '' } }, []],
          [{ since: time + 10 }, ['ac3', 'ab2']],
          [{ until: time + 10 }, ['ab1']],
          [{ since: time + 1, until: time + 20, text: 'docs' }, ['ab2']],
        ];
        for (const [filter, ids] of cases) {
          expect([filter, await found(filter)]).toEqual([filter, ids]);
        }
      },
    );

    check('tasks are found by the beginning of their id however many have it, newest first', async (harness) => {
      const store = await harness.open();
      const { commit } = await owner(store, 'a');
      // In an order that is not that of their ids.
      const ids = Array.from({ length: 1_200 }, (_, at) => `p${String((at * 7) % 1_200).padStart(4, '0')}`);
      await commit(admit('other'), ...ids.map((id) => admit(id)), admit('q'));
      const found = async (filter: TaskFilter, limit: number): Promise<string[]> =>
        (await allPages((cursor) => store.tasks(filter, cursor, limit))).map((task) => task.row.id);
      const newest = ids.toReversed();
      expect(await found({ idPrefix: 'p' }, 250)).toEqual(newest);
      expect(await found({ idPrefix: 'p0' }, 250)).toEqual(newest.filter((id) => id.startsWith('p0')));
      expect(await found({ idPrefix: 'p', source: 'none' }, 250)).toEqual([]);
      expect(await found({ idPrefix: 'p11' }, 7)).toEqual(newest.filter((id) => id.startsWith('p11')));
    });

    check('a page does not move when newer tasks arrive or tasks end between two pages', async (harness) => {
      const store = await harness.open();
      await fill(store);
      const first = await store.tasks({}, null, 5);
      const { commit } = await owner(store, 'a');
      await commit(admit('newer'), end('t0', 1));
      const second = await store.tasks({}, first.cursor, 5);
      expect([...first.items, ...second.items].map((task) => task.row.id)).toEqual(
        [11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((n) => `t${n}`),
      );
    });

    check('a task that is moved to the other lane is listed there', async (harness) => {
      const store = await harness.open();
      const { commit } = await owner(store, 'a');
      await commit(admit('t1'));
      await commit({ type: 'task', at: time, task: taskRow(taskId('t1'), { lane: 'background' }) }, end('t1', 1));
      expect((await store.tasks({ lane: 'background' }, null, 9)).items.length).toBe(1);
      expect((await store.tasks({ lane: 'interactive' }, null, 9)).items.length).toBe(0);
    });
  });
}

function sessionLists({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('lists of sessions', () => {
    check('sessions come newest first with what is open in them, once they have a row', async (harness) => {
      const store = await harness.open();
      for (const name of ['a', 'b', 'c']) {
        const { session, commit } = await owner(store, name);
        await commit(
          sessionRecord(session, { conversation: name }),
          admit(`${name}1`),
          running(`${name}1`),
          admit(`${name}2`),
        );
      }
      await store.claim(key('claimed only'));
      const a = await owner(store, 'a');
      await a.commit(taskEvent('a1', 1), taskEvent('a1', 2));
      const found = await allPages((cursor) => store.sessions(cursor, 2));
      expect(found.map((session) => [session.key, session.row.conversation, session.open, session.queued])).toEqual([
        ['c', 'c', 2, 1],
        ['b', 'b', 2, 1],
        ['a', 'a', 2, 1],
      ]);
      expect(found.map((session) => session.changedAt)).toEqual([time, time, time + 2]);
      await a.commit(end('a1', 3), end('a2', 1));
      expect(await store.session(key('a'))).toEqual({ ...found[2], open: 0, queued: 0, changedAt: time + 1 });
      expect(await store.session(key('claimed only'))).toBe(null);
      expect(await store.session(key('unknown'))).toBe(null);
    });

    check('a cursor that this list never gave is refused', async (harness) => {
      const store = await harness.open();
      await fill(store);
      const taken = (await store.tasks({}, null, 1)).cursor;
      const wrong = ['', 'x', 't', 't-1', 't1.5', 't01', 't1 ', 'T1', `t${'9'.repeat(20)}`, '1', 'z1'];
      for (const cursor of wrong) {
        expect(await codeOf(() => store.tasks({}, cursor, 5))).toBe('bad_cursor');
        expect(await codeOf(() => store.sessions(cursor, 5))).toBe('bad_cursor');
        expect(await codeOf(() => store.openSessions(cursor, 5))).toBe('bad_cursor');
      }
      expect(await codeOf(() => store.sessions(taken, 5))).toBe('bad_cursor');
      expect(await codeOf(() => store.openSessions(taken, 5))).toBe('bad_cursor');
    });
  });
}

function figures({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('figures and processes', () => {
    check('the figures agree with the commits', async (harness) => {
      const store = await harness.open();
      await interleaved(store);
      const { bytes, ...stats } = await store.stats();
      expect(stats).toEqual({
        tasks: { queued: 1, running: 0, completed: 4, failed: 0, cancelled: 0 },
        sessions: 0,
        events: 13,
        lateDropped: 1,
      });
      expect(bytes >= 0).toBe(true);
      const { session, commit } = await owner(store, 'c');
      await commit(running('c2'), sessionRecord(session));
      await commit(sessionRecord(session));
      const later = await store.stats();
      expect([later.sessions, later.tasks.queued, later.tasks.running]).toEqual([1, 0, 1]);
    });

    check('S08 an agent process is remembered until it is forgotten, by pid and start time', async (harness) => {
      const first = await harness.open();
      const row = { pid: 7, startTime: '100', session: key('a'), incarnation: incarnation(1), cookie: 'c1' };
      const reused = { ...row, startTime: '200', incarnation: incarnation(2) };
      await first.recordProcess(row);
      await first.recordProcess(reused);
      await first.recordProcess({ ...reused, cookie: 'c2' });
      await first.recordProcess({ ...row, pid: 5 });
      await first.close();
      const store = await harness.open();
      expect(await store.processes()).toEqual([{ ...row, pid: 5 }, row, { ...reused, cookie: 'c2' }]);
      await store.forgetProcess(7, '100');
      await store.forgetProcess(5, 'another');
      expect(await store.processes()).toEqual([
        { ...row, pid: 5 },
        { ...reused, cookie: 'c2' },
      ]);
    });

    check('a named token is stored until it is removed, and no second one has its name', async (harness) => {
      const first = await harness.open();
      const one = { name: 'b', digest: 'd1', scopes: ['read' as const], sessions: null, madeAt: 5, expiresAt: null };
      const other = { ...one, name: 'a', digest: 'd2', sessions: ['x*', 'y'], expiresAt: 9 };
      expect([await first.addToken(one), await first.addToken(other)]).toEqual([true, true]);
      expect(await first.addToken({ ...one, digest: 'd3' })).toBe(false);
      await first.close();
      const store = await harness.open();
      expect(await store.tokens()).toEqual([other, one]);
      expect([await store.removeToken('b'), await store.removeToken('b')]).toEqual([true, false]);
      expect(await store.tokens()).toEqual([other]);
    });

    check('a checkpoint changes nothing that can be read', async (harness) => {
      const store = await harness.open();
      const published = await interleaved(store);
      await store.checkpoint();
      await store.checkpoint();
      expect(await store.feed(null, null, 99)).toEqual(published);
      const { commit } = await owner(store, 'a');
      expect((await commit(ownEvent(2)))?.kind).toBe('committed');
    });
  });
}
