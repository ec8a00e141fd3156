/**
 * What the app server says without being asked, as one union. Shapes: `codex app-server generate-ts` of 0.169.0.
 *
 * Pure, and throws for nothing that a message may hold.
 */
import type { OutputPart, PlanEntry } from '../../core/model/output.ts';
import { fieldsAt, listAt, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import { notice } from '../shared/parts.ts';

/** About one turn of one conversation. */
export type TurnNotification = { readonly thread: string; readonly turn: string } & (
  | { readonly kind: 'turn-started' }
  /** `end`: a `Turn` of the app server. */
  | { readonly kind: 'turn-completed'; readonly end: Fields }
  | { readonly kind: 'text'; readonly item: string; readonly piece: string }
  /** `paragraph` names the part of the reasoning that the piece continues. */
  | { readonly kind: 'thinking'; readonly item: string; readonly paragraph: string; readonly piece: string }
  /** `item`: a `ThreadItem`. */
  | { readonly kind: 'item'; readonly item: Fields; readonly completed: boolean }
  | { readonly kind: 'plan'; readonly entries: readonly PlanEntry[] }
  /** A request to the model failed. The last failure of a turn comes again with the end of the turn. */
  | { readonly kind: 'error'; readonly error: Fields; readonly willRetry: boolean }
  /** `usage`: a `ThreadTokenUsage`. */
  | { readonly kind: 'tokens'; readonly usage: Fields }
  /** Something works, and says nothing else. */
  | { readonly kind: 'working'; readonly what: string }
);

type Notification =
  | TurnNotification
  /** A request of Codex is over; it says so after each answer too. */
  | { readonly kind: 'request-resolved'; readonly request: string }
  | { readonly kind: 'usage-windows'; readonly limits: Fields }
  /** A person may want to read it. */
  | { readonly kind: 'notice'; readonly part: OutputPart }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'unknown'; readonly problem: string };

export function parseNotification(method: string, value: unknown): Notification {
  const params = isFields(value) ? value : {};
  const read = ofTurn[method];
  if (read === undefined) {
    return ofProcess(method, params);
  }
  const thread = textAt(params, 'threadId');
  const turn = textAt(params, 'turnId') ?? textAt(fieldsAt(params, 'turn'), 'id');
  return thread === null || turn === null
    ? { kind: 'unknown', problem: `${method}: no thread or turn` }
    : { thread, turn, ...read(params) };
}

/** Without the names of thread and turn. */
type TurnNews = TurnNotification extends infer N
  ? N extends TurnNotification
    ? Omit<N, 'thread' | 'turn'>
    : never
  : never;

const working = (what: string) => (): TurnNews => ({ kind: 'working', what });

const reasoning =
  (index: string) =>
  (params: Fields): TurnNews => {
    const item = textAt(params, 'itemId') ?? '';
    return {
      kind: 'thinking',
      item,
      paragraph: `${item}/${String(params[index])}`,
      piece: textAt(params, 'delta') ?? '',
    };
  };

const ofTurn: { readonly [method: string]: (params: Fields) => TurnNews } = {
  'turn/started': () => ({ kind: 'turn-started' }),
  'turn/completed': (params) => ({ kind: 'turn-completed', end: fieldsAt(params, 'turn') }),
  'turn/plan/updated': (params) => ({ kind: 'plan', entries: listAt(params, 'plan').map(planEntry) }),
  'item/started': (params) => ({ kind: 'item', item: fieldsAt(params, 'item'), completed: false }),
  'item/completed': (params) => ({ kind: 'item', item: fieldsAt(params, 'item'), completed: true }),
  'item/agentMessage/delta': (params) => ({
    kind: 'text',
    item: textAt(params, 'itemId') ?? '',
    piece: textAt(params, 'delta') ?? '',
  }),
  'item/reasoning/summaryTextDelta': reasoning('summaryIndex'),
  'item/reasoning/textDelta': reasoning('contentIndex'),
  error: (params) => ({ kind: 'error', error: fieldsAt(params, 'error'), willRetry: params['willRetry'] === true }),
  'thread/tokenUsage/updated': (params) => ({ kind: 'tokens', usage: fieldsAt(params, 'tokenUsage') }),
  'item/plan/delta': working('plan'),
  'item/commandExecution/outputDelta': working('command'),
  'item/fileChange/outputDelta': working('patch'),
  'item/mcpToolCall/progress': working('tool'),
};

