/** The updates that are neither text nor tools, in few words: the whole of them would fill tapes. */
import type { OutputPart, PlanEntry } from '../../core/events.ts';
import { fieldsAt, head, listAt, textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import { notice } from '../shared/parts.ts';
import { textOf } from './wire.ts';

const textMax = 4_000;
const entriesMax = 50;

/** Changes of what an agent offers, an echo of what we said, and sums that come with the result. */
const silent: ReadonlySet<string> = new Set([
  'available_commands_update',
  'compaction_summary_chunk',
  'config_option_update',
  'session_info_update',
  'usage_update',
  'user_message_chunk',
]);

/** `nothing`: known, and not worth a note. Null: of no known kind. */
export function besidesOf(kind: string, update: Fields): OutputPart | 'nothing' | null {
  const cut = (name: string): string => head(textAt(update, name) ?? '', textMax);
  switch (kind) {
    case 'agent_message_chunk':
      return notice('content', `content of type ${textAt(fieldsAt(update, 'content'), 'type') ?? 'unknown'}`);
    case 'agent_thought_chunk': {
      const text = textOf(fieldsAt(update, 'content'));
      return text === null ? 'nothing' : { kind: 'thinking', text: head(text, textMax) };
    }
    case 'plan': {
      const entries = listAt(update, 'entries').slice(0, entriesMax);
      return { kind: 'plan', entries: entries.map(entryOf) };
    }
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

function entryOf(entry: Fields): PlanEntry {
  const status = textAt(entry, 'status');
  return {
    text: head(textAt(entry, 'content') ?? '', 500),
    status: status === 'completed' || status === 'in_progress' ? status : 'pending',
  };
}
