/**
 * GitHub Copilot CLI, measured with 1.0.102. It tells failed requests as a normal end with text, and its usage as the sum of
 * its process. A cancel that it reads 2 to 4 ms after the prompt is lost in a few of a hundred turns. GITHUB_TOKEN and GH_TOKEN are not passed on: they are as likely the daemon's own.
 */
import { copilotReading } from '../reading.ts';
import { plain } from './plain.ts';
import type { Profile } from './profile.ts';

export const copilot: Profile = {
  ...plain,
  provider: 'github',
  command: 'copilot',
  args: ['--acp'],
  passEnv: [
    'COPILOT_GITHUB_TOKEN',
    'COPILOT_HOME',
    'COPILOT_MODEL',
    'COPILOT_OFFLINE',
    'COPILOT_PROVIDER_API_KEY',
    'COPILOT_PROVIDER_BASE_URL',
    'COPILOT_PROVIDER_BEARER_TOKEN',
    'COPILOT_PROVIDER_TYPE',
    'COPILOT_PROVIDER_WIRE_API',
    'GH_HOST',
  ],
  // A program that exchanges itself while it runs is nobody's to supervise.
  env: { COPILOT_AUTO_UPDATE: 'false' },
  sumsUsage: true,
  startedAfterMs: 100,
  modelArgs: (model) => ['--model', model],
  reading: copilotReading,
};
