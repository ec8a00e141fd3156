/** The daemons that share the store. */
import { type Handlers, okOrRefuse } from '../context.ts';

type NodeOperation = 'listNodes' | 'drainNode' | 'resumeNode';

export const nodeHandlers: Handlers<NodeOperation> = {
  listNodes: async (_call, { signalbox }) => ({
    status: 200,
    body: {
      items: (await signalbox.nodes()).map(
        ({ name, state, local, host, pid, version, address, sessions, agents, maxAgents, waiting, labels, ttlMs }) => ({
          name,
          state: state === 'draining' ? 'draining' : 'up',
          local,
          host,
          pid,
          version,
          address,
          sessions,
          agents,
          maxAgents,
          waiting,
          labels,
          ttlMs,
        }),
      ),
    },
  }),
  drainNode: async ({ params: { name } }, { signalbox }) => okOrRefuse(await signalbox.drain(name, true), name),
  resumeNode: async ({ params: { name } }, { signalbox }) => okOrRefuse(await signalbox.drain(name, false), name),
};
