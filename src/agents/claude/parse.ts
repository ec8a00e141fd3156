/**
 * What Claude Code says: every frame becomes an `Incoming`, and none throws. Recorded from 2.1.329 and from 2.1.197, which lacks
 * receipts, lifecycle events, capabilities, and the names of messages in its results.
 */
import { fieldsAt, isFields, listAt, textAt, type Fields } from '../child/fields.ts';

export type Incoming =
  /** The response to a request of ours, or an echo of a response of ours. */
  | { readonly kind: 'response'; readonly id: string; readonly error: string | null; readonly body: Fields }
  | { readonly kind: 'request'; readonly id: string; readonly subtype: string; readonly body: Fields }
  | { readonly kind: 'withdrawal'; readonly id: string }
  | { readonly kind: 'lifecycle'; readonly uuid: string; readonly state: string }
  /** A turn begins; `uuids` are the messages it is for. `capabilities`: null where this version has none. */
  | { readonly kind: 'init'; readonly uuids: readonly string[]; readonly capabilities: readonly string[] | null }
  | { readonly kind: 'requesting'; readonly uuids: readonly string[] }
  | { readonly kind: 'replay'; readonly uuid: string }
  | { readonly kind: 'retry'; readonly frame: Fields }
  | { readonly kind: 'stream'; readonly event: Fields; readonly subagent: boolean; readonly uuids: readonly string[] }
  | {
      readonly kind: 'assistant';
      readonly frame: Fields;
      readonly subagent: boolean;
      readonly uuids: readonly string[];
    }
  /** `report`: what the tool itself reports beside its result for the model; undefined: nothing, or there are several results. */
  | { readonly kind: 'tool-results'; readonly results: readonly Fields[]; readonly report: unknown }
  | {
      readonly kind: 'result';
      readonly frame: Fields;
      readonly uuids: readonly string[];
      readonly unsolicited: boolean;
    }
  | { readonly kind: 'limits'; readonly info: Fields }
  /** What runs in the background, all of it. */
  | { readonly kind: 'background'; readonly frame: Fields }
  /** Worth a line on the tape. */
  | { readonly kind: 'notice'; readonly name: string; readonly frame: Fields }
  /** It shows that the agent works, and nothing else. */
  | { readonly kind: 'activity'; readonly name: string }
  | { readonly kind: 'unknown'; readonly problem: string };

/** The content of a turn. */
export type IncomingContent = Extract<Incoming, { kind: 'stream' | 'assistant' | 'tool-results' }>;

/** What Claude Code says of itself. `keep`: it goes on the tape. */
const systemSubtypes: { readonly [subtype: string]: 'keep' | 'pass' } = {
  compact_boundary: 'keep',
  permission_denied: 'keep',
  model_refusal_fallback: 'keep',
  model_refusal_no_fallback: 'keep',
  informational: 'keep',
  notification: 'keep',
  mirror_error: 'keep',
  task_started: 'keep',
  task_notification: 'keep',
  local_command_output: 'keep',
  status: 'pass',
  session_state_changed: 'pass',
  task_updated: 'pass',
  task_progress: 'pass',
  commands_changed: 'pass',
  thinking_tokens: 'pass',
  hook_started: 'pass',
  hook_progress: 'pass',
  hook_response: 'pass',
  files_persisted: 'pass',
  memory_recall: 'pass',
  plugin_install: 'pass',
  elicitation_complete: 'pass',
  control_request_progress: 'pass',
  worker_shutting_down: 'pass',
};

const otherTypes: { readonly [type: string]: 'keep' | 'pass' } = {
  conversation_reset: 'keep',
  auth_status: 'keep',
  tool_progress: 'pass',
  tool_use_summary: 'pass',
  prompt_suggestion: 'pass',
  active_goal: 'pass',
  keep_alive: 'pass',
};

