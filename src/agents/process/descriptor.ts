import { type ProgramAgent, programKeys } from '../descriptor.ts';

export const descriptor: ProgramAgent = {
  kind: 'program',
  name: 'process',
  title: 'any program',
  summary: 'the program of `agent.command`, which speaks the agent protocol on standard input and output',
  page: 'agent-protocol.md',
  // No model: the program gets the name that a session asks for, and has its own default.
  keys: programKeys.filter((key) => key !== 'model'),
  program: null,
  async load({ launch, config }) {
    const { processDriver } = await import('./driver.ts');
    return processDriver({ ...launch, name: config.command ?? launch.command });
  },
};
