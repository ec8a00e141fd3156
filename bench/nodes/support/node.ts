/** A node in this process: the runtime on a store that others may share, as a daemon has it. */
import type { AgentDriver } from '../../../src/agents/index.ts';
import { leaseTimes } from '../../../src/protocol/lease-times.ts';
import { createSignalbox, type RuntimeLimits, type Signalbox } from '../../../src/runtime/index.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';

interface NodeSettings {
  readonly name: string;
  readonly agent: AgentDriver;
  readonly limits?: Partial<RuntimeLimits>;
}

export async function openNode(url: string, { name, agent, limits = {} }: NodeSettings): Promise<Signalbox> {
  const store = await openPostgresStore({ url, shared: true });
  const box = createSignalbox({
    store,
    agent,
    limits,
    node: {
      facts: { name, host: 'here', pid: process.pid, version: '0.0.0-bench', labels: [] },
      times: leaseTimes(10_000),
      pollMs: 1_000,
      address: () => null,
    },
  });
  await box.ready;
  return box;
}