export function parseFrame(frame: Fields): Incoming {
  const type = textAt(frame, 'type');
  switch (type) {
    case null:
      return unknown('no type');
    case 'control_response':
      return response(fieldsAt(frame, 'response'));
    case 'control_request': {
      const body = fieldsAt(frame, 'request');
      const id = textAt(frame, 'request_id');
      return id === null
        ? unknown('control_request without an id')
        : { kind: 'request', id, subtype: textAt(body, 'subtype') ?? '', body };
    }
    case 'control_cancel_request':
      return { kind: 'withdrawal', id: textAt(frame, 'request_id') ?? '' };
    case 'command_lifecycle':
      return { kind: 'lifecycle', uuid: textAt(frame, 'command_uuid') ?? '', state: textAt(frame, 'state') ?? '' };
    case 'system':
      return system(frame, textAt(frame, 'subtype') ?? '');
    case 'stream_event':
      return { kind: 'stream', event: fieldsAt(frame, 'event'), subagent: isSubagent(frame), uuids: uuidsOf(frame) };
    case 'assistant':
      return { kind: 'assistant', frame, subagent: isSubagent(frame), uuids: uuidsOf(frame) };
    case 'user':
      return user(frame);
    case 'result':
      return { kind: 'result', frame, uuids: uuidsOf(frame), unsolicited: isFields(frame['origin']) };
    case 'rate_limit_event':
      return { kind: 'limits', info: fieldsAt(frame, 'rate_limit_info') };
    default:
      return aside(otherTypes[type], type, frame);
  }
}

const unknown = (problem: string): Incoming => ({ kind: 'unknown', problem });

function aside(what: 'keep' | 'pass' | undefined, name: string, frame: Fields): Incoming {
  if (what === undefined) {
    return unknown(`unknown message ${name.slice(0, 100)}`);
  }
  return what === 'keep' ? { kind: 'notice', name, frame } : { kind: 'activity', name };
}

function response(body: Fields): Incoming {
  const id = textAt(body, 'request_id');
  if (id === null) {
    return unknown('control_response without an id');
  }
  const error = body['subtype'] === 'error' ? (textAt(body, 'error') ?? 'no reason given') : null;
  return { kind: 'response', id, error, body: fieldsAt(body, 'response') };
}

function system(frame: Fields, subtype: string): Incoming {
  if (subtype === 'init') {
    const list = frame['capabilities'];
    return { kind: 'init', uuids: uuidsOf(frame), capabilities: Array.isArray(list) ? list.map(String) : null };
  }
  if (subtype === 'status' && frame['status'] === 'requesting') {
    return { kind: 'requesting', uuids: uuidsOf(frame) };
  }
  if (subtype === 'api_retry') {
    return { kind: 'retry', frame };
  }
  if (subtype === 'background_tasks_changed') {
    return { kind: 'background', frame };
  }
  return aside(systemSubtypes[subtype], subtype, frame);
}

function user(frame: Fields): Incoming {
  if (frame['isReplay'] === true) {
    return { kind: 'replay', uuid: textAt(frame, 'uuid') ?? '' };
  }
  const results = listAt(fieldsAt(frame, 'message'), 'content').filter((block) => block['type'] === 'tool_result');
  return results.length === 0
    ? { kind: 'activity', name: 'user' }
    : { kind: 'tool-results', results, report: results.length === 1 ? frame['tool_use_result'] : undefined };
}

/** It comes from a subagent, which a tool has started. */
const isSubagent = (frame: Fields): boolean => typeof frame['parent_tool_use_id'] === 'string';

/** Those of our messages that a frame is about. */
function uuidsOf(frame: Fields): readonly string[] {
  const list = frame['user_message_uuids'];
  if (Array.isArray(list)) {
    return list.filter((one) => typeof one === 'string');
  }
  const one = textAt(frame, 'user_message_uuid');
  return one === null ? [] : [one];
}

/** The names of messages in a receipt; null: this version gives no receipts. */
export function namesAt(body: Fields, name: string): readonly string[] | null {
  const list = body[name];
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : null;
}
