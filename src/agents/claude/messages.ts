/** Our messages to Claude Code. It exits on anything on its stdin that is not a whole JSON line. */
import type { Fields } from '../child/fields.ts';
import { behindBlank, withoutMentions } from '../shared/plain-text.ts';

export const userMessage = (uuid: string, text: string): Fields => ({
  type: 'user',
  message: { role: 'user', content: [{ type: 'text', text }] },
  parent_tool_use_id: null,
  uuid,
});

export const controlRequest = (
  id: string,
  request: { readonly subtype: string; readonly [name: string]: unknown },
): Fields => ({
  type: 'control_request',
  request_id: id,
  request,
});

export const controlAnswer = (id: string, response: object): Fields => ({
  type: 'control_response',
  response: { subtype: 'success', request_id: id, response },
});

export const controlError = (id: string, error: string): Fields => ({
  type: 'control_response',
  response: { subtype: 'error', request_id: id, error },
});

/**
 * A prompt as plain text. A leading blank keeps `/clear` and its like from being a command (measured with 2.1.197 and
 * 2.1.329). `mentions`: this version reads `@path` into the prompt whatever the environment says; an invisible word joiner
 * prevents it.
 */
export function plainText(text: string, mentions: boolean): string {
  const words = behindBlank(text);
  return mentions ? withoutMentions(words) : words;
}
