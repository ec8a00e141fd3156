/**
 * What a task's policy says of a permission request of its agent. Pure; the one place where a policy is read.
 */
import { actionKinds, type PermissionPolicy, type RequestedAction } from '../model/permission.ts';

/** Null: a person has to decide. */
export function policyDecision(policy: PermissionPolicy, action: RequestedAction): 'allow' | 'deny' | null {
  if (policy.deny.some((entry) => names(entry, action) !== 'no')) {
    return 'deny';
  }
  if (policy.mode === 'allow' || action.kind === 'read' || action.kind === 'search') {
    return 'allow';
  }
  if (policy.allow.some((entry) => names(entry, action) === 'wholly')) {
    return 'allow';
  }
  return policy.mode === 'ask' ? null : 'deny';
}

/** What can hang a second command on the first one, in any shell. */
const joins = /[;&|<>`$()\n\r]/;
/** A way out of the folder that the beginning of a path names. */
const leaves = /(?:^|[\\/])\.\.(?:[\\/]|$)/;

const kinds: ReadonlySet<string> = new Set(actionKinds);

/**
 * `partly`: the beginning is the entry's, and the rest may be anything: another command behind it, or what was cut off. That
 * is enough to deny, and not enough to allow.
 */
function names(entry: string, action: RequestedAction): 'wholly' | 'partly' | 'no' {
  const open = entry.indexOf('(');
  if (open === -1) {
    // A tool that is called like a kind gets nothing by that.
    return entry === (kinds.has(entry) ? action.kind : action.tool) ? 'wholly' : 'no';
  }
  if (entry.slice(0, open) !== action.tool) {
    return 'no';
  }
  const inside = entry.slice(open + 1, -1);
  if (!inside.endsWith('*')) {
    return action.title === inside ? 'wholly' : 'no';
  }
  const start = inside.slice(0, -1);
  // `git log *` means the bare command too.
  if (!action.title.startsWith(start) && action.title !== start.trimEnd()) {
    return 'no';
  }
  const rest = action.title.slice(start.length);
  const more = action.title.endsWith('…') || leaves.test(rest) || (action.kind === 'execute' && joins.test(rest));
  return more ? 'partly' : 'wholly';
}
