/** Notifications of the app server that say nothing a turn needs, by name; and those that a person may want to read. */
import type { Fields } from '../child/json-lines.ts';
import type { OutputPart } from '../../core/events.ts';
import { textAt } from '../child/fields.ts';
import { notice } from '../shared/parts.ts';

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
  'turn/plan/updated',
  'windows/worldWritableWarning',
  'windowsSandbox/setupCompleted',
]);

const ignoredFamilies = ['thread/realtime/'];

export const isIgnored = (method: string): boolean =>
  ignored.has(method) || ignoredFamilies.some((family) => method.startsWith(family));

/** Signs of life of a turn that say nothing by themselves, and what they are of. */
export const signsOfLife: { readonly [method: string]: string } = {
  'item/reasoning/textDelta': 'reasoning',
  'item/reasoning/summaryTextDelta': 'reasoning',
  'item/plan/delta': 'plan',
  'item/commandExecution/outputDelta': 'command',
  'item/fileChange/outputDelta': 'patch',
  'item/mcpToolCall/progress': 'tool',
};

/** `nothing`: it is a notice that says nothing now. Null: it is not a notice. */
export function noticeOf(method: string, params: Fields): OutputPart | 'nothing' | null {
  switch (method) {
    case 'warning':
    case 'guardianWarning':
      return notice('warning', textAt(params, 'message') ?? method);
    case 'configWarning':
    case 'deprecationNotice':
      return notice('warning', textAt(params, 'summary') ?? method);
    case 'model/rerouted':
    case 'modelProvider/authRecoveryStarted':
    case 'modelProvider/authRecoveryCompleted':
      return notice('program', method, params);
    case 'mcpServer/startupStatus/updated': {
      const error = textAt(params, 'error');
      return error === null ? 'nothing' : notice('warning', `MCP server ${textAt(params, 'name') ?? '?'}: ${error}`);
    }
    default:
      return null;
  }
}
