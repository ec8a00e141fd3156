import { join } from 'node:path';
import { dataFiles } from '../../protocol/folder.ts';
import type { BuiltInAgent } from '../descriptor.ts';

export const descriptor: BuiltInAgent = {
  kind: 'built-in',
  name: 'scripted',
  title: 'the scripted agent',
  summary:
    'the stand-in: answers with the prompt, and obeys directives such as `[[work:12,200]]`. The default until a real agent is configured',
  page: 'agent-protocol.md',
  keys: ['args', 'env', 'passEnv', 'nice'],
  async load({ launch, config: { args }, dataFolder }) {
    const { scriptedDriver } = await import('./driver.ts');
    return scriptedDriver({
      ...launch,
      ...(args === undefined ? {} : { flags: args }),
      state: join(dataFolder, dataFiles.scripted),
    });
  },
};
