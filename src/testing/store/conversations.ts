/** What is kept of the conversations of agents. */
import type { NodesHarness, Suite } from './api.ts';
import { bury, member } from './members.ts';
import { key } from './records.ts';

export function conversations({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;
  const session = key('s');

  describe('conversations', () => {
    check(
      'what the owner keeps of one, all read, and what was kept of the same one stays when it is opened',
      async (harness) => {
        const [a, b] = [await member(harness, 'a'), await member(harness, 'b')];
        expect(await a.nodes.conversation(session)).toBe(null);
        const { lease } = await a.owner('s');
        const none = { place: null, turn: -1, files: null, lack: null };
        expect(await a.nodes.openConversation(session, lease, { conversation: 'c1', node: 'a', place: null })).toBe(
          true,
        );
        expect(await b.nodes.conversation(session)).toEqual({ conversation: 'c1', node: 'a', open: true, ...none });
        const kept = { conversation: 'c1', node: 'a', place: 'p', open: false, turn: 7, files: 'text', lack: null };
        expect(await a.nodes.keepConversation(session, lease, kept)).toBe(true);
        expect(await b.nodes.conversation(session)).toEqual(kept);
        expect(await a.nodes.openConversation(session, lease, { conversation: 'c1', node: 'a2', place: 'p2' })).toBe(
          true,
        );
        expect(await b.nodes.conversation(session)).toEqual({ ...kept, node: 'a2', place: 'p2', open: true });
        expect(await a.nodes.openConversation(session, lease, { conversation: 'c2', node: 'a', place: null })).toBe(
          true,
        );
        expect(await b.nodes.conversation(session)).toEqual({ conversation: 'c2', node: 'a', open: true, ...none });
        const lacking = {
          conversation: 'c2',
          node: 'a',
          place: null,
          open: false,
          turn: 8,
          files: null,
          lack: 'too large',
        };
        expect(await a.nodes.keepConversation(session, lease, lacking)).toBe(true);
        expect(await b.nodes.conversation(session)).toEqual(lacking);
      },
    );

    check('one that has lost the session keeps nothing of it', async (harness) => {
      const [a, b] = [await member(harness, 'a'), await member(harness, 'b')];
      const { lease } = await a.owner('s');
      await bury(b, a);
      const next = await b.owner('s');
      const late = { conversation: 'late', node: 'a', place: null, open: false, turn: 1, files: 'late', lack: null };
      expect(await a.nodes.keepConversation(session, lease, late)).toBe(false);
      expect(await a.nodes.openConversation(session, lease, late)).toBe(false);
      expect(await b.nodes.keepConversation(session, lease, late)).toBe(false);
      expect(await b.nodes.conversation(session)).toBe(null);
      expect(await b.nodes.openConversation(session, next.lease, { conversation: 'c', node: 'b', place: null })).toBe(
        true,
      );
    });
  });
}
