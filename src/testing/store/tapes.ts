/** `store/3`, `store/4`: tapes, `final`, statuses that only move forward. */
import { sessionKey, taskId } from '../../core/model/ids.ts';
import { ownedOf } from '../../store/errors.ts';
import { codeOf, type Suite } from './api.ts';
import {
  admit,
  end,
  owner,
  ownEvent,
  running,
  taskEvent,
  queuedEvent,
  progress,
  taskRow,
  time,
  wholeTask,
} from './records.ts';

export function tapes(suite: Suite): void {
  readBack(suite);
  endings(suite);
  eachRecord(suite);
}

function readBack({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('tapes', () => {
    check('a task is read back as it was written', async (harness) => {
      const store = await harness.open();
      const { session, commit } = await owner(store, 'a');
      const outcome = await commit(...wholeTask('t1'));
      const events = await store.tape(session, taskId('t1'), 0, 10);
      expect(events.map((event) => [event.seq, event.type, event.at])).toEqual([
        [1, 'queued', time + 1],
        [2, 'granted', time + 2],
        [3, 'final', time + 3],
      ]);
      expect(outcome?.kind).toBe('committed');
      const published = outcome?.kind === 'committed' ? outcome.events : [];
      expect(published).toEqual(await store.feed(session, null, 10));
      expect(published).toEqual(events.map((event, index) => ({ ...event, position: published[index]?.position })));
      const task = await store.task(taskId('t1'));
      expect(task?.status).toBe('completed');
      expect(task?.reason).toBe('completed');
      expect(task?.seq).toBe(3);
      expect(task?.endedAt).toBe(time + 3);
      expect(task?.admittedAt).toBe(time);
      expect(task?.row).toEqual(taskRow(taskId('t1'), { status: 'running', stage: 'owner' }));
      expect(task?.final).toEqual(events.at(-1)?.data);
    });

    check('a tape is read in pages from any seq', async (harness) => {
      const store = await harness.open();
      const { session, commit } = await owner(store, 'a');
      await commit(admit('t1'), taskEvent('t1', 1), taskEvent('t1', 2), running('t1'));
      await commit(taskEvent('t1', 3), end('t1', 4));
      for (let after = 0; after <= 5; after += 1) {
        for (let limit = 1; limit <= 5; limit += 1) {
          const seqs = (await store.tape(session, taskId('t1'), after, limit)).map((event) => event.seq);
          expect(seqs).toEqual([1, 2, 3, 4].filter((seq) => seq > after).slice(0, limit));
        }
      }
      expect(await store.tape(sessionKey('b'), taskId('t1'), 0, 9)).toEqual([]);
      expect(await store.tape(session, taskId('t2'), 0, 9)).toEqual([]);
    });

    check('a session has its own tape, beside those of its tasks', async (harness) => {
      const store = await harness.open();
      const { session, commit } = await owner(store, 'a');
      await commit(ownEvent(1), admit('t1'), taskEvent('t1', 1), ownEvent(2, { why: 'so' }));
      const own = await store.tape(session, null, 0, 10);
      expect(own.map((event) => [event.task, event.seq, event.data])).toEqual([
        [null, 1, { incarnation: 1, phase: 'began', data: null }],
        [null, 2, { incarnation: 1, phase: 'began', data: { why: 'so' } }],
      ]);
      expect(ownedOf(await store.claim(session), session).seq).toBe(2);
    });
  });
}

function endings({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('the end of a task', () => {
    check(
      'T01 an event after the end is dropped, counted and reported; the rest of its commit is written',
      async (harness) => {
        const store = await harness.open();
        const { session, commit } = await owner(store, 'a');
        await commit(...wholeTask('t1'), admit('t2'));
        const late = await commit(
          taskEvent('t1', 4),
          taskEvent('t2', 1, queuedEvent),
          taskEvent('t1', 5),
          running('t1'),
        );
        expect(late?.kind === 'committed' ? [late.late, late.events.map((event) => event.task)] : late).toEqual([
          2,
          ['t2'],
        ]);
        const tape = await store.tape(session, taskId('t1'), 0, 10);
        expect(tape.map((event) => event.type)).toEqual(['queued', 'granted', 'final']);
        expect((await store.stats()).lateDropped).toBe(2);
        expect((await store.task(taskId('t1')))?.status).toBe('completed');
      },
    );

    check('an event after the end in the same commit is late too', async (harness) => {
      const store = await harness.open();
      const { session, commit } = await owner(store, 'a');
      const outcome = await commit(...wholeTask('t1'), taskEvent('t1', 4), end('t1', 4, 'failed'));
      expect(outcome?.kind === 'committed' ? outcome.late : outcome).toBe(2);
      expect((await store.tape(session, taskId('t1'), 0, 10)).length).toBe(3);
    });

    check('T03 the first of several ends counts, and its final agrees with the status', async (harness) => {
      const store = await harness.open();
      const { session, commit } = await owner(store, 'a');
      await commit(admit('t1'), taskEvent('t1', 1, queuedEvent));
      await commit(end('t1', 2, 'cancelled', 'stopped'));
      const second = await commit(end('t1', 2, 'completed'));
      const third = await commit(end('t1', 3, 'failed'));
      expect([second, third].map((outcome) => (outcome?.kind === 'committed' ? outcome.late : outcome))).toEqual([
        1, 1,
      ]);
      const task = await store.task(taskId('t1'));
      expect([task?.status, task?.reason, task?.seq]).toEqual(['cancelled', 'stopped', 2]);
      const finals = (await store.tape(session, taskId('t1'), 0, 10)).filter((event) => event.type === 'final');
      expect(finals.map((event) => event.data)).toEqual([
        { status: 'cancelled', reason: 'stopped', by: null, attempts: 1, answer: null, result: 'done' },
      ]);
      expect((await store.stats()).tasks).toEqual({ queued: 0, running: 0, completed: 0, failed: 0, cancelled: 1 });
    });

    check('T08 a status moves forward only', async (harness) => {
      const store = await harness.open();
      const { commit } = await owner(store, 'a');
      const queued = { type: 'task', at: time, task: taskRow(taskId('t1')) } as const;
      await commit(admit('t1'), running('t1'));
      expect(await codeOf(() => commit(queued))).toBe('status_backward');
      expect((await store.task(taskId('t1')))?.status).toBe('running');
      await commit(end('t1', 1));
      await commit(queued);
      await commit(running('t1'));
      const task = await store.task(taskId('t1'));
      expect([task?.status, task?.row.status]).toEqual(['completed', 'running']);
      expect((await store.stats()).tasks).toEqual({ queued: 0, running: 0, completed: 1, failed: 0, cancelled: 0 });
    });
  });
}

function eachRecord({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('records of a tape', () => {
    check(
      'an event number that is taken or leaves a gap shows a second writer: nothing of the commit is written',
      async (harness) => {
        const store = await harness.open();
        const { session, commit } = await owner(store, 'a');
        await commit(admit('t1'), taskEvent('t1', 1, queuedEvent), ownEvent(1));
        for (const wrong of [
          taskEvent('t1', 1),
          taskEvent('t1', 3),
          end('t1', 1),
          end('t1', 3),
          ownEvent(1),
          ownEvent(3),
        ]) {
          expect(await codeOf(() => commit(admit('t2'), taskEvent('t2', 1, queuedEvent), wrong))).toBe('tape_conflict');
          expect(await store.task(taskId('t2'))).toBe(null);
        }
        await commit(taskEvent('t1', 2), ownEvent(2));
        expect((await store.tape(session, taskId('t1'), 0, 9)).map((event) => event.seq)).toEqual([1, 2]);
        expect((await store.feed(null, null, 9)).map((event) => event.position).length).toBe(4);
      },
    );

    check(
      'a record is refused if its task is unknown, is admitted already, or belongs to another session',
      async (harness) => {
        const store = await harness.open();
        const a = await owner(store, 'a');
        const b = await owner(store, 'b');
        await a.commit(admit('t1'));
        for (const wrong of [admit('t1'), taskEvent('t9', 1), end('t9', 1), running('t9')]) {
          expect(await codeOf(() => a.commit(wrong))).toBe('task_conflict');
        }
        for (const foreign of [taskEvent('t1', 1), end('t1', 1), running('t1'), admit('t1')]) {
          expect(await codeOf(() => b.commit(foreign))).toBe('task_conflict');
        }
        expect((await store.task(taskId('t1')))?.seq).toBe(0);
      },
    );

    check('any JSON is read back unchanged', async (harness) => {
      const store = await harness.open();
      const { session, commit } = await owner(store, 'a');
      const values = [null, 0, -1.5, '', 'x\u0000y\u2028😀', false, [], {}, { deep: [{ null: null }, 'ü'] }];
      await commit(admit('t1'), ...values.map((value, index) => taskEvent('t1', index + 1, progress(value))));
      const tape = await store.tape(session, taskId('t1'), 0, 100);
      expect(tape.map((event) => event.data)).toEqual(values.map((data) => ({ data })));
    });
  });
}
