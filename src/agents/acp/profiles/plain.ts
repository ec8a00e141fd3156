/** An agent that keeps to the letter. Each profile begins with this one. */
import { plainReading } from '../reading.ts';
import type { Profile } from './profile.ts';

export const plain: Profile = {
  provider: 'acp',
  command: null,
  args: [],
  passEnv: [],
  env: {},
  files: { read: true, write: true },
  sumsUsage: false,
  startedAfterMs: null,
  replaysLate: false,
  modelArgs: null,
  toolName: () => null,
  reading: plainReading,
};
