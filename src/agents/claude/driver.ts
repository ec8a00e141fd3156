/**
 * Driver for Claude Code (`claude -p` with stream-json both ways). docs/agents/claude.md says how it works, and what was measured.
 */
import type { AgentDriver } from '../port.ts';
import { ClaudeAgent } from './agent.ts';
import { conversationFiles } from './conversation-files.ts';
import type { ClaudeDriverOptions } from './options.ts';

/** Beyond these the oldest are forgotten: they count as lost if they are resumed before their first turn. */
const blankMax = 10_000;

export function claudeDriver(options: ClaudeDriverOptions = {}): AgentDriver {
  const blank = new Set<string>();
  return {
    name: 'claude',
    provider: options.provider ?? 'anthropic',
    conversationFiles: (place) => conversationFiles(options, place),
    start(start) {
      for (const oldest of blank) {
        if (blank.size < blankMax) {
          break;
        }
        blank.delete(oldest);
      }
      return new ClaudeAgent(options, start, blank);
    },
  };
}
