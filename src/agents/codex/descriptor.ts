import { type ProgramAgent, programKeys } from '../descriptor.ts';
import { openaiHome, openaiLogin } from '../shared/logins.ts';

export const descriptor: ProgramAgent = {
  kind: 'program',
  name: 'codex',
  title: 'Codex',
  summary: 'Codex, by its app server',
  page: 'agents/codex.md',
  keys: programKeys,
  program: {
    command: 'codex',
    variable: 'AGENT_BIN_CODEX',
    install: 'npm install --global @openai/codex',
    login: openaiLogin,
    home: openaiHome,
  },
  load: async ({ launch }) => (await import('./driver.ts')).codexDriver(launch),
};
