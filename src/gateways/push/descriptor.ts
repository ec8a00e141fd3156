import type { DoorDescriptor } from '../descriptor.ts';
import { secretsOf } from '../shared/config.ts';
import { NotifyConfigSchema, type NotifyConfig } from './config.ts';

export const descriptor: DoorDescriptor<NotifyConfig> = {
  schema: NotifyConfigSchema,
  // A receiver may show its secret with the prefix or without.
  secrets: (targets) =>
    targets.flatMap(({ secret }) => secretsOf(secret)).flatMap((text) => [text, text.replace(/^whsec_/, '')]),
  async load(config) {
    const { pushDoors } = await import('./door.ts');
    return pushDoors(config);
  },
};
