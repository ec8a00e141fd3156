/** `nodes/3`: commands for owners, questions to nodes, and their replies. */
import { codeOf, type NodesHarness, type Suite } from './api.ts';
import { applied, apply, bury, command, factsOf, idsOf, member, question } from './members.ts';
import { admit, key, owner, taskEvent, wholeTask } from './records.ts';
import { taskId } from '../../core/model/ids.ts';

export function letters(suite: Suite<NodesHarness>): void {
  sending(suite);
  applying(suite);
  withdrawing(suite);
  asking(suite);
}

function sending({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('commands for a session', () => {
    check('its owner receives them, oldest first, until they are taken out', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      await a.owner('s');
      await b.nodes.send([command(b, 'l1', 's', { text: 'one', list: [1, null] }), command(b, 'l2', 's')]);
      await b.nodes.send([command(b, 'l3', 's')]);
      expect(await a.nodes.receive(1)).toEqual([command(b, 'l1', 's', { text: 'one', list: [1, null] })]);
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l1', 'l2', 'l3']);
      expect(await b.nodes.receive(9)).toEqual([]);
    });

    check('one that is sent twice is there once, also when it has been answered', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const owned = await a.owner('s');
      await b.nodes.send([command(b, 'l1', 's')]);
      await b.nodes.send([command(b, 'l1', 's'), command(b, 'l2', 's')]);
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l1', 'l2']);
      await apply(a, owned, [applied(b, 'l1'), applied(b, 'l2')]);
      await b.nodes.send([command(b, 'l1', 's'), command(b, 'l3', 's')]);
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l3']);
    });

    check('they wait for the node that claims the session, and move with it', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      await b.nodes.send([command(b, 'l1', 's')]);
      expect(await a.nodes.receive(9)).toEqual([]);
      expect(await a.store.session(key('s'))).toBe(null);
      const owned = await a.owner('s');
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l1']);
      await a.nodes.release([owned]);
      expect(await a.nodes.receive(9)).toEqual([]);
      const next = await b.owner('s');
      expect(idsOf(await b.nodes.receive(9))).toEqual(['l1']);
      expect((await apply(b, next, [applied(b, 'l1')]))?.kind).toBe('committed');
      expect(await b.nodes.receive(9)).toEqual([]);
    });
  });
}

function applying({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('commands that are applied', () => {
    check('a commit takes them out and leaves their replies, which come once', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const owned = await a.owner('s');
      await b.nodes.send([command(b, 'l1', 's'), command(b, 'l2', 's'), command(b, 'l3', 's')]);
      const taken = [applied(b, 'l1', { ok: [true] }), applied(b, 'l2', null)];
      expect((await apply(a, owned, taken, admit('t1'), taskEvent('t1', 1)))?.kind).toBe('committed');
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l3']);
      expect(await b.nodes.replies(['l3', 'l1'])).toEqual([{ id: 'l1', reply: { ok: [true] } }]);
      expect(await b.nodes.replies(['l1', 'l2'])).toEqual([{ id: 'l2', reply: null }]);
      expect((await a.store.task(taskId('t1')))?.seq).toBe(1);
    });

    check('a commit without records takes them out as well', async (harness) => {
      const a = await member(harness, 'a');
      const owned = await a.owner('s');
      await a.nodes.send([command(a, 'l1', 's')]);
      expect(await apply(a, owned, [applied(a, 'l1')])).toEqual({ kind: 'committed', late: 0, events: [] });
      expect(await a.nodes.receive(9)).toEqual([]);
      expect((await owned.commit(admit('t1')))?.kind).toBe('committed');
    });

    check('a commit that is fenced, is a duplicate or breaks a rule leaves them where they are', async (harness) => {
      const a = await member(harness, 'a');
      const owned = await a.owner('s');
      await owned.commit(admit('t1', { idempotencyKey: 'k' }));
      await a.nodes.send([command(a, 'l1', 's')]);
      const taken = [applied(a, 'l1')];
      expect(await apply(a, { ...owned, lease: owned.lease + 1 }, taken, admit('t2'))).toEqual({ kind: 'fenced' });
      expect((await apply(a, owned, taken, admit('t2', { idempotencyKey: 'k' })))?.kind).toBe('duplicate');
      expect(await codeOf(() => apply(a, owned, taken, taskEvent('t1', 5)))).toBe('tape_conflict');
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l1']);
      expect(await a.nodes.replies(['l1'])).toEqual([]);
      expect((await apply(a, owned, taken, taskEvent('t1', 1)))?.kind).toBe('committed');
    });

    check('a commit that fails leaves them where they are', async (harness) => {
      let fails = true;
      const store = await harness.openShared({
        faults: {
          at(point) {
            if (fails && point === 'store.after-write') {
              fails = false;
              throw new Error(point);
            }
          },
        },
      });
      await store.nodes?.join(9_001, factsOf('a'));
      const b = await member(harness, 'b');
      const owned = await owner(store, 's');
      await b.nodes.send([command(b, 'l1', 's'), command(b, 'l2', 's')]);
      const commit = () => store.commit([{ ...owned, records: wholeTask('t1'), applied: [applied(b, 'l1')] }]);
      const failed = await (async () => commit())().catch(() => 'failed');
      expect(failed).toBe('failed');
      expect(idsOf((await store.nodes?.receive(9)) ?? [])).toEqual(['l1', 'l2']);
      expect(await b.nodes.replies(['l1'])).toEqual([]);
      expect((await commit())[0]?.kind).toBe('committed');
      expect(idsOf((await store.nodes?.receive(9)) ?? [])).toEqual(['l2']);
    });

    check('the commands of another session are not taken out', async (harness) => {
      const a = await member(harness, 'a');
      const owned = await a.owner('s');
      await a.owner('other');
      await a.nodes.send([command(a, 'l1', 'other')]);
      expect(await apply(a, owned, [applied(a, 'l1')], admit('t1'))).toEqual({ kind: 'withdrawn', ids: ['l1'] });
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l1']);
    });

    check('commands that change nothing are answered without a commit', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      await a.owner('s');
      await b.nodes.send([command(b, 'l1', 's'), command(b, 'l2', 's')]);
      await b.nodes.withdraw(['l2']);
      await a.nodes.answer([applied(b, 'l1', 'refused'), applied(b, 'l2', 'refused')]);
      expect(await a.nodes.receive(9)).toEqual([]);
      expect(await b.nodes.replies(['l1', 'l2'])).toEqual([{ id: 'l1', reply: 'refused' }]);
    });
  });
}

