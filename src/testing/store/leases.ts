/** `store/1`, `store/2`: leases, recovery, and what a reopened store knows. */
import { epoch, taskId } from '../../core/model/ids.ts';
import { ownedOf } from '../../store/errors.ts';
import type { Suite } from './api.ts';
import {
  admit,
  end,
  key,
  owner,
  ownEvent,
  parkedBy,
  running,
  sessionRecord,
  sessionRow,
  taskEvent,
  queuedEvent,
  taskRow,
  time,
  wholeTask,
} from './records.ts';

export function leases(suite: Suite): void {
  fences(suite);
  lastRows(suite);
  recovery(suite);
}

function fences({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('leases', () => {
    check('every claim gives a larger lease, and only the newest writes', async (harness) => {
      const store = await harness.open();
      const old = await owner(store, 'a');
      await old.commit(admit('t1'), taskEvent('t1', 1, queuedEvent));
      const next = await owner(store, 'a');
      expect(next.lease > old.lease).toBe(true);
      expect(await old.commit(taskEvent('t1', 2), end('t1', 3))).toEqual({ kind: 'fenced' });
      expect((await store.task(taskId('t1')))?.seq).toBe(1);
      expect((await next.commit(taskEvent('t1', 2)))?.kind).toBe('committed');
      expect((await store.stats()).lateDropped).toBe(0);
    });

    check('a write to an unclaimed session, or with an unknown lease, is fenced', async (harness) => {
      const store = await harness.open();
      const { session, lease } = await owner(store, 'a');
      const outcomes = await store.commit([
        { session: key('never'), lease: 1, records: [admit('t1')] },
        { session, lease: lease + 1, records: [admit('t2')] },
        { session, lease: 0, records: [admit('t3')] },
        { session, lease, records: [admit('t4')] },
      ]);
      expect(outcomes.map((outcome) => outcome.kind)).toEqual(['fenced', 'fenced', 'fenced', 'committed']);
      expect((await store.tasks({}, null, 10)).items.map((task) => task.row.id)).toEqual(['t4']);
    });

    check(
      'U3 a lease outlives the store; the next node gets a larger one, and commits with the old one are fenced',
      async (harness) => {
        const first = await harness.open();
        const old = await owner(first, 'a');
        await old.commit(admit('t1'), taskEvent('t1', 1, queuedEvent));
        await first.close();
        const store = await harness.open();
        const next = await owner(store, 'a');
        expect(next.lease > old.lease).toBe(true);
        const [fenced] = await store.commit([{ session: old.session, lease: old.lease, records: [end('t1', 2)] }]);
        expect(fenced).toEqual({ kind: 'fenced' });
        await next.commit(end('t1', 2, 'cancelled'));
        const finals = (await store.tape(key('a'), taskId('t1'), 0, 9)).filter((event) => event.type === 'final');
        expect(finals.length).toBe(1);
      },
    );
  });
}

function lastRows({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('the rows of the last commit', () => {
    check('a claim hands over the session as its last commit left it', async (harness) => {
      const store = await harness.open();
      const a = await owner(store, 'a');
      expect(await store.claim(key('new'))).toEqual({ lease: 1, row: null, seq: 0, open: [] });
      const row = sessionRow(key('a'), {
        epoch: epoch(3),
        conversation: 'c',
        hold: { task: taskId('t2'), epoch: epoch(3), sent: null, permissionRequests: [] },
      });
      await a.commit(...wholeTask('t1'), admit('t2'), admit('t3'), taskEvent('t3', 1, queuedEvent), ownEvent(1));
      await a.commit(running('t2'), { type: 'session', at: time, session: row });
      const claimed = await store.claim(key('a'));
      expect(claimed).toEqual({
        lease: a.lease + 1,
        row,
        seq: 1,
        open: [
          { row: taskRow(taskId('t2'), { status: 'running', stage: 'owner' }), seq: 0 },
          { row: taskRow(taskId('t3')), seq: 1 },
        ],
      });
    });

    check('the last of several rows in one commit counts', async (harness) => {
      const store = await harness.open();
      const { session, commit } = await owner(store, 'a');
      const row = (ord: number) =>
        ({ type: 'task', at: time, task: taskRow(taskId('t1'), { position: ord }) }) as const;
      await commit(
        admit('t1'),
        row(2),
        row(3),
        sessionRecord(session, { admissions: 5 }),
        sessionRecord(session, { admissions: 6 }),
      );
      const claimed = ownedOf(await store.claim(session), session);
      expect([claimed.row?.admissions, claimed.open[0]?.row.position]).toEqual([6, 3]);
    });
  });
}

function recovery({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('recovery', () => {
    check('a reopened store has every commit, and nothing else', async (harness) => {
      const first = await harness.open();
      const a = await owner(first, 'a');
      await a.commit(
        ...wholeTask('t1'),
        admit('t2', { idempotencyKey: 'k' }),
        taskEvent('t2', 1),
        sessionRecord(key('a')),
      );
      await a.commit(taskEvent('t1', 4));
      const seen = async (store: typeof first) => [
        await store.task(taskId('t1')),
        await store.task(taskId('t2')),
        await store.feed(null, null, 99),
        await store.session(key('a')),
        await store.taskByIdempotencyKey('api', 'k'),
        { ...(await store.stats()), bytes: 0 },
      ];
      const before = await seen(first);
      await first.close();
      const store = await harness.open();
      expect(await seen(store)).toEqual(before);
      const next = await owner(store, 'a');
      const outcome = await next.commit(taskEvent('t2', 2));
      expect(outcome?.kind === 'committed' ? outcome.events.map((event) => event.position) : outcome).toEqual([
        await store.feedEnd(null),
      ]);
    });

    check('T05 recovery finds each session with open tasks or a parked mark once', async (harness) => {
      const store = await harness.open();
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
      for (const name of names) {
        const { session, commit } = await owner(store, name);
        if (name === 'a') {
          await commit(admit('ta1'), admit('ta2'), running('ta2'), sessionRecord(session));
        }
        if (name === 'b') {
          await commit(...wholeTask('tb'), sessionRecord(session));
        }
        if (name === 'c') {
          await commit(...wholeTask('tc'), sessionRecord(session, { parked: parkedBy('by hand') }));
        }
        if (name === 'd') {
          await commit(admit('td'), running('td'), sessionRecord(session, { parked: parkedBy('too') }));
        }
        if (name === 'f') {
          await commit(admit('tf'), sessionRecord(session, { parked: parkedBy('x') }), sessionRecord(session));
        }
        if (name === 'g') {
          await commit(sessionRecord(session, { parked: parkedBy('x') }));
          await commit(sessionRecord(session));
        }
      }
      for (let limit = 1; limit <= 5; limit += 1) {
        const found: string[] = [];
        let cursor: string | null = null;
        do {
          const page: Awaited<ReturnType<typeof store.openSessions>> = await store.openSessions(cursor, limit);
          found.push(...page.items);
          cursor = page.cursor;
        } while (cursor !== null);
        expect(found).toEqual(['a', 'c', 'd', 'f']);
      }
    });
  });
}
