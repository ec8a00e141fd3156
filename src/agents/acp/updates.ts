/** What is noted of the updates that are neither text nor tools, in few words: the whole of them would fill tapes. */
import { fieldsAt, head, listAt, textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import { textOf } from './wire.ts';

const textMax = 4_000;
const entriesMax = 50;

export type NoticeData = { readonly kind: string; readonly [name: string]: unknown };

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
export function noticeOf(kind: string, update: Fields): NoticeData | 'nothing' | null {
  const cut = (name: string): string | null => {
    const text = textAt(update, name);
    return text === null ? null : head(text, textMax);
  };
  switch (kind) {
    case 'agent_message_chunk':
      return { kind: 'content', type: textAt(fieldsAt(update, 'content'), 'type') };
    case 'agent_thought_chunk': {
      const text = textOf(fieldsAt(update, 'content'));
      return text === null ? 'nothing' : { kind: 'thought', text: head(text, textMax) };
    }
    case 'plan': {
      const entries = listAt(update, 'entries').slice(0, entriesMax);
      const short = entries.map((one) => ({
        content: head(textAt(one, 'content') ?? '', 500),
        status: textAt(one, 'status'),
      }));
      return { kind: 'plan', entries: short };
    }
    case 'notice':
      return { kind: 'notice', severity: cut('severity'), title: cut('title'), description: cut('description') };
    case 'compaction_update':
      return { kind: 'compaction', status: cut('status'), error: cut('error') };
    case 'current_mode_update':
      return { kind: 'mode', mode: cut('currentModeId') };
    default:
      return silent.has(kind) ? 'nothing' : null;
  }
}
