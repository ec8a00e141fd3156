/** The driver with the real Copilot CLI, offline. Left out, and said so, where it is not installed. */
import { realTests } from './real/acp.ts';

realTests('copilot', {
  prompts: { empty: { unable: 'it calls an empty answer a failure' } },
  models: { unable: 'with a provider of one’s own it offers no choice of models' },
});