const planEntry = (step: Fields): PlanEntry => {
  const status = textAt(step, 'status');
  return {
    text: textAt(step, 'step') ?? '',
    status: status === 'inProgress' ? 'in_progress' : status === 'completed' ? 'completed' : 'pending',
  };
};

function ofProcess(method: string, params: Fields): Notification {
  switch (method) {
    case 'serverRequest/resolved': {
      const id = params['requestId'];
      const known = typeof id === 'number' || typeof id === 'string';
      return known ? { kind: 'request-resolved', request: String(id) } : { kind: 'ignored' };
    }
    case 'account/rateLimits/updated':
      return { kind: 'usage-windows', limits: fieldsAt(params, 'rateLimits') };
    case 'warning':
    case 'guardianWarning':
      return warning(textAt(params, 'message') ?? method);
    case 'configWarning':
    case 'deprecationNotice':
      return warning(textAt(params, 'summary') ?? method);
    case 'mcpServer/startupStatus/updated': {
      const error = textAt(params, 'error');
      return error === null ? { kind: 'ignored' } : warning(`MCP server ${textAt(params, 'name') ?? '?'}: ${error}`);
    }
    case 'model/rerouted':
    case 'modelProvider/authRecoveryStarted':
    case 'modelProvider/authRecoveryCompleted':
      return { kind: 'notice', part: notice('program', method, params) };
    default:
      return ignored.has(method) || method.startsWith('thread/realtime/')
        ? { kind: 'ignored' }
        : { kind: 'unknown', problem: `unknown notification ${method.slice(0, 100)}` };
  }
}

const warning = (message: string): Notification => ({ kind: 'notice', part: notice('warning', message) });

const ignored: ReadonlySet<string> = new Set([
  'account/gatewayOAuth/changed',
  'account/login/completed',
  'account/updated',
  'app/list/updated',
  'command/exec/outputDelta',
  'externalAgentConfig/import/completed',
  'externalAgentConfig/import/progress',
  'fs/changed',
  'fuzzyFileSearch/sessionCompleted',
  'fuzzyFileSearch/sessionUpdated',
  'hook/completed',
  'hook/started',
  'item/autoApprovalReview/completed',
  'item/autoApprovalReview/started',
  'item/commandExecution/terminalInteraction',
  'item/fileChange/patchUpdated',
  'item/reasoning/summaryPartAdded',
  'mcpServer/event/stream/notification',
  'mcpServer/oauthLogin/completed',
  'model/safetyBuffering/updated',
  'model/verification',
  'process/exited',
  'process/outputDelta',
  'project/changed',
  'rawResponse/completed',
  'rawResponseItem/completed',
  'remoteControl/status/changed',
  'skills/changed',
  'thread/archived',
  'thread/attachment/updated',
  'thread/compacted',
  'thread/deleted',
  'thread/environment/connected',
  'thread/environment/disconnected',
  'thread/goal/cleared',
  'thread/goal/updated',
  'thread/name/updated',
  'thread/prediction/updated',
  'thread/project/updated',
  'thread/queue/changed',
  'thread/readState/changed',
  'thread/reverted',
  'thread/section/changed',
  'thread/settings/updated',
  'thread/started',
  'thread/status/changed',
  'thread/unarchived',
  'turn/diff/updated',
  'turn/moderationMetadata',
  'windows/worldWritableWarning',
  'windowsSandbox/setupCompleted',
]);
