import { type ProgramAgent, programKeys } from '../descriptor.ts';
import { anthropicHome, anthropicLogin } from '../shared/logins.ts';

export const descriptor: ProgramAgent = {
  kind: 'program',
  name: 'claude',
  title: 'Claude Code',
  summary: 'Claude Code, in its stream-json mode',
  page: 'agents/claude.md',
  keys: programKeys,
  program: {
    command: 'claude',
    variable: 'AGENT_BIN_CLAUDE',
    install: 'npm install --global @anthropic-ai/claude-code',
    login: anthropicLogin,
    home: anthropicHome,
  },
  load: async ({ launch }) => (await import('./driver.ts')).claudeDriver(launch),
};
