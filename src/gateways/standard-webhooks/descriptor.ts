import type { SourceDescriptor } from '../descriptor.ts';
import { runnerUse, secretsOf } from '../shared/config.ts';
import { HooksConfigSchema, type HooksConfigInput } from './config.ts';

export const descriptor: SourceDescriptor<HooksConfigInput> = {
  schema: HooksConfigSchema,
  // A sender shows its secret with the prefix or without.
  secrets: (hooks) =>
    Object.values(hooks)
      .flatMap(({ secret }) => secretsOf(secret))
      .flatMap((text) => [text, text.replace(/^whsec_/, '')]),
  runners: (hooks) => Object.entries(hooks).flatMap(([name, hook]) => runnerUse(`hooks.${name}`, hook)),
  async load(box, config) {
    const { standardHooks } = await import('./hook.ts');
    return standardHooks({ box, config });
  },
};
