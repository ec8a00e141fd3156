import type { ModuleAgent } from '../descriptor.ts';

export const descriptor: ModuleAgent = {
  kind: 'module',
  name: 'worker',
  title: 'a function in a thread',
  summary:
    'a module of yours, `agent.module`, in a thread of the daemon, which a loop cannot block and which can be ended',
  page: 'agents/worker.md',
  // No model: the function gets the name that a session asks for.
  keys: ['module', 'provider', 'env', 'passEnv'],
  load: async ({ module, launch }) => (await import('./driver.ts')).workerDriver({ ...launch, module }),
};
