/**
 * What an agent says, read with care: its answers to what opens a session, and the updates that are neither text nor tools.
 *
 * Pure, and throws for nothing that a message may hold.
 */
import type { OutputPart, PlanEntry } from '../../core/model/output.ts';
import { fieldsAt, head, listAt, numberAt, textAt } from '../child/fields.ts';
import { type Fields, isFields } from '../child/json-lines.ts';
import { notice } from '../shared/parts.ts';

/** What an agent says of itself. */
export interface AgentAbilities {
  readonly version: number | null;
  readonly load: boolean;
  readonly resume: boolean;
  readonly steer: boolean;
}

export function readAbilities(result: unknown): AgentAbilities {
  const said = isFields(result) ? result : {};
  const can = fieldsAt(said, 'agentCapabilities');
  return {
    version: numberAt(said, 'protocolVersion'),
    load: can['loadSession'] === true,
    // Declared by an object, most often an empty one.
    resume: isFields(fieldsAt(can, 'sessionCapabilities')['resume']),
    steer: fieldsAt(fieldsAt(said, '_meta'), 'steering')['supported'] === true,
  };
}

/** How the model of a session is changed, and which one it has. */
export interface Models {
  /** Id of the configuration option; null: by `session/set_model`. */
  readonly option: string | null;
  readonly current: string | null;
}

/** From the answer that opens a session; null: it offers no choice. */
export function readModels(result: unknown): Models | null {
  const said = isFields(result) ? result : {};
  const option = modelOption(listAt(said, 'configOptions'));
  if (option !== null) {
    return option;
  }
  const { models } = said;
  return isFields(models) ? { option: null, current: textAt(models, 'currentModelId') } : null;
}

/** The option of category `model`, else the one of that name. */
export function modelOption(options: readonly Fields[]): Models | null {
  const selects = options.filter((one) => one['type'] === 'select');
  const found = selects.find((one) => one['category'] === 'model') ?? selects.find((one) => one['id'] === 'model');
  const id = found === undefined ? null : textAt(found, 'id');
  return found === undefined || id === null ? null : { option: id, current: textAt(found, 'currentValue') };
}

/** Text of a content block; null: it is of another kind. */
export function textOf(block: Fields): string | null {
  return block['type'] === 'text' ? textAt(block, 'text') : null;
}

/** They may come at any time, and say nothing of a turn. */
const ofSession: ReadonlySet<string> = new Set([
  'available_commands_update',
  'config_option_update',
  'current_mode_update',
  'session_info_update',
]);

export const isOfSession = (kind: string): boolean => ofSession.has(kind);

/** A piece of what the agent says or thinks. */
export const isWords = (kind: string): boolean => kind === 'agent_message_chunk' || kind === 'agent_thought_chunk';

/** Changes of what an agent offers, an echo of our prompts, and sums that come with the result. */
const silent: ReadonlySet<string> = new Set([
  'available_commands_update',
  'compaction_summary_chunk',
  'config_option_update',
  'session_info_update',
  'usage_update',
  'user_message_chunk',
]);

const noticeMax = 4_000;
const entriesMax = 50;
const entryMax = 500;

/** An update that is neither text nor a tool call. `nothing`: it says nothing for a tape. Null: its kind is not known. */
export function partOf(kind: string, update: Fields): OutputPart | 'nothing' | null {
  const cut = (name: string): string => head(textAt(update, name) ?? '', noticeMax);
  switch (kind) {
    case 'agent_message_chunk':
      return notice('content', `content of type ${textAt(fieldsAt(update, 'content'), 'type') ?? 'unknown'}`);
    case 'agent_thought_chunk': {
      const text = textOf(fieldsAt(update, 'content')) ?? '';
      return text === '' ? 'nothing' : { kind: 'thinking', text };
    }
    case 'plan':
      return { kind: 'plan', entries: listAt(update, 'entries').slice(0, entriesMax).map(planEntry) };
    case 'notice':
      return notice(cut('severity') || 'notice', [cut('title'), cut('description')].filter(Boolean).join(': '));
    case 'compaction_update':
      return notice('compaction', [cut('status'), cut('error')].filter(Boolean).join(': '));
    case 'current_mode_update':
      return notice('mode', cut('currentModeId'));
    default:
      return silent.has(kind) ? 'nothing' : null;
  }
}

function planEntry(entry: Fields): PlanEntry {
  const status = textAt(entry, 'status');
  return {
    text: head(textAt(entry, 'content') ?? '', entryMax),
    status: status === 'completed' || status === 'in_progress' ? status : 'pending',
  };
}
