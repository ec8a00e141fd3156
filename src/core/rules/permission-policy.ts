/**
 * What a task's policy says of a permission request of its agent. Pure; the one place where a policy is read.
 */
import { globOf } from '../glob.ts';
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

/** Why a policy denies what it denies, for the agent and for a person. */
export function denialNote(policy: PermissionPolicy, action: RequestedAction): string {
  const rule = policy.deny.find((entry) => names(entry, action) !== 'no');
  return rule === undefined
    ? `The policy of the task is ${policy.mode}, and none of its rules allows this.`
    : `The rule ${rule} of the policy of the task denies this.`;
}

/** The narrowest rule that allows the action. One of a shortened title would match nothing, and a star means a beginning. */
export const ruleFor = ({ tool, title }: RequestedAction): string =>
  /[*…]$/.test(title) || title === '' ? tool : `${tool}(${title})`;

/** What can hang a second command on the first one, in any shell. */
const joins = /[;&|<>`$()\n\r]/;
/** A way out of the folder that the beginning of a path names. */
const leaves = /(?:^|[\\/])\.\.(?:[\\/]|$)/;

const kinds: ReadonlySet<string> = new Set(actionKinds);

/** Clients name the tools of an MCP server `mcp__SERVER__TOOL`; rules also `mcp:SERVER/TOOL`, in which `*` matches any text. */
const mcpName = /^mcp__(.+?)__(.+)$/s;

/** Whether the part before the parentheses means the tool, or the kind of what it does. A tool that is called like a kind gets nothing by that. */
function meansTool(head: string, { kind, tool }: RequestedAction): boolean {
  if (kinds.has(head)) {
    return head === kind;
  }
  const [, server = '', name = ''] = mcpName.exec(tool) ?? [];
  const known = head.startsWith('mcp:') ? `mcp:${server}/${name}` : tool;
  return head.includes('*') ? globOf(head).test(known) : head === known;
}

/**
 * `partly`: the beginning is the entry's, and the rest may be anything: another command behind it, or what was cut off. That
 * is enough to deny, and not enough to allow.
 */
function names(entry: string, action: RequestedAction): 'wholly' | 'partly' | 'no' {
  const open = entry.indexOf('(');
  if (open === -1) {
    return meansTool(entry, action) ? 'wholly' : 'no';
  }
  if (!meansTool(entry.slice(0, open), action)) {
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
