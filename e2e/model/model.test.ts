/** The fake model API, asked by real HTTP. What it must do for the real programs is seen by running them: e2e/main.ts. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BadDirective, parsePlays, plan } from './directives.ts';
import { fill } from './fill.ts';
import type { DialectName, Model } from './index.ts';
import { startModel } from './index.ts';

interface Requests {
  path(stream: boolean): string;
  body(texts: readonly string[], stream: boolean): object;
  /** Body of a request that wants structure. */
  structured(text: string, schema: object): object;
  /** A result of a tool, as the dialect sends it back. */
  withResult(text: string, result: string): object;
}

const schemaFormat = (schema: object): object => ({ name: 'x', type: 'json_schema', schema });

const requests: { readonly [D in DialectName]: Requests } = {
  anthropic: {
    path: () => '/v1/messages?beta=true',
    body: (texts, stream) => ({ model: 'm', stream, messages: texts.map((content) => ({ role: 'user', content })) }),
    structured: (content, schema) => ({
      messages: [{ role: 'user', content }],
      output_config: { format: schemaFormat(schema) },
    }),
    withResult: (text, content) => ({
      messages: [
        { role: 'user', content: [{ type: 'text', text }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'Do', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content }] },
      ],
    }),
  },
  responses: {
    path: () => '/v1/responses',
    body: (texts, stream) => ({ model: 'm', stream, input: texts.map((content) => ({ role: 'user', content })) }),
    structured: (input, schema) => ({ input, text: { format: schemaFormat(schema) } }),
    withResult: (text, output) => ({
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
        { type: 'function_call', call_id: 'c', name: 'Do', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output },
      ],
    }),
  },
  chat: {
    path: () => '/v1/chat/completions',
    body: (texts, stream) => ({ model: 'm', stream, messages: texts.map((content) => ({ role: 'user', content })) }),
    structured: (content, schema) => ({
      messages: [{ role: 'user', content }],
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    }),
    withResult: (content, result) => ({
      messages: [
        { role: 'user', content },
        { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'Do', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: 'c', content: result },
      ],
    }),
  },
  gemini: {
    path: (stream) => `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: (texts) => ({ contents: texts.map((text) => ({ role: 'user', parts: [{ text }] })) }),
    structured: (text, responseJsonSchema) => ({
      contents: [{ role: 'user', parts: [{ text }] }],
      generationConfig: { responseMimeType: 'application/json', responseJsonSchema },
    }),
    withResult: (text, result) => ({
      contents: [
        { role: 'user', parts: [{ text }] },
        { role: 'model', parts: [{ functionCall: { name: 'Do', args: {} } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'Do', response: { result } } }] },
      ],
    }),
  },
};
const names = Object.keys(requests) as readonly DialectName[];

function ask(
  model: Model,
  name: DialectName,
  texts: string | readonly string[],
  stream: boolean,
  signal?: AbortSignal,
): Promise<Response> {
  const dialect = requests[name];
  const body = JSON.stringify(dialect.body([texts].flat(), stream));
  return fetch(model.url + dialect.path(stream), { method: 'POST', body, ...(signal === undefined ? {} : { signal }) });
}

describe.each(names)('the model in the dialect %s', (name) => {
  const dialect = requests[name];

  test('answers a stream in pieces, and any other request in one piece', async () => {
    await using model = await startModel();
    const streamed = await ask(model, name, '[[text:hello wonderful world]]', true);
    expect(streamed.headers.get('content-type')).toBe('text/event-stream');
    const frames = (await streamed.text()).split('\n\n').filter((frame) => frame.includes('data: {'));
    expect(frames.filter((frame) => /hello wonder"|ful world"/.test(frame)).length).toBeGreaterThanOrEqual(2);
    const whole = await ask(model, name, '[[text:hello wonderful world]]', false);
    expect(whole.headers.get('content-type')).toBe('application/json');
    expect(await whole.text()).toContain('"hello wonderful world"');
    expect(model.log.of('request').map(({ asked }) => [asked.dialect, asked.model, asked.stream])).toEqual([
      [name, 'm', true],
      [name, 'm', false],
    ]);
    expect(model.log.of('ended').map(({ how }) => how)).toEqual(['answered', 'answered']);
  });

  test('streams its thoughts before its text', async () => {
    await using model = await startModel();
    const answer = await (await ask(model, name, '[[think:first this|then that]]', true)).text();
    expect(answer.indexOf('first this')).toBeGreaterThan(-1);
    expect(answer.indexOf('then that')).toBeGreaterThan(answer.indexOf('first this'));
    expect(await (await ask(model, name, '[[think:first this|then that]]', false)).text()).not.toContain('first this');
  });

  test('calls a tool, and plays the next step after its result', async () => {
    await using model = await startModel();
    const prompt = '[[tool:Do:{"list":[[1]],"what":"]]"}]][[text:thank you]]';
    for (const stream of [true, false]) {
      const answer = await (await ask(model, name, prompt, stream)).text();
      expect(answer).toContain('"Do"');
      expect(answer.replaceAll('\\', '')).toContain('"list":[[1]]');
    }
    const body = JSON.stringify(dialect.withResult(prompt, 'it is done'));
    expect(await (await fetch(model.url + dialect.path(false), { method: 'POST', body })).text()).toContain(
      'thank you',
    );
    const last = model.log.of('request').at(-1);
    expect(last).toMatchObject({ step: 1, plays: 'text:thank you' });
    expect(last?.asked.items.at(-1)).toMatchObject({ role: 'tool', kind: 'result' });
    expect(last?.asked.items.at(-1)?.text).toContain('it is done');
  });

  test('fails with a status, twice before it succeeds, and in mid-stream', async () => {
    await using model = await startModel();
    const statuses = async (prompt: string): Promise<readonly (readonly [number, string | null])[]> => {
      const seen: (readonly [number, string | null])[] = [];
      for (let i = 0; i < 3; i++) {
        const response = await ask(model, name, prompt, true);
        await response.text();
        seen.push([response.status, response.headers.get('retry-after')]);
      }
      return seen;
    };
    expect(await statuses('[[status:529:overloaded_error]]')).toEqual(Array(3).fill([529, null]));
    expect(await statuses('[[flaky:2:429:rate_limit_error:7]]')).toEqual([
      [429, '7'],
      [429, '7'],
      [200, null],
    ]);
    expect((await statuses('[[flaky:1:429:rate_limit_error]]')).map(([, after]) => after)).toEqual(['1', null, null]);
    expect(await (await ask(model, name, '[[midError:overloaded_error]]', true)).text()).toMatch(
      /partial[^]*fake over/,
    );
    expect(model.log.of('ended').at(-1)).toMatchObject({ how: 'failed', pieces: 1 });
    await expect(ask(model, name, '[[drop]]', true).then((response) => response.text())).rejects.toThrow(/terminated/);
    expect(model.log.of('ended').at(-1)).toMatchObject({ how: 'dropped' });
  });

  test.each(['[[slow:1000,20]]', '[[hang]]'])('%s: logs a client that hangs up in mid-stream', async (prompt) => {
    await using model = await startModel();
    const client = new AbortController();
    const response = await ask(model, name, prompt, true, client.signal);
    const reader = response.body?.getReader();
    await reader?.read();
    const began = await model.log.next('began', () => true);
    expect(model.log.of('closed')).toEqual([]);
    client.abort();
    const closed = await model.log.next('closed', ({ no }) => no === began.no);
    expect(closed.pieces).toBeGreaterThan(0);
    expect(model.log.of('ended')).toEqual([]);
  });

  test('[[hang0]] sends no headers, and the log shows who closes the connection', async () => {
    await using model = await startModel();
    const client = new AbortController();
    const response = ask(model, name, '[[hang0]]', true, client.signal).then(
      () => 'answered',
      () => 'aborted',
    );
    await model.log.next('silent', () => true);
    client.abort();
    expect(await response).toBe('aborted');
    expect(await model.log.next('closed', () => true)).toMatchObject({ no: 1, pieces: 0 });
    expect(model.log.of('began')).toEqual([]);
  });

  test('fills a requested schema, whatever the prompt says', async () => {
    await using model = await startModel();
    const schema = { type: 'object', required: ['title'], properties: { title: { type: 'string' } } };
    const body = JSON.stringify(dialect.structured('name this: [[hang0]]', schema));
    const answer = await (await fetch(model.url + dialect.path(false), { method: 'POST', body })).text();
    expect(answer.replaceAll('\\', '')).toContain('{"title":"fake"}');
    expect(model.log.of('request')[0]).toMatchObject({ plays: 'schema' });
  });

  test('answers an invalid directive with an error', async () => {
    await using model = await startModel();
    const response = await ask(model, name, '[[slow:many,1]]', true);
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('is no number')]);
    expect(model.log.of('request')[0]?.plays).toMatch(/^bad directive/);
  });
});

describe('a plan of the model', () => {
  const user = (text: string) => ({ role: 'user', kind: 'text', text }) as const;

  test('comes from the newest text that has directives, also where other texts follow', () => {
    const items = [user('[[text:old]]'), user('[[text:new]]'), user('<reminder>none</reminder>')];
    expect(plan(items)).toMatchObject({ play: { kind: 'text', text: 'new' }, step: 0 });
    expect(plan([{ role: 'system', kind: 'text', text: '[[hang]]' }]).play).toMatchObject({
      text: 'ok (no directive)',
    });
  });

  test('comes from a rule where the text has no directive', () => {
    const rules = [{ when: /pull request/, play: '[[tool:Do:{}]][[text:reviewed]]' }];
    const items = [user('[[hang]]'), user('a comment on a pull request')];
    expect(plan(items, rules).play).toEqual({ kind: 'tool', name: 'Do', input: '{}' });
    const after = [...items, { role: 'tool', kind: 'result', text: 'r' } as const];
    expect(plan(after, rules)).toMatchObject({ play: { text: 'reviewed' }, step: 1 });
    expect(plan([...after, user('[[text:then]]')], rules).play).toMatchObject({ text: 'then' });
  });

  test('ends with the last result of a tool', () => {
    const items = [user('[[tool:Do:{}]]'), { role: 'tool', kind: 'result', text: 'R' } as const];
    expect(plan(items).play).toMatchObject({ text: 'done; the last tool said: R' });
  });

  test.each(['[[status:200:x]]', '[[status]]', '[[flaky:x:429]]', '[[tool:Do:{]]', '[[slow:1]]', '[[text:no end'])(
    '%s is refused',
    (text) => {
      expect(() => parsePlays(text)).toThrow(BadDirective);
    },
  );
});

test('the model fills a schema with the least that satisfies it', () => {
  const schema = {
    type: 'OBJECT',
    required: ['a', 'b', 'c', 'd', 'e'],
    properties: {
      a: { type: 'INTEGER', minimum: 3 },
      b: { type: 'string', enum: ['flash', 'pro'] },
      c: { type: 'array', items: { type: 'string' } },
      d: { anyOf: [{ type: 'boolean' }, { type: 'null' }] },
      e: { type: ['string', 'null'] },
      optional: { type: 'string' },
    },
  };
  expect(fill(schema)).toEqual({ a: 3, b: 'flash', c: [], d: false, e: 'fake' });
});

test('the model answers requests that no test expects', async () => {
  await using model = await startModel();
  const get = async (path: string, method = 'GET') => (await fetch(model.url + path, { method })).status;
  const asked = [
    await get('/', 'HEAD'),
    await get('/v1/models'),
    await get('/v1beta/models'),
    await get('/v1/messages/count_tokens', 'POST'),
    await get('/v1beta/models/m:countTokens', 'POST'),
    await get('/api/event_logging', 'POST'),
  ];
  expect(asked).toEqual([200, 200, 200, 200, 200, 404]);
  expect(model.log.of('other').map(({ status }) => status)).toEqual(asked);
});

describe('the log of the model', () => {
  test('waits for an event from a position on, and rejects with the events that came instead', async () => {
    await using model = await startModel();
    await (await ask(model, 'chat', '[[text:first]]', false)).text();
    const from = model.log.mark();
    const second = model.log.next('request', () => true, { from });
    await (await ask(model, 'chat', ['[[text:first]]', '[[text:second]]'], false)).text();
    const { asked, no } = await second;
    expect(no).toBe(2);
    expect(asked.items.map(({ text }) => text)).toEqual(['[[text:first]]', '[[text:second]]']);
    await expect(model.log.next('closed', () => true, { deadlineMs: 1 })).rejects.toThrow(
      /at the model: closed did not come within 1 ms[^]*first/,
    );
  });

  test('is NDJSON where the model runs as a program', async () => {
    const program = fileURLToPath(new URL('./main.ts', import.meta.url));
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async (): Promise<{ readonly [name: string]: unknown }> =>
        JSON.parse(String((await lines.next()).value)) as { readonly [name: string]: unknown };
      const { url } = await next();
      const body = JSON.stringify(requests.chat.body(['[[text:x]]'], false));
      await fetch(`${String(url)}/v1/chat/completions`, { method: 'POST', body });
      expect(await next()).toMatchObject({ type: 'request', no: 1, dialect: 'chat', tail: ['user/text: [[text:x]]'] });
      expect(await next()).toMatchObject({ type: 'ended', how: 'answered' });
    } finally {
      child.kill();
    }
  });
});
