/** `outbox/1` to `outbox/8`: positions, rows, and who sends them. */
import { sessionKey, taskId } from '../../core/model/ids.ts';
import { invariant } from '../../core/errors.ts';
import type { Outbox, OutboxCopy, OutboxIntent, OutboxOutcome, OutboxRow } from '../../store/outbox.ts';
import type { Store } from '../../store/port.ts';
import { codeOf, type NodesHarness, type Suite } from './api.ts';
import { bury, member } from './members.ts';

const time = 1_700_000_000_000;
const doors = ['push'];

const intent = (id: string, change: Partial<OutboxIntent> = {}): OutboxIntent => ({
  id,
  door: 'push',
  address: id,
  scope: 'push',
  session: sessionKey('a'),
  task: taskId('t1'),
  seq: 3,
  type: 'final',
  at: time,
  data: null,
  ...change,
});

/** The outbox with these rows, by a consumer of the test. */
async function filled(store: Store, ...rows: readonly OutboxIntent[]): Promise<Outbox> {
  const { outbox } = store;
  await outbox.start('filler', null);
  invariant(await outbox.advance('filler', null, '1', rows), 'a new consumer moves');
  return outbox;
}

async function begun(outbox: Outbox, id: string, at = time): Promise<OutboxRow> {
  const row = await outbox.row(id);
  const result = row === null ? null : await outbox.begin(id, row.version, at, at + 100);
  invariant(result !== null, `row ${id} is begun`);
  return result;
}

const posted: OutboxOutcome = { state: 'posted', at: time + 9, reference: 'r' };
const unclear = (heldUntil: number | null): OutboxOutcome => ({
  state: 'unclear',
  at: time,
  heldUntil,
  problem: 'lost',
});
const later = (notBefore: number, pauseUntil: number | null = null): OutboxOutcome => ({
  state: 'due',
  at: time,
  notBefore,
  pauseUntil,
  problem: 'refused',
});

const idsDue = async (outbox: Outbox, now = time): Promise<readonly string[]> =>
  (await outbox.due(doors, now, 99)).rows.map(({ id }) => id);

export function outbox(suite: Suite): void {
  consumers(suite);
  sending(suite);
  addresses(suite);
  lists(suite);
  copies(suite);
}

