/** `store/7`: a failing commit leaves nothing; one whose answer gets lost is written. And a closed store. */
import { taskId } from '../../core/model/ids.ts';
import type { Faults } from '../../store/faults.ts';
import { codeOf, type Suite } from './api.ts';
import {
  admit,
  end,
  key,
  owner,
  parkedBy,
  running,
  sessionRecord,
  taskEvent,
  queuedEvent,
  wholeTask,
} from './records.ts';

class Struck extends Error {}

/** Fails once, at the given point. */
function striker(): Faults & { aim: string | null; readonly seen: string[] } {
  return {
    aim: null,
    seen: [],
    at(point) {
      this.seen.push(point);
      if (this.aim !== point) {
        return;
      }
      this.aim = null;
      throw new Struck(point);
    },
  };
}

export function failing(suite: Suite): void {
  lostCommits(suite);
  lostAnswers(suite);
}

function lostCommits({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('commits that fail', () => {
    check('T04 a commit that fails before COMMIT leaves nothing; the same commit then succeeds', async (harness) => {
      for (const point of ['store.before-commit', 'store.after-write']) {
        const faults = striker();
        const store = await harness.open({ faults });
        const a = await owner(store, point);
        const id = (name: string): string => `${point} ${name}`;
        await a.commit(
          admit(id('t1')),
          taskEvent(id('t1'), 1, queuedEvent),
          admit(id('t3')),
          sessionRecord(key(point)),
        );
        const seen = async () => [
          { ...(await store.stats()), bytes: 0 },
          await store.feed(null, null, 999),
          await store.tasks({}, null, 99),
          await store.session(key(point)),
          await store.taskByIdempotencyKey('api', point),
          await store.openSessions(null, 99),
        ];
        const before = await seen();
        const group = [
          running(id('t1')),
          taskEvent(id('t1'), 2),
          end(id('t1'), 3),
          taskEvent(id('t1'), 4),
          admit(id('t2'), { idempotencyKey: point }),
          sessionRecord(key(point), { parked: parkedBy('x') }),
          { ...end(id('t3'), 1), status: 'failed' },
        ] as const;
        faults.aim = point;
        const struck = await a.commit(...group).catch((error: unknown) => error instanceof Struck);
        expect(struck).toBe(true);
        expect(await seen()).toEqual(before);
        const outcome = await a.commit(...group);
        expect(outcome?.kind === 'committed' ? outcome.late : outcome).toBe(1);
        const task = await store.task(taskId(id('t1')));
        const tape = await store.tape(key(point), taskId(id('t1')), 0, 9);
        expect([task?.status, task?.seq, tape.at(-1)?.type]).toEqual(['completed', 3, 'final']);
        await store.close();
      }
    });
  });
}

function lostAnswers({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('lost answers and closed stores', () => {
    check('a commit whose answer is lost returns what it wrote, and is written once', async (harness) => {
      const faults = striker();
      const store = await harness.open({ faults });
      const a = await owner(store, 'a');
      faults.aim = 'store.after-commit';
      const outcome = await a.commit(...wholeTask('t1'));
      expect(outcome?.kind === 'committed' ? outcome.events : outcome).toEqual(await store.feed(null, null, 9));
      expect(faults.aim).toBe(null);
      expect((await store.task(taskId('t1')))?.status).toBe('completed');
      expect((await store.tape(a.session, taskId('t1'), 0, 9)).map((event) => event.type)).toEqual([
        'queued',
        'granted',
        'final',
      ]);
    });

    check('a commit passes its fault points in order', async (harness) => {
      const faults = striker();
      const store = await harness.open({ faults });
      const a = await owner(store, 'a');
      faults.seen.length = 0;
      await a.commit(admit('t1'));
      expect(faults.seen).toEqual(['store.before-commit', 'store.after-write', 'store.after-commit']);
    });

    check('a closed store throws closing; closing it again succeeds', async (harness) => {
      const store = await harness.open();
      await store.close();
      await store.close();
      const calls = [
        () => store.claim(key('a')),
        () => store.commit([]),
        () => store.task(taskId('t')),
        () => store.feed(null, null, 1),
        () => store.stats(),
        () => store.checkpoint(),
        () => store.processes(),
      ];
      for (const call of calls) {
        expect(await codeOf(call)).toBe('closing');
      }
    });
  });
}
