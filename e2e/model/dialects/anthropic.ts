/** Anthropic's Messages: `POST /v1/messages`. */
import type { Fields, Item } from '../conversation.ts';
import { fieldsOf, isFields, listOf, roleOf, stringOf, textOf } from '../conversation.ts';
import type { Dialect, Stop } from './dialect.ts';
import { usedTokens, fakeMessage, namedFrame } from './dialect.ts';

const stops: { readonly [S in Stop]: string } = { end: 'end_turn', tool: 'tool_use', refusal: 'refusal' };

function itemsOf(body: Fields): readonly Item[] {
  const system = textOf(body['system']);
  const first: readonly Item[] = system === '' ? [] : [{ role: 'system', kind: 'text', text: system }];
  return listOf(body['messages']).reduce<readonly Item[]>((items, message) => {
    const { role, content } = fieldsOf(message);
    const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content);
    return [...items, ...parts.map((part) => itemOf(fieldsOf(part), role))];
  }, first);
}

function itemOf(part: Fields, role: unknown): Item {
  switch (part['type']) {
    case 'text':
      return { role: roleOf(role), kind: 'text', text: stringOf(part['text']) };
    case 'tool_result':
      return { role: 'tool', kind: 'result', text: textOf(part['content']) };
    case 'tool_use':
      return { role: 'assistant', kind: 'call', text: `${stringOf(part['name'])} ${JSON.stringify(part['input'])}` };
    default:
      return { role: roleOf(role), kind: 'other', text: stringOf(part['type']) };
  }
}

/** Where a schema stands has changed over the versions of the API. */
function schemaOf(body: Fields): Fields | null {
  const format = fieldsOf(fieldsOf(body['output_config'])['format'] ?? body['output_format']);
  const { schema } = format;
  return isFields(schema) ? schema : null;
}

const usage = {
  input_tokens: usedTokens.input,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 1,
};

export const anthropic: Dialect = {
  name: 'anthropic',
  matches: (path) => path.endsWith('/messages'),
  read: (_path, body) => ({
    dialect: 'anthropic',
    model: stringOf(body['model']),
    stream: body['stream'] === true,
    items: itemsOf(body),
    tools: listOf(body['tools']).map((tool) => stringOf(fieldsOf(tool)['name'] ?? fieldsOf(tool)['type'])),
    schema: schemaOf(body),
  }),
  writer({ asked, write, id }) {
    let index = 0;
    let open: 'thinking' | 'text' | 'tool_use' | null = null;
    const delta = (content: Fields): void => write(namedFrame('content_block_delta', { index, delta: content }));
    const close = (): void => {
      if (open === 'thinking') {
        delta({ type: 'signature_delta', signature: 'ZmFrZQ==' });
      }
      if (open !== null) {
        write(namedFrame('content_block_stop', { index }));
        index += 1;
        open = null;
      }
    };
    const block = (type: 'thinking' | 'text' | 'tool_use', content: Fields): void => {
      if (open === type) {
        return;
      }
      close();
      write(namedFrame('content_block_start', { index, content_block: { type, ...content } }));
      open = type;
    };
    return {
      begin() {
        const message = { id: id('msg_'), type: 'message', role: 'assistant', model: asked.model, content: [] };
        write(namedFrame('message_start', { message: { ...message, stop_reason: null, stop_sequence: null, usage } }));
        write(namedFrame('ping', {}));
      },
      thinking(piece) {
        block('thinking', { thinking: '', signature: '' });
        delta({ type: 'thinking_delta', thinking: piece });
      },
      text(piece) {
        block('text', { text: '' });
        delta({ type: 'text_delta', text: piece });
      },
      call({ name, input }) {
        block('tool_use', { id: id('toolu_'), name, input: {} });
        delta({ type: 'input_json_delta', partial_json: input });
      },
      end(_said, stop) {
        close();
        const delta_ = { stop_reason: stops[stop], stop_sequence: null };
        write(namedFrame('message_delta', { delta: delta_, usage: { output_tokens: usedTokens.output } }));
        write(namedFrame('message_stop', {}));
      },
      fail: (type) => write(namedFrame('error', { error: { type, message: fakeMessage(type) } })),
    };
  },
  whole: ({ asked, id }, said, call, stop) => ({
    id: id('msg_'),
    type: 'message',
    role: 'assistant',
    model: asked.model,
    content: [
      call === null
        ? { type: 'text', text: said }
        : { type: 'tool_use', id: id('toolu_'), name: call.name, input: JSON.parse(call.input) as unknown },
    ],
    stop_reason: stops[stop],
    stop_sequence: null,
    usage: { ...usage, output_tokens: usedTokens.output },
  }),
  error: (_status, type, message, id) => ({ type: 'error', error: { type, message }, request_id: id('req_') }),
};
