/** The nodes that share the store. */
import type { NodeCommands } from '../api.ts';
import type { RuntimeParts } from '../parts.ts';
import { refused } from '../refusals.ts';

export function nodeCommands({ cluster, ready }: RuntimeParts): NodeCommands {
  return {
    async nodes() {
      await ready;
      if (cluster === null) {
        return [];
      }
      const nodes = await cluster.list();
      return nodes.map((node) => ({ ...node, local: node.id === cluster.id }));
    },
    async drain(name, draining) {
      await ready;
      const node = cluster === null ? undefined : (await cluster.list()).find((one) => one.name === name);
      const done = cluster !== null && node !== undefined && (await cluster.drain(node.id, draining));
      return done ? { kind: 'ok' } : refused('unknown_node');
    },
  };
}
