import { type ProgramAgent, programKeys } from '../descriptor.ts';
import { anthropicHome, anthropicLogin } from '../shared/logins.ts';
import { widening } from './settings.ts';

export const descriptor: ProgramAgent = {
  kind: 'program',
  name: 'claude',
  title: 'Claude Code',
  summary: 'Claude Code, in its stream-json mode',
  page: 'agents/claude.md',
  keys: [...programKeys, 'trustSettings'],
  program: {
    command: 'claude',
    variable: 'AGENT_BIN_CLAUDE',
    install: 'npm install --global @anthropic-ai/claude-code',
    login: anthropicLogin,
    widening,
    home: anthropicHome,
  },
  load: async ({ launch, config: { trustSettings = false } }) =>
    (await import('./driver.ts')).claudeDriver({ ...launch, trustSettings }),
};