function withdrawing({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('commands that are withdrawn', () => {
    check('what is withdrawn is never applied, and nothing of that session is written', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const [one, two] = [await a.owner('one'), await a.owner('two')];
      await b.nodes.send([command(b, 'l1', 'one'), command(b, 'l2', 'one'), command(b, 'l3', 'two')]);
      expect(await b.nodes.withdraw(['l1', 'unknown'])).toEqual(['l1']);
      const outcomes = await a.store.commit([
        { ...one, records: wholeTask('t1'), applied: [applied(b, 'l1'), applied(b, 'l2')] },
        { ...two, records: wholeTask('t2'), applied: [applied(b, 'l3')] },
      ]);
      expect(outcomes[0]).toEqual({ kind: 'withdrawn', ids: ['l1'] });
      expect(outcomes[1]?.kind).toBe('committed');
      expect(await a.store.task(taskId('t1'))).toBe(null);
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l2']);
      expect(await b.nodes.replies(['l1', 'l2', 'l3'])).toEqual([{ id: 'l3', reply: 'done' }]);
      expect((await apply(a, one, [applied(b, 'l2')], ...wholeTask('t1')))?.kind).toBe('committed');
    });

    check('what was applied is not withdrawn', async (harness) => {
      const a = await member(harness, 'a');
      const owned = await a.owner('s');
      await a.nodes.send([command(a, 'l1', 's')]);
      await apply(a, owned, [applied(a, 'l1')]);
      expect(await a.nodes.withdraw(['l1'])).toEqual([]);
      expect(await a.nodes.replies(['l1'])).toEqual([{ id: 'l1', reply: 'done' }]);
    });
  });
}

function asking({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('questions to a node', () => {
    check('that node alone receives them, between the commands', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      await a.owner('s');
      const sent = [command(b, 'l1', 's'), question(b, 'l2', a, { ask: 1 }), command(b, 'l3', 's')];
      await b.nodes.send(sent);
      expect(await a.nodes.receive(9)).toEqual(sent);
      expect(await b.nodes.receive(9)).toEqual([]);
      await a.nodes.answer([applied(b, 'l2', [1])]);
      expect(await b.nodes.replies(['l2'])).toEqual([{ id: 'l2', reply: [1] }]);
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l1', 'l3']);
    });

    check('questions of nodes that are gone are removed; commands never, and replies not at once', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const owned = await a.owner('s');
      await b.nodes.send([command(b, 'l1', 's'), command(b, 'l2', 's'), question(b, 'l3', a)]);
      await a.nodes.send([question(a, 'l4', a)]);
      await apply(a, owned, [applied(b, 'l1')]);
      await a.nodes.sweep();
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l2', 'l3', 'l4']);
      await bury(a, b);
      await a.nodes.sweep();
      expect(idsOf(await a.nodes.receive(9))).toEqual(['l2', 'l4']);
      expect(idsOf(await b.nodes.replies(['l1']))).toEqual(['l1']);
    });
  });
}
