/** OpenAI's Chat Completions: `POST /v1/chat/completions`. */
import type { Fields, Item } from '../conversation.ts';
import { fieldsOf, isFields, listOf, roleOf, stringOf, textOf } from '../conversation.ts';
import type { Call, Dialect, Stop, WriterOptions } from './dialect.ts';
import { usedTokens, fakeMessage, frame } from './dialect.ts';

const stops: { readonly [S in Stop]: string } = { end: 'stop', tool: 'tool_calls', refusal: 'content_filter' };

function itemsOf(message: Fields): readonly Item[] {
  const text = textOf(message['content']);
  if (message['role'] === 'tool') {
    return [{ role: 'tool', kind: 'result', text }];
  }
  const calls = listOf(message['tool_calls']).map((call): Item => {
    const { name, arguments: input } = fieldsOf(fieldsOf(call)['function']);
    return { role: 'assistant', kind: 'call', text: `${stringOf(name)} ${stringOf(input)}` };
  });
  return [...(text === '' ? [] : [{ role: roleOf(message['role']), kind: 'text', text } as const]), ...calls];
}

const toolName = (tool: Fields): string => stringOf(fieldsOf(tool['function'])['name'] ?? tool['type']);

const callOf = ({ name, input }: Call, id: WriterOptions['id']): Fields => ({
  id: id('call_'),
  type: 'function',
  function: { name, arguments: input },
});

const usage = { prompt_tokens: usedTokens.input, completion_tokens: usedTokens.output, total_tokens: usedTokens.total };

export const chat: Dialect = {
  name: 'chat',
  matches: (path) => path.endsWith('/chat/completions'),
  read(_path, body) {
    const { schema } = fieldsOf(fieldsOf(body['response_format'])['json_schema']);
    return {
      dialect: 'chat',
      model: stringOf(body['model']),
      stream: body['stream'] === true,
      items: listOf(body['messages']).flatMap((message) => itemsOf(fieldsOf(message))),
      tools: listOf(body['tools']).map((tool) => toolName(fieldsOf(tool))),
      schema: isFields(schema) ? schema : null,
    };
  },
  writer({ asked, write, id }) {
    const head = { id: id('chatcmpl-'), object: 'chat.completion.chunk', created: 0, model: asked.model };
    const say = (delta: Fields, finish: string | null = null, more: Fields = {}): void =>
      write(frame({ ...head, choices: [{ index: 0, delta, finish_reason: finish }], ...more }));
    return {
      begin: () => say({ role: 'assistant', content: '' }),
      // Not OpenAI's own: what servers of open models send.
      thinking: (piece) => say({ reasoning_content: piece }),
      text: (piece) => say({ content: piece }),
      call: (call) => say({ tool_calls: [{ index: 0, ...callOf(call, id) }] }),
      end(_said, stop) {
        say({}, stops[stop], { usage });
        write('data: [DONE]\n\n');
      },
      fail: (type) => write(frame({ error: { message: fakeMessage(type), type } })),
    };
  },
  whole({ asked, id }, said, call, stop) {
    const content = call === null ? { content: said } : { content: null, tool_calls: [callOf(call, id)] };
    return {
      id: id('chatcmpl-'),
      object: 'chat.completion',
      created: 0,
      model: asked.model,
      choices: [{ index: 0, finish_reason: stops[stop], message: { role: 'assistant', ...content } }],
      usage,
    };
  },
  error: (_status, type, message) => ({ error: { message, type, code: type } }),
};
