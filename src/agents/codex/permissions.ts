/**
 * Codex's requests for permission, in the words of all dialects, and how each is answered. Measured with 0.169.0 under
 * `untrusted`, where it asks for every command, patch and tool of an MCP server that is not declared read-only:
 *
 *  - `decline` is accepted although `availableDecisions` does not list it, and the turn continues; `cancel` ends the turn.
 *  - An MCP tool is asked for by an elicitation whose `_meta` says so. Any other elicitation is a form for a person.
 */
import type { RequestedAction } from '../../core/model/permission.ts';
import { fieldsAt, head, listAt, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import type { RpcCall } from '../child/json-rpc.ts';
import { judged, judgedCommand } from '../shared/judge.ts';
import { onlyReads, scriptOf } from '../shared/reading-commands.ts';
import { mcpTool, patchKind, patchTitle, titled, toolNames } from './tools.ts';

/** `cancel`: the turn is interrupted or over. */
type Answer = 'allow' | 'deny' | 'cancel';

export interface PermissionRequest {
  /** Unique within the process. */
  readonly id: string;
  readonly thread: string | null;
  /** Codex does not always name the turn. */
  readonly turn: string | null;
  /**
   * `itemOf`: an item that was announced before the request. `folder`: the session's; null: none. `detail`: the request as Codex
   * made it.
   */
  describe(
    itemOf: (id: string) => Fields | null,
    folder: string | null,
  ): { readonly action: RequestedAction; readonly detail: unknown };
  answer(answer: Answer): void;
}

/** Null: it is not a request for permission. */
export function permissionRequestOf(call: RpcCall): PermissionRequest | null {
  const params = isFields(call.params) ? call.params : {};
  const common = { id: String(call.id), thread: textAt(params, 'threadId'), turn: textAt(params, 'turnId') };
  switch (call.method) {
    case 'item/commandExecution/requestApproval':
      return {
        ...common,
        describe: (_, folder) => ({ action: commandAsk(params, folder), detail: params }),
        answer: (answer) => call.result({ decision: decisions[answer] }),
      };
    case 'item/fileChange/requestApproval':
      return {
        ...common,
        describe(itemOf, folder) {
          const changes = listAt(itemOf(textAt(params, 'itemId') ?? '') ?? {}, 'changes');
          return { action: patchAsk(changes, params, folder), detail: { ...params, changes } };
        },
        answer: (answer) => call.result({ decision: decisions[answer] }),
      };
    case 'item/permissions/requestApproval':
      return {
        ...common,
        describe: () => ({ action: grantAsk(params), detail: params }),
        answer: (answer) => call.result({ permissions: answer === 'allow' ? grantOf(params) : {}, scope: 'turn' }),
      };
    case 'mcpServer/elicitation/request': {
      const meta = fieldsAt(params, '_meta');
      if (meta['codex_approval_kind'] !== 'mcp_tool_call') {
        return null;
      }
      return {
        ...common,
        describe: () => ({ action: mcpAsk(params, meta), detail: params }),
        answer: (answer) =>
          call.result({ action: decisions[answer], content: answer === 'allow' ? {} : null, _meta: null }),
      };
    }
    default:
      return null;
  }
}

const decisions: { readonly [A in Answer]: string } = { allow: 'accept', deny: 'decline', cancel: 'cancel' };

/** A policy must see a second command behind the first, so nothing is left out; a longer text ends with `…`. */
const wholeTitle = (text: string): string => head(text.trim(), 4_000);

function commandAsk(params: Fields, folder: string | null): RequestedAction {
  const host = textAt(fieldsAt(params, 'networkApprovalContext'), 'host');
  if (host !== null) {
    return { kind: 'fetch', tool: toolNames.command, title: titled(host) };
  }
  const script = scriptOf(textAt(params, 'command') ?? '');
  // Text that is typed into a running program is not a command, whatever it looks like.
  const reads = params['kind'] === 'writeStdin' ? null : onlyReads(script);
  const action = { kind: reads ?? ('execute' as const), tool: toolNames.command, title: wholeTitle(script) };
  return judgedCommand(action, script, folder, textAt(params, 'cwd') ?? folder ?? '/');
}

/** A patch whose files are not known may change any, and `grantRoot` is a folder for the whole conversation. */
function patchAsk(changes: readonly Fields[], params: Fields, folder: string | null): RequestedAction {
  const action = { kind: patchKind(changes), tool: toolNames.patch, title: patchTitle(changes) };
  const known = changes.length > 0 && textAt(params, 'grantRoot') === null;
  const paths = changes.flatMap((change) => [textAt(change, 'path'), textAt(fieldsAt(change, 'kind'), 'move_path')]);
  return judged(action, folder, known ? paths.filter((path) => path !== null) : null);
}

/** More files are more than a policy means by any kind. */
function grantAsk(params: Fields): RequestedAction {
  const wanted = fieldsAt(params, 'permissions');
  const asked = ['fileSystem', 'network'].filter((name) => isFields(wanted[name]));
  const title = titled(textAt(params, 'reason') ?? JSON.stringify(wanted));
  return { kind: asked.join() === 'network' ? 'fetch' : 'other', tool: toolNames.permissions, title };
}

/** All that was asked for, for this turn. */
const grantOf = (params: Fields): Fields =>
  Object.fromEntries(Object.entries(fieldsAt(params, 'permissions')).filter(([, value]) => value !== null));

/** What a server says of its own tool proves nothing, so each is `other`. */
function mcpAsk(params: Fields, meta: Fields): RequestedAction {
  const tool = mcpTool(textAt(params, 'serverName') ?? '?', textAt(meta, 'tool_name') ?? '?');
  return { kind: 'other', tool, title: wholeTitle(JSON.stringify(meta['tool_params'] ?? {})) };
}
