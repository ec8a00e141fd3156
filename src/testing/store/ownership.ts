/** `nodes/1`, `nodes/2`: who is up, and which session is whose. */
import { taskId } from '../../core/model/ids.ts';
import { invariant } from '../../core/errors.ts';
import type { NodesHarness, Suite } from './api.ts';
import { codeOf } from './api.ts';
import { bury, command, eraOf, factsOf, member, nodeOf, noLoad, stateOf } from './members.ts';
import { admit, end, key, parkedBy, sessionRecord, taskEvent, wholeTask } from './records.ts';
import { incarnation } from '../../core/model/ids.ts';

export function ownership(suite: Suite<NodesHarness>): void {
  joining(suite);
  dying(suite);
  eras(suite);
  claiming(suite);
  givingBack(suite);
  orphaned(suite);
}

const otherId = 9_001;

function joining({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('nodes that join', () => {
    check('a node is listed with what it is and what it does, by name, until it leaves', async (harness) => {
      const b = await member(harness, 'b');
      const a = await member(harness, 'a');
      await a.owner('s1');
      await a.owner('s2');
      expect((await a.nodes.renew({ agents: 2, maxAgents: 5, waiting: 3, idle: 1 }, 'http://a', null))?.state).toBe(
        'up',
      );
      const none = { agents: 0, maxAgents: 0, waiting: 0, idle: 0, state: 'up', beat: 0 };
      const facts = { ...factsOf('a', { address: 'http://a' }), id: a.id };
      expect((await b.nodes.look()).nodes).toEqual([
        { ...facts, state: 'up', agents: 2, maxAgents: 5, waiting: 3, idle: 1, beat: 1 },
        { ...factsOf('b'), ...none, id: b.id },
      ]);
      const counts = await b.nodes.sessionCounts();
      expect([counts.get(a.id), counts.get(b.id) ?? 0]).toEqual([2, 0]);
      await a.nodes.leave();
      expect((await b.nodes.look()).nodes.map(({ name }) => name)).toEqual(['b']);
      expect(await stateOf(a)).toBe(null);
    });

    check('two nodes that are up have two names', async (harness) => {
      const a = await member(harness, 'a');
      const { nodes } = await harness.openShared();
      invariant(nodes !== null, 'a shared store has nodes');
      expect(await codeOf(() => nodes.join(otherId, factsOf('a')))).toBe('store_locked');
      await a.nodes.leave();
      expect(await codeOf(() => nodes.join(otherId, factsOf('a')))).toBe('none');
    });

    check('no node joins beside a daemon that does not share the store', async (harness) => {
      const alone = await harness.open();
      expect(alone.nodes).toBe(null);
      const { nodes } = await harness.openShared();
      invariant(nodes !== null, 'a shared store has nodes');
      expect(await codeOf(() => nodes.join(otherId, factsOf('a')))).toBe('store_locked');
      await alone.close();
      expect(await codeOf(() => nodes.join(otherId, factsOf('a')))).toBe('none');
    });

    check('a node that is drained learns it, and is up again when that ends', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      expect(await b.nodes.drain(a.id, true)).toBe(true);
      expect(await stateOf(a)).toBe('draining');
      expect((await nodeOf(b, a.id))?.state).toBe('draining');
      expect(await b.nodes.drain(a.id, false)).toBe(true);
      expect(await stateOf(a)).toBe('up');
      expect(await b.nodes.drain(otherId, true)).toBe(false);
      await a.nodes.leave();
      expect(await b.nodes.drain(a.id, true)).toBe(false);
    });
  });
}

