import { fieldsAt, textAt } from '../child/fields.ts';
import { isFields } from '../child/json-lines.ts';

/** The provider's own words, where a message is the JSON body of its response. Null: it is not. */
export function messageInBody(message: string): string | null {
  if (!message.startsWith('{')) {
    return null;
  }
  try {
    const body: unknown = JSON.parse(message);
    return isFields(body) ? textAt(fieldsAt(body, 'error'), 'message') : null;
  } catch {
    return null;
  }
}
