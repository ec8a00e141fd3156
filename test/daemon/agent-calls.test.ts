/** An agent that calls the API of its daemon: what it sends is known as its own, has the rights of its task, and never waits for itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../src/client/index.ts';
import { createClient } from '../../src/client/index.ts';
import type { TaskView } from '../../src/protocol/index.ts';
import { tokenIn } from '../../src/cli/target.ts';
import { Cli, program } from '../support/cli.ts';

/**
 * Does what its prompt says, with what it finds in its environment: `api METHOD PATH BODY`, or `cli WORDS`; says the status and the body, or the exit code
 * and the errors.
 */
const agent = `
import { createInterface } from 'node:readline';
import { spawnSync } from 'node:child_process';
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
const { SIGNALBOX_URL: url, SIGNALBOX_TOKEN: token } = process.env;
async function act(prompt) {
  const [kind, ...words] = JSON.parse(prompt.split('\\n').at(-1));
  if (kind === 'secret') return { status: 0, body: token };
  if (kind === 'cli') {
    const ran = spawnSync(process.execPath, [${JSON.stringify(program)}, ...words], { encoding: 'utf8' });
    return { status: ran.status, body: ran.stderr };
  }
  const [method, path, body] = words;
  const response = await fetch(url + path, {
    method,
    headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.type === 'start') {
    say({ type: 'ready', conversation: null, capabilities: { acks: false, steer: false, rewind: false, models: false, keepsPrompts: false } });
  }
  if (message.type === 'close') {
    process.exit(0);
  }
  if (message.type === 'prompt') {
    say({ type: 'started', turn: message.turn });
    const text = JSON.stringify(await act(message.text));
    say({ type: 'result', turn: message.turn, outcome: 'completed', text });
  }
}
`;

let cli: Cli;
let client: Client;
beforeAll(async () => {
  cli = new Cli();
  writeFileSync(join(cli.folder, 'agent.mjs'), agent);
  const command = [process.execPath, join(cli.folder, 'agent.mjs')];
  const config = { agent: { name: 'process', command: command[0], args: command.slice(1), sandbox: 'off' } };
  writeFileSync(join(cli.folder, 'signalbox.config.mjs'), `export default ${JSON.stringify(config)};\n`);
  const { ready } = await cli.up();
  client = createClient({ baseUrl: String(ready['url']), token: tokenIn(cli.data) });
});
afterAll(() => cli[Symbol.asyncDispose]());

interface Did {
  readonly status: number;
  readonly body: {
    readonly task: string;
    readonly code: string;
    readonly detail: string;
    readonly items: readonly unknown[];
  };
}

async function ended(task: string): Promise<TaskView> {
  for await (const event of client.follow(task)) {
    void event;
  }
  return client.task(task);
}

/** What the agent of the session did in a turn of its own. */
async function does(session: string, what: readonly unknown[], more: object = {}): Promise<Did> {
  const { task } = await client.submit({ session, prompt: JSON.stringify(what), ...more });
  const { final } = await ended(task);
  return JSON.parse(final?.answer?.text ?? 'null') as Did;
}

const submit = (session: string, more: object = {}): readonly unknown[] => [
  'api',
  'POST',
  '/v1/tasks',
  { session, prompt: '["api","GET","/healthz"]', ...more },
];

describe('an agent', () => {
  test('submits with the lane, the rights and the policy of its own task, and is named as its source', async () => {
    const policy = { mode: 'ask', allow: ['edit'], deny: ['Bash'] } as const;
    const own = { lane: 'background', rights: 'team', permissions: policy };
    const { status, body } = await does('a', submit('b'), own);
    expect(status).toBe(201);
    const sent = await ended(body.task);
    expect(sent).toMatchObject({
      lane: 'background',
      rights: 'team',
      permissions: policy,
      source: 'agent:a',
      status: 'completed',
    });
    expect(sent.sentBy).toMatchObject({ session: 'a', hops: 1 });
    for (const more of [{ permissions: { mode: 'allow' } }, { rights: 'admin' }, { lane: 'interactive' }]) {
      expect((await does('a', submit('b', more), own)).body).toMatchObject({ code: 'forbidden' });
    }
  });

  test('may submit to its own session, and is refused with the reason when it waits for that', async () => {
    const { body } = await does('own', submit('own'));
    expect(await ended(body.task)).toMatchObject({ status: 'completed' });
    const ran = await does('own', ['cli', 'send', '--wait', 'own', '["api","GET","/healthz"]']);
    expect(ran).toMatchObject({ status: 4, body: expect.stringContaining('after this turn') });
    const waiting = await client.submit({ session: 'later', mode: 'external', prompt: '' });
    const held = await does('later', ['api', 'POST', `/v1/tasks/${waiting.task}/hold`, { holder: 'me' }]);
    expect(held.body).toMatchObject({ code: 'own_session', detail: expect.stringContaining('after this turn') });
    const polled = await does('later', ['api', 'GET', `/v1/tasks/${waiting.task}/events?wait=5&after=99`]);
    expect(polled.body).toMatchObject({ code: 'own_session' });
    expect((await does('later', ['api', 'GET', `/v1/tasks/${waiting.task}/events`])).status).toBe(200);
    await client.cancel(waiting.task);
  });

  test('is refused after four agents, one after the other, have led to its task', async () => {
    const chain = (hops: number): readonly unknown[] =>
      hops === 0 ? submit('end') : submit(`hop-${hops}`, { prompt: JSON.stringify(chain(hops - 1)) });
    let { body } = await does('first', chain(4));
    for (let hop = 1; hop < 4; hop += 1) {
      const { final, sentBy } = await ended(body.task);
      expect(sentBy?.hops).toBe(hop);
      ({ body } = JSON.parse(final?.answer?.text ?? 'null') as Did);
    }
    const last = await ended(body.task);
    expect(last.sentBy?.hops).toBe(4);
    expect(JSON.parse(last.final?.answer?.text ?? 'null')).toMatchObject({
      status: 409,
      body: { code: 'too_many_hops' },
    });
  });

  test('changes nothing, answers no permission request, makes no token, and calls nothing for the words of a stranger', async () => {
    const refused = [
      ['POST', '/v1/sessions/a/permission-requests/respond', { turn: 1, request: 'x', allow: true }],
      ['POST', '/v1/sessions/a/park', { reason: 'no' }],
      ['POST', '/v1/tokens', { name: 'mine', scopes: ['admin'] }],
    ] as const;
    for (const call of refused) {
      expect((await does('a', ['api', ...call])).body).toMatchObject({ code: 'forbidden' });
    }
    const stranger = await does('a', ['api', 'GET', '/v1/tasks'], { rights: 'untrusted' });
    expect(stranger.body).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('stranger') });
  });

  test('has a token that is on no tape, and that is worth nothing between its turns and after its end', async () => {
    const { body } = await does('a', ['secret']);
    expect(body).toBe('[redacted]');
  });
});
