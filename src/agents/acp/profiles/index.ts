/** The programs whose ways are known, by the name that chooses them. */
import { claudeAgentAcp } from './claude-agent-acp.ts';
import { codexAcp } from './codex-acp.ts';
import { copilot } from './copilot.ts';
import { gemini } from './gemini.ts';
import { opencode } from './opencode.ts';
import { plain } from './plain.ts';
import type { Profile } from './profile.ts';

export const profiles = {
  acp: plain,
  gemini,
  copilot,
  opencode,
  'claude-agent-acp': claudeAgentAcp,
  'codex-acp': codexAcp,
} as const satisfies { readonly [name: string]: Profile };

export type ProfileName = keyof typeof profiles;
