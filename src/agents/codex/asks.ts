/**
 * Codex's questions for permission, in the words of all dialects, and its ways to be answered. Measured with 0.169.0 under
 * `untrusted`, where it asks for every command, patch and tool of an MCP server that is not declared read-only:
 *
 *  - `decline` is taken although `availableDecisions` does not list it, and the turn goes on; `cancel` ends the turn.
 *  - An MCP tool is asked for by an elicitation whose `_meta` says so. Any other elicitation is a form for a person.
 */
import type { ActionKind, PermissionAsk } from '../../core/policy.ts';
import type { RpcCall } from '../child/json-rpc.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import { fieldsAt, head, listAt, textAt } from '../child/fields.ts';
import { mcpTool, patchTitle, titled, toolNames } from './items.ts';
import { onlyReads, scriptOf } from './reading.ts';

export type Verdict = 'allow' | 'deny' | 'cancel';

export interface Question {
  readonly ask: PermissionAsk;
  readonly detail: unknown;
  /** Thread and turn that it belongs to; a turn is not always told. */
  readonly thread: string | null;
  answer(verdict: Verdict): void;
}

/** `itemOf`: an item that has been told of by its id. Null: no question for permission. */
export function questionOf(call: RpcCall, itemOf: (id: string) => Fields | null): Question | null {
  const params = isFields(call.params) ? call.params : {};
  const thread = textAt(params, 'threadId');
  switch (call.method) {
    case 'item/commandExecution/requestApproval':
      return { ask: commandAsk(params), detail: params, thread, answer: (verdict) => decide(call, verdict) };
    case 'item/fileChange/requestApproval': {
      const changes = listAt(itemOf(textAt(params, 'itemId') ?? '') ?? {}, 'changes');
      const detail = { ...params, changes: changes.slice(0, 50).map(shortened) };
      return { ask: patchAsk(changes), detail, thread, answer: (verdict) => decide(call, verdict) };
    }
    case 'item/permissions/requestApproval':
      return { ask: grantAsk(params), detail: params, thread, answer: (verdict) => grant(call, params, verdict) };
    case 'mcpServer/elicitation/request': {
      const meta = fieldsAt(params, '_meta');
      if (meta['codex_approval_kind'] !== 'mcp_tool_call') {
        return null;
      }
      return { ask: mcpAsk(params, meta), detail: params, thread, answer: (verdict) => elicit(call, verdict) };
    }
    default:
      return null;
  }
}

function commandAsk(params: Fields): PermissionAsk {
  const network = fieldsAt(params, 'networkApprovalContext');
  const host = textAt(network, 'host');
  if (host !== null) {
    return { kind: 'fetch', tool: toolNames.command, title: titled(host) };
  }
  const script = scriptOf(textAt(params, 'command') ?? '');
  // What is typed into a running program is no command, whatever it looks like.
  const reads = params['kind'] === 'writeStdin' ? null : onlyReads(script);
  return { kind: reads ?? 'execute', tool: toolNames.command, title: wholeTitle(script) };
}

/** All of it: a policy must see a second command behind the first. What is too long ends with `…`, as policies expect. */
const wholeTitle = (text: string): string => head(text.trim(), 4_000);

function patchAsk(changes: readonly Fields[]): PermissionAsk {
  const deletes = changes.some((change) => fieldsAt(change, 'kind')['type'] === 'delete');
  return { kind: deletes ? 'delete' : 'edit', tool: toolNames.patch, title: patchTitle(changes) };
}

function grantAsk(params: Fields): PermissionAsk {
  const wanted = fieldsAt(params, 'permissions');
  const kinds: readonly (readonly [string, ActionKind])[] = [
    ['fileSystem', 'edit'],
    ['network', 'fetch'],
  ];
  const asked = kinds.filter(([name]) => isFields(wanted[name])).map(([, kind]) => kind);
  const title = titled(textAt(params, 'reason') ?? JSON.stringify(wanted));
  return { kind: asked.length === 1 ? (asked[0] ?? 'other') : 'other', tool: toolNames.permissions, title };
}

/** What a server says of its own tool proves nothing: every one of them is `other`. */
function mcpAsk(params: Fields, meta: Fields): PermissionAsk {
  const tool = mcpTool(textAt(params, 'serverName') ?? '?', textAt(meta, 'tool_name') ?? '?');
  return { kind: 'other', tool, title: wholeTitle(JSON.stringify(meta['tool_params'] ?? {})) };
}

const decisions = { allow: 'accept', deny: 'decline', cancel: 'cancel' } as const;

function decide(call: RpcCall, verdict: Verdict): void {
  call.result({ decision: decisions[verdict] });
}

function elicit(call: RpcCall, verdict: Verdict): void {
  call.result({ action: decisions[verdict], content: verdict === 'allow' ? {} : null, _meta: null });
}

/** It is granted what it asked for, for this turn; a denial grants nothing. */
function grant(call: RpcCall, params: Fields, verdict: Verdict): void {
  const wanted = Object.entries(fieldsAt(params, 'permissions')).filter(([, value]) => value !== null);
  call.result({ permissions: verdict === 'allow' ? Object.fromEntries(wanted) : {}, scope: 'turn' });
}

const shortened = (change: Fields): Fields => ({
  path: change['path'],
  kind: change['kind'],
  diff: head(textAt(change, 'diff') ?? '', 2_048),
});
