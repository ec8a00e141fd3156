/** `nodes/5`, where hints arrive. */
import type { NodesHarness, Suite } from './api.ts';
import type { Hint } from '../../store/nodes.ts';
import { applied, apply, bury, command, member, question, type Member } from './members.ts';

/** What a node hears. */
function ears({ nodes }: Member) {
  const heard: Hint[] = [];
  let wake = (): void => {};
  const stop = nodes.onHint((hint) => {
    heard.push(hint);
    wake();
  });
  return {
    stop,
    /** Resolves when it has heard the hint since the last call; forgets what it has heard. */
    async until(hint: Hint): Promise<void> {
      while (!heard.includes(hint)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      heard.length = 0;
    },
    heard,
  };
}

export function hints({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('hints', () => {
    /** Both listen. A listener may be there only a while later: they call until they hear each other. */
    const two = async (harness: NodesHarness) => {
      const [a, b] = [await member(harness, 'a'), await member(harness, 'b')];
      const [atA, atB] = [ears(a), ears(b)];
      let heard = false;
      const both = Promise.all([atA.until('nodes'), atB.until('nodes')]).then(() => (heard = true));
      while (!heard) {
        await a.nodes.drain(b.id, false);
        await b.nodes.drain(a.id, false);
      }
      await both;
      // These come behind all calls.
      await a.nodes.send([question(a, 'to b', b)]);
      await b.nodes.send([question(b, 'to a', a)]);
      await Promise.all([atA.until('letters'), atB.until('letters')]);
      await a.nodes.withdraw(['to a', 'to b']);
      return { a, b, atA, atB };
    };

    check('a node hears of commands for its sessions, of questions, and of replies', async (harness) => {
      const { a, b, atA, atB } = await two(harness);
      const owned = await a.owner('s');
      await b.nodes.send([command(b, 'l1', 's')]);
      await atA.until('letters');
      await apply(a, owned, [applied(b, 'l1')]);
      await atB.until('letters');
      await b.nodes.send([question(b, 'l2', a)]);
      await atA.until('letters');
      await a.nodes.answer([applied(b, 'l2')]);
      await atB.until('letters');
    });

    check('all nodes hear of a command for a session without an owner', async (harness) => {
      const { b, atA } = await two(harness);
      await b.nodes.send([command(b, 'l1', 's')]);
      await atA.until('letters');
    });

    check('the others hear that a node has committed', async (harness) => {
      const { a, atB } = await two(harness);
      a.nodes.hintEvents();
      await atB.until('events');
    });

    check('the others hear that a throttle has changed', async (harness) => {
      const { a, b, atB } = await two(harness);
      await a.nodes.putThrottle('p', 0, {});
      await atB.until('throttles');
      expect(await b.nodes.putThrottle('p', 1, {})).toBe(2);
    });

    check('the others hear that a node gives sessions back, drains or has died', async (harness) => {
      const { a, b, atA } = await two(harness);
      await b.nodes.release([await b.owner('s')]);
      await atA.until('nodes');
      const c = await member(harness, 'd');
      await atA.until('nodes');
      await b.nodes.drain(c.id, true);
      await atA.until('nodes');
      await bury(b, c);
      await atA.until('nodes');
      expect((await a.nodes.look()).nodes.length).toBe(2);
    });

    check('a node does not hear of what it did itself, and nothing when it has stopped to listen', async (harness) => {
      const { a, b, atA, atB } = await two(harness);
      const all: Hint[] = [];
      a.nodes.onHint((hint) => all.push(hint));
      atB.stop();
      await a.nodes.send([command(a, 'l1', 's'), question(a, 'l2', a)]);
      await a.nodes.drain(b.id, false);
      await b.nodes.send([question(b, 'l3', a)]);
      await atA.until('letters');
      expect(all).toEqual(['letters']);
      expect(atB.heard).toEqual([]);
    });
  });
}