function consumers({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('consumers of the feed', () => {
    check('a new consumer begins at the given position, and a known one where it was', async (harness) => {
      const first = await harness.open();
      expect(await first.outbox.start('a', null)).toBe(null);
      expect(await first.outbox.start('b', '7')).toBe('7');
      expect(await first.outbox.advance('a', null, '5', [])).toBe(true);
      await first.close();
      const { outbox: next } = await harness.open();
      expect([await next.start('a', '9'), await next.start('b', null)]).toEqual(['5', '7']);
    });

    check('of two that move a consumer from one position one does, and only its rows are there', async (harness) => {
      const { outbox: box } = await harness.open();
      await box.start('a', null);
      const both = await Promise.all(['x', 'y'].map(async (id) => box.advance('a', null, id, [intent(id)])));
      expect(both.filter(Boolean).length).toBe(1);
      const at = await box.start('a', null);
      expect((await box.list({}, null, 9)).items.map(({ id }) => id)).toEqual([at]);
      expect(await box.advance('a', null, 'z', [intent('z')])).toBe(false);
      expect(await box.row('z')).toBe(null);
    });

    check('a row that is there already is not written again', async (harness) => {
      const box = await filled(await harness.open(), intent('x', { data: { part: [1, null] } }));
      const row = await begun(box, 'x');
      expect(await box.advance('filler', '1', '2', [intent('x', { seq: 9 }), intent('y')])).toBe(true);
      expect(await box.row('x')).toEqual(row);
      expect(row).toEqual({
        ...intent('x', { data: { part: [1, null] } }),
        state: 'sending',
        version: 2,
        attempts: 1,
        since: time,
        begunAt: time,
        notBefore: time,
        heldUntil: time + 100,
        reference: null,
        problem: null,
        changedAt: time,
      });
    });
  });
}

function sending({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('sending', () => {
    check('a row is changed by its version only', async (harness) => {
      const box = await filled(await harness.open(), intent('x'));
      expect(await box.begin('x', 2, time, time + 100)).toBe(null);
      expect(await box.begin('unknown', 1, time, time + 100)).toBe(null);
      const both = await Promise.all([1, 2].map(async () => box.begin('x', 1, time, time + 100)));
      expect(both.filter((row) => row !== null).length).toBe(1);
      expect(await box.settle('x', 1, posted)).toBe(null);
      const row = await box.settle('x', 2, posted);
      expect([row?.state, row?.version, row?.reference, row?.heldUntil, row?.changedAt]).toEqual([
        'posted',
        3,
        'r',
        null,
        time + 9,
      ]);
      expect(await box.settle('x', 3, later(time))).toBe(null);
      expect(await idsDue(box)).toEqual([]);
    });

    check('the time at which another row is due comes with those that are due', async (harness) => {
      const box = await filled(await harness.open(), intent('x'), intent('y', { door: 'other' }));
      await begun(box, 'x');
      expect(await box.due(doors, time, 9)).toEqual({ rows: [], next: null });
      await box.settle('x', 2, later(time + 50));
      expect(await box.due(doors, time + 49, 9)).toEqual({ rows: [], next: time + 50 });
      const { rows, next } = await box.due(doors, time + 50, 9);
      expect([rows.map(({ id, problem }) => [id, problem]), next]).toEqual([[['x', 'refused']], null]);
    });

    check('no row of a scope is due in its pause, also none that comes later', async (harness) => {
      const store = await harness.open();
      const box = await filled(store, intent('x'), intent('y'), intent('z', { scope: 'another' }));
      await begun(box, 'x');
      await box.settle('x', 2, later(time, time + 50));
      await box.advance('filler', '1', '2', [intent('w')]);
      expect(await box.due(doors, time, 9)).toEqual({ rows: [await box.row('z')], next: time + 50 });
      expect(await idsDue(box, time + 50)).toEqual(['x', 'y', 'z', 'w']);
    });

    check('what comes of a row is written with its outcome, or not at all', async (harness) => {
      const box = await filled(await harness.open(), intent('x'));
      await begun(box, 'x');
      expect(await box.settle('x', 1, unclear(null), [intent('y')])).toBe(null);
      expect(await box.row('y')).toBe(null);
      await box.settle('x', 2, unclear(null), [intent('y')]);
      expect((await box.row('y'))?.state).toBe('due');
    });

    check('what a receiver says is kept without the characters that a database refuses', async (harness) => {
      const box = await filled(await harness.open(), intent('x'), intent('y'));
      await begun(box, 'x');
      const said = await box.settle('x', 2, { state: 'failed', at: time, problem: 'a\u0000b \u{1F600}\uD800' });
      expect([said?.problem, await box.row('x')]).toEqual(['a\uFFFDb \u{1F600}\uFFFD', said]);
      await begun(box, 'y');
      const row = await box.settle('y', 2, { state: 'posted', at: time, reference: 'r\u0000' });
      expect([row?.reference, await box.row('y')]).toEqual(['r\uFFFD', row]);
    });

    check('rows that are too old expire, and a resend makes them young again', async (harness) => {
      const box = await filled(await harness.open(), intent('x'), intent('y', { at: time + 10 }));
      expect(await box.expire(time + 5, time + 90)).toBe(1);
      expect([(await box.row('x'))?.state, (await box.row('y'))?.state]).toEqual(['expired', 'due']);
      expect((await box.resend('x', time + 95))?.since).toBe(time + 95);
      expect(await box.expire(time + 5, time + 99)).toBe(0);
    });

    check(
      'G05 a row that a dead daemon left in `sending` becomes unclear, and its old sender settles nothing',
      async (harness) => {
        const first = await harness.open();
        const box = await filled(first, intent('x'), intent('y'));
        const left = await begun(box, 'x');
        expect(await box.recover(time)).toBe(0);
        await first.close();
        const { outbox: next } = await harness.open();
        expect(await next.recover(time + 20)).toBe(1);
        const row = await next.row('x');
        expect([row?.state, row?.heldUntil, row?.changedAt]).toEqual(['unclear', left.heldUntil, time + 20]);
        expect(await next.settle('x', left.version, posted)).toBe(null);
        expect((await next.row('y'))?.state).toBe('due');
      },
    );
  });
}

function addresses({ api, check }: Suite): void {
  const { describe, expect } = api;
  const to = (address: string) => ({ address });

  describe('addresses', () => {
    check('the rows of an address are due one after the other, those of others beside them', async (harness) => {
      const box = await filled(
        await harness.open(),
        intent('a1', to('a')),
        intent('a2', to('a')),
        intent('b1', to('b')),
        intent('a3', to('a')),
      );
      expect(await idsDue(box)).toEqual(['a1', 'b1']);
      expect((await box.due(doors, time, 1)).rows.map(({ id }) => id)).toEqual(['a1']);
      await begun(box, 'a1');
      expect(await idsDue(box)).toEqual(['b1']);
      expect(await box.begin('a2', 1, time, time + 100)).toBe(null);
      await box.settle('a1', 2, later(time + 50));
      expect(await idsDue(box)).toEqual(['b1']);
      await begun(box, 'a1', time + 50);
      await box.settle('a1', 4, { state: 'failed', at: time, problem: 'refused' });
      expect(await idsDue(box)).toEqual(['a2', 'b1']);
    });

    check(
      'G11 an unclear row holds its address until it is looked up, and one that a person decides on does not',
      async (harness) => {
        const box = await filled(await harness.open(), intent('a1', to('a')), intent('a2', to('a')));
        await begun(box, 'a1');
        await box.settle('a1', 2, unclear(time + 50));
        expect(await box.due(doors, time + 49, 9)).toEqual({ rows: [], next: time + 50 });
        expect(await idsDue(box, time + 50)).toEqual(['a1']);
        await box.settle('a1', 3, unclear(null));
        expect(await idsDue(box, time + 50)).toEqual(['a2']);
        await begun(box, 'a2');
        expect((await box.resend('a1', time + 60))?.state).toBe('due');
        expect(await idsDue(box, time + 60)).toEqual([]);
        expect(await box.begin('a1', 5, time + 60, time + 90)).toBe(null);
        await box.settle('a2', 2, posted);
        expect(await idsDue(box, time + 60)).toEqual(['a1']);
      },
    );

    check('a row in `sending` is neither resent nor dropped, and a posted one is not either', async (harness) => {
      const box = await filled(await harness.open(), intent('x'), intent('y'));
      await begun(box, 'x');
      expect([await box.resend('x', time), await box.drop('x', time)]).toEqual([null, null]);
      await box.settle('x', 2, posted);
      expect([await box.resend('x', time), await box.drop('x', time)]).toEqual([null, null]);
      expect(await box.resend('y', time)).toBe(null);
      expect((await box.drop('y', time))?.state).toBe('dropped');
      expect((await box.resend('y', time))?.state).toBe('due');
    });
  });
}

function lists({ api, check }: Suite): void {
  const { describe, expect } = api;

  describe('lists of rows', () => {
    check('rows come newest first, by state and session, and are counted', async (harness) => {
      const box = await filled(
        await harness.open(),
        intent('x'),
        intent('y', { session: sessionKey('b'), at: time - 5 }),
        intent('z', { task: null }),
      );
      await begun(box, 'x');
      await box.settle('x', 2, posted);
      const page = await box.list({}, null, 2);
      expect(page.items.map(({ id }) => id)).toEqual(['z', 'y']);
      expect((await box.list({}, page.cursor, 2)).items.map(({ id, reference }) => [id, reference])).toEqual([
        ['x', 'r'],
      ]);
      expect((await box.list({ state: ['posted', 'failed'] }, null, 9)).items.map(({ id }) => id)).toEqual(['x']);
      expect((await box.list({ session: sessionKey('b') }, null, 9)).items.map(({ id }) => id)).toEqual(['y']);
      expect(await codeOf(() => box.list({}, 't1', 9))).toBe('bad_cursor');
      const none = { due: 0, sending: 0, posted: 0, unclear: 0, failed: 0, expired: 0, dropped: 0 };
      expect(await box.figures()).toEqual({ rows: { ...none, due: 2, posted: 1 }, oldestDue: time - 5 });
    });

    check('rows that have ended are removed by their age, those that wait for a person stay', async (harness) => {
      const box = await filled(await harness.open(), intent('x'), intent('y'), intent('z'));
      await begun(box, 'x');
      await box.settle('x', 2, posted);
      await begun(box, 'y');
      await box.settle('y', 2, unclear(null));
      expect(await box.prune(time + 9, 9)).toBe(0);
      expect(await box.prune(time + 10, 9)).toBe(1);
      expect((await box.list({}, null, 9)).items.map(({ id }) => id)).toEqual(['z', 'y']);
    });
  });
}

function copies({ api, check }: Suite): void {
  const { describe, expect } = api;
  const copy = (id: string, change: Partial<OutboxRow> = {}, pausedUntil: number | null = null): OutboxCopy => ({
    row: {
      ...intent(id, { data: { part: ['"\\u0000', null] } }),
      state: 'due',
      version: 7,
      attempts: 3,
      since: time + 1,
      begunAt: time + 2,
      notBefore: time + 3,
      heldUntil: null,
      reference: 'r',
      problem: 'refused \u{1F600}',
      changedAt: time + 5,
      ...change,
    },
    pausedUntil,
  });
  const held = { state: 'unclear', address: 'a', heldUntil: time + 50 } as const;
  const all = [
    copy('z', { state: 'posted', problem: null }),
    copy('y', held),
    copy('x', { address: 'a' }),
    copy('w', { scope: 'other', task: null, attempts: 0, begunAt: null, reference: null }),
    copy('v', { scope: 'other', state: 'failed' }, time + 70),
  ];
  describe('rows of another store', () => {
    check('restored rows are as they were, in their order, and what waits for them waits', async (harness) => {
      const first = await harness.open();
      await first.outbox.restore(all);
      await first.outbox.restore([]);
      await first.close();
      const { outbox: box } = await harness.open();
      expect((await box.list({}, null, 99)).items.toReversed()).toEqual(all.map(({ row }) => row));
      expect(await box.due(doors, time + 3, 9)).toEqual({ rows: [], next: time + 50 });
      expect(await idsDue(box, time + 50)).toEqual(['y']);
      await box.settle('y', 7, unclear(null));
      expect(await idsDue(box, time + 69)).toEqual(['x']);
      expect(await idsDue(box, time + 70)).toEqual(['x', 'w']);
      expect(await box.recover(time)).toBe(0);
    });

    check('rows that are restored again stay as they have become, and those behind them come in', async (harness) => {
      const { outbox: box } = await harness.open();
      await box.restore(all.slice(0, 3));
      await box.settle('y', 7, posted);
      const row = await begun(box, 'x', time + 3);
      await box.restore(all);
      expect(await box.row('x')).toEqual(row);
      expect((await box.list({}, null, 99)).items.map(({ id }) => id)).toEqual(['v', 'w', 'x', 'y', 'z']);
      expect((await box.row('y'))?.state).toBe('posted');
    });

    check('of copies of which two hold one address none is restored', async (harness) => {
      const { outbox: box } = await harness.open();
      let refused = false;
      try {
        await box.restore([copy('x'), copy('y', held), copy('z', held)]);
      } catch {
        refused = true;
      }
      expect([refused, (await box.list({}, null, 9)).items.length]).toEqual([true, 0]);
    });
  });
}

/** Of a store that several nodes share. */
export function sharedOutbox({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('the outbox of several nodes', () => {
    check('of two nodes one sends a row, and another settles what a dead one has begun', async (harness) => {
      const [a, b] = [await member(harness, 'a'), await member(harness, 'b')];
      const box = await filled(a.store, intent('a1', { address: 'a' }), intent('a2', { address: 'a' }));
      const both = await Promise.all([a, b].map(async ({ store }) => store.outbox.begin('a1', 1, time, time + 100)));
      expect(both.filter((row) => row !== null).length).toBe(1);
      await box.settle('a1', 2, posted);
      await begun(b.store.outbox, 'a2');
      expect(await a.store.outbox.recover(time)).toBe(0);
      expect(await bury(a, b)).toBe(true);
      expect(await a.store.outbox.recover(time)).toBe(1);
      expect((await a.store.outbox.row('a2'))?.state).toBe('unclear');
    });

    check('a node that is dead begins nothing', async (harness) => {
      const [a, b] = [await member(harness, 'a'), await member(harness, 'b')];
      const box = await filled(a.store, intent('x'));
      await bury(a, b);
      expect(await b.store.outbox.begin('x', 1, time, time + 100)).toBe(null);
      expect((await box.row('x'))?.state).toBe('due');
    });
  });
}
