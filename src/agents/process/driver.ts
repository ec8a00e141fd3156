/** Driver for programs that speak the agent protocol (docs/agent-protocol.md). */
import type { AgentDriver } from '../port.ts';
import { ProcessAgent } from './agent.ts';
import type { ProcessDriverOptions } from './options.ts';

export function processDriver(options: ProcessDriverOptions): AgentDriver {
  return {
    name: options.name ?? 'process',
    provider: options.provider ?? options.name ?? 'process',
    start: (start) => new ProcessAgent(options, start),
  };
}