function dying({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('nodes that die', () => {
    check('a node is declared dead once, by a node that has seen its last beat', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const { era } = await eraOf(a);
      expect(await b.nodes.declareDead(a.id, 0, era)).toBe(false);
      expect((await nodeOf(b, a.id))?.state).toBe('up');
      expect(await b.nodes.declareDead(a.id, 1, era)).toBe(true);
      expect(await b.nodes.declareDead(a.id, 1, era)).toBe(false);
      expect(await stateOf(a)).toBe(null);
      expect((await b.nodes.look()).nodes.map(({ name }) => name)).toEqual(['b']);
    });

    check('a node that drains can be declared dead', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      await b.nodes.drain(a.id, true);
      expect(await bury(b, a)).toBe(true);
      expect(await stateOf(a)).toBe(null);
    });

    check('a dead node claims nothing, and joins again as another', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      await a.owner('s');
      await bury(b, a);
      expect(await codeOf(() => a.store.claim(key('s')))).toBe('store_lost');
      expect(await codeOf(() => a.store.claim(key('new')))).toBe('store_lost');
      await a.nodes.join(otherId, factsOf('a'));
      expect((await a.owner('s')).lease).toBe(2);
    });

    check('the processes of nodes that are alive are left out', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const row = { pid: 7, startTime: '100', session: key('s'), incarnation: incarnation(1), cookie: 'c1' };
      await a.store.recordProcess(row);
      expect(await b.store.processes()).toEqual([]);
      await bury(b, a);
      expect(await b.store.processes()).toEqual([row]);
    });
  });
}

function claiming({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('claims of nodes', () => {
    check('a session of a node that is up is not claimed, and the answer names the node', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const mine = await a.owner('s');
      await mine.commit(admit('t1'));
      expect(await b.store.claim(key('s'))).toEqual({ held: { node: a.id, name: 'a' } });
      expect((await mine.commit(taskEvent('t1', 1)))?.kind).toBe('committed');
      expect((await a.owner('s')).lease).toBe(2);
    });

    check('a session of a node that drains is not claimed', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      await a.owner('s');
      await b.nodes.drain(a.id, true);
      expect(await b.store.claim(key('s'))).toEqual({ held: { node: a.id, name: 'a' } });
    });

    check(
      'N01 a session of a node that has died or left is claimed, and its late commit is fenced',
      async (harness) => {
        const c = await member(harness, 'c');
        for (const name of ['dies', 'leaves']) {
          const a = await member(harness, name);
          const old = await a.owner(name);
          await old.commit(admit(name));
          await (name === 'dies' ? bury(c, a) : a.nodes.leave());
          const next = await c.owner(name);
          expect(next.lease > old.lease).toBe(true);
          expect(await old.commit(...wholeTask(`${name} late`))).toEqual({ kind: 'fenced' });
          expect(await c.store.task(taskId(`${name} late`))).toBe(null);
          expect((await next.commit(end(name, 1)))?.kind).toBe('committed');
        }
      },
    );

    check('a node that knows the lease and does not own the session writes nothing', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const { session, lease } = await a.owner('s');
      expect(await b.store.commit([{ session, lease, records: [admit('t1')] }])).toEqual([{ kind: 'fenced' }]);
    });

    check('a node that drains claims its own sessions only', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      await a.owner('own');
      await b.nodes.drain(a.id, true);
      expect((await a.owner('own')).lease).toBe(2);
      expect(await a.store.claim(key('free'))).toEqual({ held: { node: a.id, name: 'a' } });
      expect((await b.owner('free')).lease).toBe(1);
    });
  });
}

function givingBack({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('sessions that a node gives back', () => {
    check('a session that is given back is free, and its old lease writes nothing', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const { session, lease, commit } = await a.owner('s');
      await a.nodes.release([{ session, lease }]);
      expect(await commit(admit('t1'))).toEqual({ kind: 'fenced' });
      expect((await b.owner('s')).lease).toBe(lease + 1);
    });

    check('what is another node’s, or has another lease, stays where it is', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const { session, lease } = await a.owner('s');
      const { commit } = await a.owner('s');
      await a.nodes.release([{ session, lease }]);
      await b.nodes.release([{ session, lease: lease + 1 }]);
      expect((await commit(admit('t1')))?.kind).toBe('committed');
    });

    check('a node finds out which of its sessions it has lost', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const [one, two, three] = [await a.owner('one'), await a.owner('two'), await a.owner('three')];
      await a.nodes.release([two]);
      await b.owner('two');
      await a.owner('three');
      expect(await a.nodes.lost([one])).toEqual([]);
      const all = [one, two, three, { session: key('unknown'), lease: 1 }];
      expect((await a.nodes.lost(all)).toSorted()).toEqual(['three', 'two', 'unknown']);
    });
  });
}

