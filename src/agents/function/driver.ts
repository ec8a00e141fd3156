/** Driver for an agent that is a function: an async generator in the daemon's own process. */
import type { AgentDriver } from '../port.ts';
import { FunctionAgent } from './agent.ts';
import type { AgentFunction, FunctionDriverOptions } from './options.ts';

interface FunctionDriver extends AgentDriver {
  /** Outputs and results that came after the end of their agent, since the driver was made. */
  readonly lateDropped: number;
}

export function functionDriver(run: AgentFunction, options: FunctionDriverOptions = {}): FunctionDriver {
  const late = { dropped: 0 };
  return {
    name: options.name ?? 'function',
    provider: options.provider ?? options.name ?? 'function',
    needsFolder: false,
    start: (start) => new FunctionAgent(run, options, start, late),
    get lateDropped() {
      return late.dropped;
    },
  };
}
