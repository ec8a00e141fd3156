/** What agents ask permission for, and the policies that answer. `rules/permission-policy.ts` says what a policy means. */
import type { Lane } from './task.ts';

/** What the agent wants to do, in one vocabulary for all dialects. */
export const actionKinds = ['read', 'search', 'edit', 'delete', 'execute', 'fetch', 'other'] as const;
export type ActionKind = (typeof actionKinds)[number];

export interface RequestedAction {
  readonly kind: ActionKind;
  /** The agent's own name of the tool, for example `Bash`. */
  readonly tool: string;
  /** One line for a person: the command, the path. It ends with `…` where it does not show all of it. */
  readonly title: string;
}

export const permissionModes = ['read-only', 'ask', 'allow'] as const;
type PermissionMode = (typeof permissionModes)[number];

/**
 * `read-only`: reading and searching are allowed, all else is denied. `ask`: what `allow` names and reading are allowed, all
 * else waits for a person. `allow`: everything is allowed. `deny` comes first in each.
 * An entry names a kind (`edit`), a tool (`Bash`), a tool with a title (`Bash(npm test)`), or with the beginning of one
 * (`Bash(git log *)`).
 */
export interface PermissionPolicy {
  readonly mode: PermissionMode;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** Least for triage: somebody waits, and a message from outside is in the prompt. */
export const defaultPolicies: { readonly [L in Lane]: PermissionPolicy } = {
  interactive: { mode: 'read-only', allow: [], deny: [] },
  background: { mode: 'ask', allow: ['edit'], deny: [] },
};

/** The class of rights of a task whose words are a stranger's. */
export const untrustedRights = 'untrusted';

/** What such a task may do in any lane, where nothing else is said: read in its folder. It asks nobody. */
export const untrustedPolicy: PermissionPolicy = { mode: 'read-only', allow: [], deny: [] };

export interface PermissionAction extends RequestedAction {
  /** The request as the agent made it. */
  readonly detail: unknown;
}
