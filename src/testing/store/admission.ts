/** Admission: idempotency keys, payloads, groups. Rows of the corpus by id. */
import { taskId } from '../../core/model/ids.ts';
import { codeOf, type Suite } from './api.ts';
import {
  admit,
  end,
  key,
  owner,
  parkedBy,
  payload,
  sessionRecord,
  taskEvent,
  queuedEvent,
  time,
  wholeTask,
} from './records.ts';

export function admission(suite: Suite): void {
  duplicates(suite);
  accepted(suite);
}

function duplicates({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('idempotency keys', () => {
    check(
      'T07 one of several submits with one idempotency key makes a task; the others learn which one',
      async (harness) => {
        const store = await harness.open();
        const owners = await Promise.all(['a', 'b', 'c', 'd'].map((name) => owner(store, name)));
        const outcomes = await Promise.all(
          owners.map(async ({ commit }, index) =>
            commit(admit(`t${index}`, { idempotencyKey: 'k' }), taskEvent(`t${index}`, 1, queuedEvent)),
          ),
        );
        const winner = outcomes.findIndex((outcome) => outcome?.kind === 'committed');
        const told = outcomes.map((outcome) => (outcome?.kind === 'duplicate' ? outcome.task : 'committed'));
        expect(told).toEqual(outcomes.map((_, index) => (index === winner ? 'committed' : `t${winner}`)));
        expect(await store.taskByIdempotencyKey('api', 'k')).toBe(`t${winner}`);
        expect((await store.tasks({}, null, 10)).items.length).toBe(1);
        expect((await store.stats()).events).toBe(1);
      },
    );

    check(
      'T07 an idempotency key makes one task also in one group, in one commit, and after the task has ended',
      async (harness) => {
        const store = await harness.open();
        const [a, b] = [await owner(store, 'a'), await owner(store, 'b')];
        const withKey = { idempotencyKey: 'k' };
        const outcomes = await store.commit([
          { session: a.session, lease: a.lease, records: [admit('t1', withKey)] },
          { session: b.session, lease: b.lease, records: [admit('t2', withKey)] },
          { session: a.session, lease: a.lease, records: [admit('t3')] },
        ]);
        expect(outcomes.map((outcome) => outcome.kind)).toEqual(['committed', 'duplicate', 'committed']);
        const twice = await b.commit(admit('t4', { idempotencyKey: 'l' }), admit('t5', { idempotencyKey: 'l' }));
        expect(twice).toEqual({ kind: 'duplicate', source: 'api', idempotencyKey: 'l', task: 't4' });
        expect(await store.task(taskId('t4'))).toBe(null);
        await a.commit(end('t1', 1));
        expect(await b.commit(admit('t6', withKey))).toEqual({
          kind: 'duplicate',
          source: 'api',
          idempotencyKey: 'k',
          task: 't1',
        });
        expect((await store.tasks({}, null, 10)).items.map((task) => task.row.id)).toEqual(['t3', 't1']);
      },
    );

    check('W07 an idempotency key belongs to its source', async (harness) => {
      const store = await harness.open();
      const { commit } = await owner(store, 'a');
      const ofChat = { idempotencyKey: 'k', source: 'chat' };
      expect((await commit(admit('t1', { idempotencyKey: 'k' }), admit('t2', ofChat)))?.kind).toBe('committed');
      expect([await store.taskByIdempotencyKey('api', 'k'), await store.taskByIdempotencyKey('chat', 'k')]).toEqual([
        't1',
        't2',
      ]);
      expect(await commit(admit('t3', ofChat))).toEqual({
        kind: 'duplicate',
        source: 'chat',
        idempotencyKey: 'k',
        task: 't2',
      });
    });

    check('a submit without a key is not a duplicate, and an unknown key has no task', async (harness) => {
      const store = await harness.open();
      const { commit } = await owner(store, 'a');
      const outcome = await commit(admit('t1'), admit('t2'), admit('t3', { idempotencyKey: 'x' }));
      expect(outcome?.kind).toBe('committed');
      expect(await store.taskByIdempotencyKey('api', 'y')).toBe(null);
      expect(await store.task(taskId('t9'))).toBe(null);
    });

    check('the tasks that are merged into another are listed in the order of their admission', async (harness) => {
      const store = await harness.open();
      const { commit } = await owner(store, 'a');
      const [entry, other] = [taskId('t1'), taskId('t2')];
      await commit(
        admit('t1'),
        admit('t2'),
        admit('t5', {}, { mergedInto: entry }),
        admit('t4', {}, { mergedInto: entry }),
      );
      await commit(admit('t3', {}, { mergedInto: other }));
      expect(await store.mergedTasks(entry)).toEqual(['t5', 't4']);
      expect(await store.mergedTasks(taskId('t9'))).toEqual([]);
    });

    check('G02 a duplicate drops the commit of its session, and the other commits are written', async (harness) => {
      const store = await harness.open();
      const [a, b] = [await owner(store, 'a'), await owner(store, 'b')];
      await a.commit(admit('t1', { idempotencyKey: 'k' }));
      const outcomes = await store.commit([
        {
          session: b.session,
          lease: b.lease,
          records: [admit('t2'), taskEvent('t2', 1), sessionRecord(key('b')), admit('t3', { idempotencyKey: 'k' })],
        },
        { session: a.session, lease: a.lease, records: [taskEvent('t1', 1), sessionRecord(key('a'))] },
      ]);
      expect(outcomes.map((outcome) => outcome.kind)).toEqual(['duplicate', 'committed']);
      expect(await store.task(taskId('t2'))).toBe(null);
      expect(await store.session(key('b'))).toBe(null);
      expect((await store.task(taskId('t1')))?.seq).toBe(1);
      // The owner of b continues as if its commit had never been tried.
      expect((await b.commit(admit('t2'), taskEvent('t2', 1)))?.kind).toBe('committed');
    });
  });
}

function accepted({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('commits and payloads', () => {
    check('a commit that breaks a rule fails its whole group, and the error names its session', async (harness) => {
      const store = await harness.open();
      const [a, b] = [await owner(store, 'a'), await owner(store, 'b')];
      await a.commit(admit('t0', { idempotencyKey: 'old' }), taskEvent('t0', 1));
      const before = [await store.stats(), await store.feed(null, null, 99)];
      const good = {
        session: a.session,
        lease: a.lease,
        records: [
          ...wholeTask('t1'),
          admit('t2', { idempotencyKey: 'k' }),
          taskEvent('t0', 2),
          end('t0', 3),
          taskEvent('t0', 4),
          sessionRecord(key('a'), { parked: parkedBy('why') }),
        ],
      };
      const bad = { session: b.session, lease: b.lease, records: [admit('t3'), taskEvent('t3', 7)] };
      const named = await Promise.resolve()
        .then(() => store.commit([good, bad]))
        .catch((error: unknown) => (error instanceof Error && 'session' in error ? error.session : error));
      expect(named).toBe('b');
      expect([await store.stats(), await store.feed(null, null, 99)]).toEqual(before);
      expect(await store.taskByIdempotencyKey('api', 'k')).toBe(null);
      expect((await store.openSessions(null, 9)).items).toEqual(['a']);
      expect((await store.task(taskId('t0')))?.status).toBe('queued');
      expect((await store.commit([good])).map((outcome) => outcome.kind)).toEqual(['committed']);
      expect((await store.task(taskId('t0')))?.status).toBe('completed');
    });

    check('a payload is kept whole, and can be replaced until its task ends', async (harness) => {
      const store = await harness.open();
      const { commit } = await owner(store, 'a');
      const first = payload({ prompt: 'one', author: 'ann', labels: { issue: '7' }, input: { deep: [1, null] } });
      await commit(admit('t1', first));
      expect((await store.task(taskId('t1')))?.payload).toEqual(first);
      const second = { ...first, prompt: 'two' };
      await commit({ type: 'payload', at: time, task: taskId('t1'), payload: second });
      expect((await store.task(taskId('t1')))?.payload).toEqual(second);
      await commit(end('t1', 1));
      await commit({ type: 'payload', at: time, task: taskId('t1'), payload: first });
      expect((await store.task(taskId('t1')))?.payload).toEqual(second);
    });

    check('an empty commit and an empty group write nothing', async (harness) => {
      const store = await harness.open();
      const { commit } = await owner(store, 'a');
      expect(await commit()).toEqual({ kind: 'committed', late: 0, events: [] });
      expect(await store.commit([])).toEqual([]);
      expect(await codeOf(() => store.commit([]))).toBe('none');
    });
  });
}
