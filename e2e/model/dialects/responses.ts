/** OpenAI's Responses: `POST /v1/responses`. */
import type { Fields, Item } from '../conversation.ts';
import { fieldsOf, isFields, listOf, roleOf, stringOf, textOf } from '../conversation.ts';
import type { Call, Dialect, Stop, WriterOptions } from './dialect.ts';
import { usedTokens, fakeMessage, namedFrame } from './dialect.ts';

function itemOf(entry: Fields): Item {
  switch (entry['type']) {
    case 'function_call':
    case 'custom_tool_call':
      return {
        role: 'assistant',
        kind: 'call',
        text: `${stringOf(entry['name'])} ${stringOf(entry['arguments'] ?? entry['input'])}`,
      };
    case 'function_call_output':
    case 'custom_tool_call_output':
      return { role: 'tool', kind: 'result', text: textOf(entry['output']) };
  }
  if (entry['role'] === undefined) {
    return { role: 'other', kind: 'other', text: stringOf(entry['type']) };
  }
  return { role: roleOf(entry['role']), kind: 'text', text: textOf(entry['content']) };
}

function itemsOf(body: Fields): readonly Item[] {
  const { input, instructions } = body;
  const said = typeof input === 'string' ? [{ role: 'user', content: input }] : listOf(input);
  const system = stringOf(instructions);
  return [
    ...(system === '' ? [] : [{ role: 'system', kind: 'text', text: system } as const]),
    ...said.map((entry) => itemOf(fieldsOf(entry))),
  ];
}

const textItem = (id: string, text: string): Fields => ({
  type: 'message',
  id,
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});

const callItem = ({ name, input }: Call, id: WriterOptions['id']): Fields => ({
  type: 'function_call',
  id: id('fc_'),
  call_id: id('call_'),
  name,
  arguments: input,
  status: 'completed',
});

const usage = {
  input_tokens: usedTokens.input,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: usedTokens.output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: usedTokens.total,
};

function responseOf(id: string, model: string, status: string, output: readonly Fields[]): Fields {
  const over = status === 'completed' || status === 'incomplete';
  const incomplete = status === 'incomplete' ? { incomplete_details: { reason: 'content_filter' } } : {};
  return { id, object: 'response', created_at: 0, status, model, output, usage: over ? usage : null, ...incomplete };
}

/** A reasoning item with a summary, which is the first output of its response. */
class Thoughts {
  readonly #id: string;
  readonly #say: (type: string, data: Fields) => void;
  #text = '';

  constructor(id: string, say: (type: string, data: Fields) => void) {
    this.#id = id;
    this.#say = say;
  }

  add(piece: string): void {
    if (this.#text === '') {
      this.#say('response.output_item.added', { output_index: 0, item: this.#item([]) });
      this.#sayOfSummary('part.added', { part: { type: 'summary_text', text: '' } });
    }
    this.#text += piece;
    this.#sayOfSummary('text.delta', { delta: piece });
  }

  /** The item, when it is complete; empty: there is none, or it was complete before. */
  end(): readonly Fields[] {
    if (this.#text === '') {
      return [];
    }
    const part = { type: 'summary_text', text: this.#text };
    const item = this.#item([part]);
    this.#sayOfSummary('text.done', { text: this.#text });
    this.#sayOfSummary('part.done', { part });
    this.#say('response.output_item.done', { output_index: 0, item });
    this.#text = '';
    return [item];
  }

  #item(summary: readonly Fields[]): Fields {
    return { type: 'reasoning', id: this.#id, summary, encrypted_content: null };
  }

  #sayOfSummary(what: string, data: Fields): void {
    this.#say(`response.reasoning_summary_${what}`, {
      item_id: this.#id,
      output_index: 0,
      summary_index: 0,
      ...data,
    });
  }
}

const statusOf = (stop: Stop): string => (stop === 'refusal' ? 'incomplete' : 'completed');

export const responses: Dialect = {
  name: 'responses',
  matches: (path) => path.endsWith('/responses'),
  read(_path, body) {
    const format = fieldsOf(fieldsOf(body['text'])['format']);
    const { schema } = format;
    return {
      dialect: 'responses',
      model: stringOf(body['model']),
      stream: body['stream'] === true,
      items: itemsOf(body),
      tools: listOf(body['tools']).map((tool) => stringOf(fieldsOf(tool)['name'] ?? fieldsOf(tool)['type'])),
      schema: format['type'] === 'json_schema' && isFields(schema) ? schema : null,
    };
  },
  writer({ asked, write, id }) {
    const [response, message] = [id('resp_'), id('msg_')];
    const output: Fields[] = [];
    let open = false;
    let sequence = 0;
    const say = (type: string, data: Fields): void => write(namedFrame(type, { sequence_number: sequence++, ...data }));
    const now = (status: string): Fields => ({ response: responseOf(response, asked.model, status, output) });
    const place = (): Fields => ({ item_id: message, output_index: output.length, content_index: 0 });
    const thoughts = new Thoughts(id('rs_'), say);
    return {
      begin: () => say('response.created', now('in_progress')),
      thinking: (piece) => thoughts.add(piece),
      text(piece) {
        output.push(...thoughts.end());
        if (!open) {
          const item = { type: 'message', id: message, role: 'assistant', status: 'in_progress', content: [] };
          say('response.output_item.added', { output_index: output.length, item });
          say('response.content_part.added', { ...place(), part: { type: 'output_text', text: '', annotations: [] } });
          open = true;
        }
        say('response.output_text.delta', { ...place(), delta: piece });
      },
      call(call) {
        output.push(...thoughts.end());
        const item = callItem(call, id);
        const index = { output_index: output.length };
        say('response.output_item.added', { ...index, item: { ...item, arguments: '' } });
        const { id: itemId, arguments: input } = item;
        say('response.function_call_arguments.done', { ...index, item_id: itemId, arguments: input });
        say('response.output_item.done', { ...index, item });
        output.push(item);
      },
      end(said, stop) {
        if (stop !== 'tool') {
          const item = textItem(message, said);
          say('response.output_text.done', { ...place(), text: said });
          say('response.output_item.done', { output_index: output.length, item });
          output.push(item);
        }
        say(`response.${statusOf(stop)}`, now(statusOf(stop)));
      },
      fail(type) {
        const failed = responseOf(response, asked.model, 'failed', output);
        say('response.failed', { response: { ...failed, error: { code: type, message: fakeMessage(type) } } });
      },
    };
  },
  whole({ asked, id }, said, call, stop) {
    const item = call === null ? textItem(id('msg_'), said) : callItem(call, id);
    return responseOf(id('resp_'), asked.model, statusOf(stop), [item]);
  },
  error: (_status, type, message) => ({ error: { message, type, code: type } }),
};
