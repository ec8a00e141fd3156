import { type ProgramAgent, programKeys } from '../descriptor.ts';
import { openaiHome, openaiLogin } from '../shared/logins.ts';
import { widening } from './settings.ts';

export const descriptor: ProgramAgent = {
  kind: 'program',
  name: 'codex',
  title: 'Codex',
  summary: 'Codex, by its app server',
  page: 'agents/codex.md',
  keys: [...programKeys, 'trustSettings'],
  program: {
    command: 'codex',
    variable: 'AGENT_BIN_CODEX',
    install: 'npm install --global @openai/codex',
    login: openaiLogin,
    widening,
    home: openaiHome,
  },
  load: async ({ launch, config: { trustSettings = false } }) =>
    (await import('./driver.ts')).codexDriver({ ...launch, trustSettings }),
};
