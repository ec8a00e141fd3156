/**
 * What a task's policy says of a permission request of its agent. Pure; the one place where a policy is read.
 */
import type { Lane } from './model.ts';

/** What the agent wants to do, in one vocabulary for all dialects. */
export type ActionKind = 'read' | 'search' | 'edit' | 'delete' | 'execute' | 'fetch' | 'other';

export interface PermissionAsk {
  readonly kind: ActionKind;
  /** The agent's own name of the tool, for example `Bash`. */
  readonly tool: string;
  /** One line for a person: the command, the path. */
  readonly title: string;
}

/**
 * `read-only`: reading and searching are allowed, all else is denied. `ask`: what `allow` names and reading are allowed, all
 * else waits for a person. `allow`: everything is allowed. `deny` comes first in each.
 * An entry names a kind (`edit`), a tool (`Bash`), or a tool with the beginning of its title (`Bash(git status`).
 */
export interface PermissionPolicy {
  readonly mode: 'read-only' | 'ask' | 'allow';
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** Least for triage: somebody waits, and a message from outside is in the prompt. */
export const DEFAULT_POLICIES: { readonly [L in Lane]: PermissionPolicy } = {
  interactive: { mode: 'read-only', allow: [], deny: [] },
  background: { mode: 'ask', allow: ['edit'], deny: [] },
};

/** Null: a person has to decide. */
export function judge(policy: PermissionPolicy, ask: PermissionAsk): 'allow' | 'deny' | null {
  if (policy.deny.some((entry) => names(entry, ask))) {
    return 'deny';
  }
  if (policy.mode === 'allow' || ask.kind === 'read' || ask.kind === 'search') {
    return 'allow';
  }
  if (policy.allow.some((entry) => names(entry, ask))) {
    return 'allow';
  }
  return policy.mode === 'ask' ? null : 'deny';
}

function names(entry: string, ask: PermissionAsk): boolean {
  const open = entry.indexOf('(');
  if (open === -1) {
    return entry === ask.kind || entry === ask.tool;
  }
  const start = entry.endsWith(')') ? entry.slice(open + 1, -1) : entry.slice(open + 1);
  return entry.slice(0, open) === ask.tool && ask.title.startsWith(start);
}
