import type { SourceDescriptor } from '../descriptor.ts';
import { listOf } from '../shared/config.ts';
import { GithubConfigSchema, type GithubConfigInput } from './config.ts';

export const descriptor: SourceDescriptor<GithubConfigInput> = {
  schema: GithubConfigSchema,
  secrets: ({ secret }) => listOf(secret),
  async load(box, config) {
    const { githubHook } = await import('./hook.ts');
    return [githubHook({ box, config })];
  },
};
