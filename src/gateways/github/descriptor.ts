import type { SourceDescriptor } from '../descriptor.ts';
import { runnerUse, secretsOf } from '../shared/config.ts';
import { GithubConfigSchema, type GithubConfigInput } from './config.ts';

export const descriptor: SourceDescriptor<GithubConfigInput> = {
  schema: GithubConfigSchema,
  secrets: ({ secret }) => secretsOf(secret),
  runners: ({ rules = [] }) => rules.flatMap((rule, index) => runnerUse(`github.rules[${index}]`, rule)),
  async load(box, config) {
    const { githubHook } = await import('./hook.ts');
    return [githubHook({ box, config })];
  },
};