function eras({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('another era', () => {
    check('the first one of all is settled, and stays what it is', async (harness) => {
      const a = await member(harness, 'a');
      const first = await eraOf(a);
      expect(first.settled).toBe(true);
      expect(await eraOf(await member(harness, 'b'))).toEqual(first);
      expect((await a.nodes.look()).era).toBe(first.era);
    });

    check('nodes that meet it together know it by one name, which no other has', async (harness) => {
      const [a, b] = [await member(harness, 'a'), await member(harness, 'b')];
      const known = [(await eraOf(a)).era];
      for (let n = 0; n < 2; n += 1) {
        await harness.failOver();
        const [one, other] = await Promise.all([eraOf(a), eraOf(b)]);
        expect(one).toEqual({ era: other.era, settled: false });
        expect(other.settled).toBe(false);
        expect(known.includes(one.era)).toBe(false);
        known.push(one.era);
      }
      expect(await eraOf(await member(harness, 'c'))).toEqual({ era: known.at(-1), settled: false });
    });

    check(
      'nothing is claimed in it until a node says that it is settled, not even what the node owns',
      async (harness) => {
        const a = await member(harness, 'a');
        const b = await member(harness, 'b');
        const owned = await a.owner('own');
        const first = await eraOf(a);
        await harness.failOver();
        const held = { held: { node: a.id, name: 'a' } };
        for (const session of ['own', 'new']) {
          expect(await a.store.claim(key(session))).toEqual(held);
        }
        expect(await b.store.claim(key('own'))).toEqual(held);
        expect((await owned.commit(admit('t1')))?.kind).toBe('committed');
        const { era } = await eraOf(a);
        await b.nodes.renew(noLoad, null, first.era);
        expect(await eraOf(b)).toEqual({ era, settled: false });
        await b.nodes.renew(noLoad, null, era);
        expect(await eraOf(a)).toEqual({ era, settled: true });
        expect((await a.owner('own')).lease).toBe(2);
        expect((await b.owner('new')).lease).toBe(1);
      },
    );

    check('a death that was seen in the era before is not declared in it', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      const { era, nodes } = await b.nodes.look();
      const { beat = -1 } = nodes.find(({ id }) => id === a.id) ?? {};
      await harness.failOver();
      expect(era === null || (await b.nodes.declareDead(a.id, beat, era))).toBe(false);
      expect(await stateOf(a)).toBe('up');
      expect(await bury(b, a)).toBe(true);
    });

    check('a node finds the sessions that are its own and wait for something', async (harness) => {
      const a = await member(harness, 'a');
      const b = await member(harness, 'b');
      await (await a.owner('open')).commit(admit('t1'));
      await (await b.owner('other')).commit(admit('t2'));
      await a.owner('called');
      await a.owner('at-rest');
      await b.nodes.send([command(b, 'c1', 'called')]);
      expect((await a.nodes.owned()).toSorted()).toEqual(['called', 'open']);
    });
  });
}

function orphaned({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('sessions without an owner', () => {
    check(
      'those with open tasks, a parked mark or a command are found, unless a living node owns them',
      async (harness) => {
        const a = await member(harness, 'a');
        const b = await member(harness, 'b');
        const open = await a.owner('open');
        await open.commit(admit('t1'));
        const parked = await a.owner('parked');
        await parked.commit(sessionRecord(key('parked'), { parked: parkedBy('x') }));
        const ended = await a.owner('ended');
        await ended.commit(...wholeTask('t2'), sessionRecord(key('ended')));
        const called = await a.owner('called');
        await b.nodes.send([command(b, 'l1', 'called'), command(b, 'l2', 'new')]);
        const found = async () => (await b.nodes.orphans(9)).toSorted();
        expect(await found()).toEqual(['new']);
        await a.nodes.release([open, ended]);
        expect(await found()).toEqual(['new', 'open']);
        await a.nodes.release([parked, called]);
        expect(await found()).toEqual(['called', 'new', 'open', 'parked']);
        expect((await b.nodes.orphans(2)).length).toBe(2);
        await b.owner('new');
        await b.owner('open');
        expect(await found()).toEqual(['called', 'parked']);
        const c = await member(harness, 'c');
        await bury(c, b);
        expect((await c.nodes.orphans(9)).toSorted()).toEqual(['called', 'new', 'open', 'parked']);
      },
    );
  });
}
