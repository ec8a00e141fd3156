import { pathToFileURL } from 'node:url';
import { AppError } from '../../core/errors.ts';
import type { ModuleAgent } from '../descriptor.ts';
import type { AgentFunction } from './options.ts';

const badModule = (message: string, hint: string): AppError =>
  new AppError({ code: 'bad_config', message: `agent.module: ${message}`, hint });

async function functionOf(file: string): Promise<AgentFunction> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded;
  } catch (error) {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw badModule(`${file} could not be loaded: ${what}`, `Run \`node ${file}\`, which shows the same error.`);
  }
  if (typeof loaded.default !== 'function') {
    throw badModule(`${file} has no function as its default export`, 'Export an async generator function.');
  }
  return loaded.default as AgentFunction;
}

export const descriptor: ModuleAgent = {
  kind: 'module',
  name: 'function',
  title: 'a function',
  summary:
    'a module of yours, `agent.module`, whose default export is the agent: `async function* (prompt, context)`. It runs in the daemon',
  page: 'agents/worker.md',
  keys: ['module', 'provider'],
  async load({ module, config: { provider } }) {
    const run = await functionOf(module);
    const { functionDriver } = await import('./driver.ts');
    return functionDriver(run, provider === undefined ? {} : { provider });
  },
};
