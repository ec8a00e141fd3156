/**
 * A model API in the Responses dialect for what the common fake one has no directive for: calls of tools in a namespace
 * (sub-agents, MCP servers), and the headers by which an account's usage is told.
 */
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Fields = { readonly [name: string]: unknown };

interface Asked {
  /** Text of the newest message of a user. */
  readonly text: string;
  /** Outputs of the tools that were called since. */
  readonly outputs: readonly string[];
}

type Answer =
  | { readonly say: string; readonly headers?: Readonly<{ [name: string]: string }> }
  | { readonly call: string; readonly namespace?: string; readonly input: object }
  /** The stream begins well and fails. */
  | { readonly failed: object }
  | { readonly status: number; readonly error: object; readonly headers?: Readonly<{ [name: string]: string }> };

interface Responses extends AsyncDisposable {
  readonly url: string;
}

export async function startResponses(answer: (asked: Asked) => Answer | Promise<Answer>): Promise<Responses> {
  let calls = 0;
  const server = createServer((request, response) => {
    void bodyOf(request).then(async (body) => {
      calls += 1;
      const no = calls;
      const said = await answer(askedIn(body));
      if ('status' in said) {
        response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers });
        response.end(JSON.stringify({ error: said.error }));
        return;
      }
      const headers = 'headers' in said ? said.headers : {};
      response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
      const send = (type: string, rest: object): void => {
        response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`);
      };
      const id = `resp_${no}`;
      send('response.created', { response: { id } });
      if ('failed' in said) {
        send('response.failed', { response: { id, error: said.failed } });
      } else {
        send('response.output_item.done', { output_index: 0, item: itemOf(said, no) });
        send('response.completed', { response: { id, usage } });
      }
      response.end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const usage = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 12,
};

function itemOf(said: Extract<Answer, { say: string } | { call: string }>, no: number): object {
  if ('say' in said) {
    const content = [{ type: 'output_text', text: said.say, annotations: [] }];
    return { type: 'message', id: `msg_${no}`, role: 'assistant', status: 'completed', content };
  }
  const { call: name, namespace, input } = said;
  const call = { type: 'function_call', id: `fc_${no}`, call_id: `call_${no}`, name, status: 'completed' };
  return { ...call, ...(namespace === undefined ? {} : { namespace }), arguments: JSON.stringify(input) };
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

async function bodyOf(request: IncomingMessage): Promise<Fields> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
  }
  const body: unknown = text === '' ? {} : JSON.parse(text);
  return isFields(body) ? body : {};
}

function askedIn(body: Fields): Asked {
  const input = Array.isArray(body['input']) ? body['input'].filter((one) => isFields(one)) : [];
  const at = input.findLastIndex((item) => item['role'] === 'user' && textOf(item['content']) !== '');
  const outputs = input.slice(at + 1).filter((item) => item['type'] === 'function_call_output');
  return { text: textOf(input[at]?.['content']), outputs: outputs.map((item) => textOf(item['output'])) };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') {
    return content;
  }
  if (!Array.isArray(content)) {
    return '';
  }
  return content.map((part) => (isFields(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
}
