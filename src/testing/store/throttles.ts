/** `nodes/4`: what nodes know of providers. */
import type { NodesHarness, Suite } from './api.ts';
import { member } from './members.ts';

export function throttles({ api, check }: Suite<NodesHarness>): void {
  const { describe, expect } = api;

  describe('throttles of providers', () => {
    check('what one node stores, all read, with its version and its age', async (harness) => {
      const [a, b] = [await member(harness, 'a'), await member(harness, 'b')];
      expect(await a.nodes.throttles()).toEqual([]);
      expect(await a.nodes.putThrottle('p', 0, { level: 'all', left: [1, null] })).toBe(1);
      expect(await b.nodes.putThrottle('q', 0, {})).toBe(1);
      expect(await b.nodes.putThrottle('p', 1, { level: 'none' })).toBe(2);
      const all = [...(await a.nodes.throttles())].sort((one, other) => (one.provider < other.provider ? -1 : 1));
      expect(all.map(({ provider, version, state }) => ({ provider, version, state }))).toEqual([
        { provider: 'p', version: 2, state: { level: 'none' } },
        { provider: 'q', version: 1, state: {} },
      ]);
      for (const { ageMs } of all) {
        expect(ageMs >= 0 && ageMs < 60_000).toBe(true);
      }
    });

    check('of two nodes that replace the same version one does', async (harness) => {
      const [a, b] = [await member(harness, 'a'), await member(harness, 'b')];
      for (let version = 0; version < 5; version += 1) {
        const both = await Promise.all(
          [a, b].map(async ({ nodes, name }) => nodes.putThrottle('p', version, { by: name })),
        );
        expect(both.filter((got) => got === version + 1).length).toBe(1);
        expect(both.filter((got) => got === null).length).toBe(1);
      }
      expect(await a.nodes.putThrottle('p', 0, {})).toBe(null);
      expect(await a.nodes.putThrottle('p', 9, {})).toBe(null);
      expect(await a.nodes.putThrottle('q', 9, {})).toBe(null);
    });
  });
}
