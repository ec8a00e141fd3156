/** The process driver: what goes over the wire and what is made of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import { processDriver, scriptedDriver } from '../../src/agents/index.ts';
import { type Fields, isFields } from '../../src/agents/child/fields.ts';
import { parseMessage } from '../../src/agents/process/parse.ts';
import { pause, processInfo, realTimers } from '../../src/supervise/index.ts';
import { quick } from './subjects.ts';

/** An agent of two lines: repeats what it hears, as raw output. Whatever is written to it can be read. */
const parrot = processDriver({
  ...quick,
  name: 'parrot',
  command: 'cat',
  lineMaxBytes: 16 * 1024 * 1024,
  rawMaxLength: 8e6,
});

const heard = (probe: AgentProbe): unknown[] =>
  probe.parts('raw').map(({ data }) => JSON.parse((data as { readonly text: string }).text) as unknown);

describe('the input of a program', () => {
  test('is the protocol, in the order of the calls', async () => {
    const session = { session: 'github:acme/app', incarnation: 7, conversation: 'c-1', model: 'm-1' };
    await using agent = new AgentProbe(parrot, { ...session, folder: tmpdir() });
    agent.prompt(3, 'two\nlines and “quotes”');
    agent.interrupt(3);
    agent.steer(3, 'task-9', 'mind the gap');
    agent.prompt(4, 'again', 3);
    agent.switchModel('m-2');
    agent.switchModel(null);
    await agent.until('all lines', () => agent.of('output').length === 7);
    expect(heard(agent)).toEqual([
      { type: 'start', protocol: 1, ...session, folder: tmpdir() },
      { type: 'prompt', turn: 3, text: 'two\nlines and “quotes”' },
      { type: 'interrupt', turn: 3 },
      { type: 'steer', turn: 3, id: 'task-9', text: 'mind the gap' },
      { type: 'prompt', turn: 4, text: 'again', rewind: 3 },
      { type: 'model', model: 'm-2' },
      { type: 'model', model: null },
    ]);
  });

  test('C12: never interleaves prompts of 1 MB with interrupts and steers between', async () => {
    await using agent = new AgentProbe(parrot);
    const text = '“é🚂\n'.repeat(200_000);
    for (let turn = 1; turn <= 5; turn += 1) {
      agent.prompt(turn, text);
      agent.interrupt(turn);
      agent.steer(turn, 'x', text);
      agent.interrupt(turn);
    }
    await agent.until('all lines', () => agent.of('output').length === 21);
    const messages = heard(agent) as { type: string; turn?: number; text?: string }[];
    expect(messages.slice(1).map(({ type, turn }) => `${type} ${turn}`)).toEqual(
      [1, 2, 3, 4, 5].flatMap((turn) => ['prompt', 'interrupt', 'steer', 'interrupt'].map((type) => `${type} ${turn}`)),
    );
    expect(messages.every((message) => message.text === undefined || message.text === text)).toBe(true);
  });

  test('C12: reaches a real agent whole, as a 1 MB prompt and the interrupt behind it', async () => {
    await using agent = new AgentProbe(scriptedDriver(quick));
    const text = `[[forever:1]] ${'x'.repeat(1_000_000)}`;
    agent.prompt(1, text);
    agent.interrupt(1);
    const { result } = await agent.result(1);
    expect(result).toMatchObject({
      outcome: 'interrupted',
      report: { usage: { inputTokens: Math.ceil(text.length / 4) } },
    });
  });
});

describe('a message of a program', () => {
  test('agent-port/5: becomes an event or a problem, and never an exception', () => {
    const types = [
      'ready',
      'started',
      'output',
      'ack',
      'result',
      'steered',
      'permission-requested',
      'permission-withdrawn',
      'switched',
      'retrying',
    ];
    const word = fc.constantFrom(...types, 'unsolicited', 'levitate', 'constructor', 'completed', 'failed', 'began');
    const value = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string(),
      word,
      fc.boolean(),
      fc.constant(null),
      fc.dictionary(fc.string(), fc.jsonValue()),
    );
    const names = ['turn', 'kind', 'data', 'outcome', 'text', 'id', 'phase', 'capabilities', 'conversation', 'request'];
    const fields = [...names, 'tool', 'title', 'model', 'ok', 'failure', 'usage'].map((name) => [name, value] as const);
    const message = fc.record({ type: fc.oneof(word, value), ...Object.fromEntries(fields) }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.oneof(message, fc.dictionary(fc.string(), fc.jsonValue())), (one) => {
        const parsed: unknown = JSON.parse(JSON.stringify(one));
        if (!isFields(parsed)) {
          return;
        }
        const event = parseMessage(parsed);
        if (typeof event === 'string' || !('turn' in event) || event.turn === null) {
          return;
        }
        expect(Number.isSafeInteger(event.turn)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  test('is cut where it is nested too deeply, and the rest of it is read', async () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    const request = '{"type":"permission-requested","turn":1,"request":"r","kind":"edit","tool":"write","title":"a.ts"';
    await using agent = says(['{"type":"ready"}', '{"type":"started","turn":1}', `${request},"detail":${deep}}`]);
    agent.prompt(1, 'go');
    const { action, detail } = await agent.first('permission-requested', () => true);
    expect(action.title).toBe('a.ts');
    const text = JSON.stringify(detail);
    expect([text.length < 1_000, text.includes('…')]).toEqual([true, true]);
    expect(agent.parts('raw').map(({ data }) => (data as { readonly problem: string }).problem)).toContain(
      'nested deeper than 200 levels, and cut there',
    );
  });

  test('becomes its event, for every message of the protocol', () => {
    const read = (message: Fields): unknown => parseMessage(message);
    expect(read({ type: 'ready', conversation: 'c', conversationReset: true, capabilities: { acks: true } })).toEqual({
      type: 'ready',
      conversation: 'c',
      conversationReset: true,
      caps: { acks: true, steer: false, rewind: false, models: false, keepsPrompts: false },
    });
    expect(read({ type: 'ready' })).toMatchObject({ conversation: null, conversationReset: false });
    expect(read({ type: 'started', turn: 1 })).toEqual({ type: 'started', turn: 1 });
    const part = { kind: 'text', text: 'x' };
    expect(read({ type: 'output', turn: 1, part })).toEqual({ type: 'output', turn: 1, part });
    const odd = { kind: 'odour', data: 1 };
    expect(read({ type: 'output', turn: 1, part: odd })).toMatchObject({ turn: 1, part: { kind: 'raw', data: odd } });
    const tool = { kind: 'tool', name: 'Bash', output: 'x'.repeat(100_000) };
    expect(read({ type: 'output', turn: 1, part: tool })).toMatchObject({
      part: { kind: 'tool', id: null, name: 'Bash', action: 'other', title: 'Bash', status: 'completed' },
    });
    expect(read({ type: 'ack', turn: 1, noResult: true })).toEqual({ type: 'ack', turn: 1, noResult: true });
    expect(read({ type: 'ack', turn: 1 })).toMatchObject({ noResult: false });
    expect(
      read({ type: 'result', turn: 1, outcome: 'completed', text: 'x', usage: { inputTokens: 1, outputTokens: 2 } }),
    ).toEqual({
      type: 'result',
      turn: 1,
      result: {
        outcome: 'completed',
        empty: false,
        failure: null,
        report: { text: 'x', usage: { inputTokens: 1, outputTokens: 2 } },
      },
    });
    expect(read({ type: 'result', turn: 1, outcome: 'failed', error: 'e' })).toMatchObject({
      result: { empty: true, report: { text: '', error: 'e' } },
    });
    expect(read({ type: 'steered', turn: 1, id: 'x', delivered: true })).toEqual({
      type: 'steered',
      turn: 1,
      id: 'x',
      delivered: true,
    });
    expect(read({ type: 'unsolicited', phase: 'began' })).toEqual({ type: 'unsolicited', phase: 'began', data: null });
  });

  test('about permissions, models and failures is read, with defaults where it leaves something out', () => {
    const read = (message: Fields): unknown => parseMessage(message);
    const ask = {
      type: 'permission-requested',
      turn: 1,
      request: 'r',
      kind: 'edit',
      tool: 'write',
      title: 'a.ts',
      detail: { n: 1 },
    };
    expect(read(ask)).toEqual({
      type: 'permission-requested',
      turn: 1,
      request: 'r',
      action: { kind: 'edit', tool: 'write', title: 'a.ts' },
      detail: { n: 1 },
    });
    expect(read({ ...ask, kind: 'toString' })).toMatchObject({ action: { kind: 'other' } });
    expect(read({ ...ask, title: '' })).toBe('permission-requested: no tool or title');
    expect(read({ ...ask, request: 7 })).toBe('permission-requested: no request');
    expect(read({ type: 'permission-withdrawn', turn: 1, request: 'r' })).toEqual({
      type: 'permission-withdrawn',
      turn: 1,
      request: 'r',
    });
    expect(read({ type: 'switched', model: null, ok: true })).toEqual({ type: 'switched', model: null, ok: true });
    expect(read({ type: 'switched', model: 'm' })).toMatchObject({ ok: false });
    const failure = { class: 'rate_limit', retryAfterMs: 1_500, status: 429, message: 'slow down' };
    const result = { type: 'result', turn: 1, outcome: 'failed', text: '', failure };
    expect(read({ type: 'retrying', turn: 1, failure })).toEqual({ type: 'retrying', turn: 1, failure });
    expect(read(result)).toMatchObject({ result: { failure } });
    expect(read({ ...result, failure: { class: 'constructor', retryAfterMs: -1 } })).toMatchObject({
      result: { failure: { class: 'unknown', retryAfterMs: null, status: null, message: '' } },
    });
    expect(read({ ...result, outcome: 'completed' })).toMatchObject({ result: { failure: null } });
  });

  test('that is not valid is kept, bounded, with what was wrong with it', async () => {
    const line = JSON.stringify({ type: 'result', turn: 0, outcome: 'completed', text: 'x'.repeat(1_000) });
    await using agent = says([line], { rawMaxLength: 100 });
    agent.prompt(1, 'go');
    const { part } = await agent.first('output', () => true);
    const data = { problem: 'result: no turn', text: line.slice(0, 100), length: line.length };
    expect(part).toEqual({ kind: 'raw', data });
  });
});

/** An agent that says these lines when it is prompted, and repeats from then on what it hears; the driver does not understand that. */
function says(lines: readonly string[], options: { readonly rawMaxLength?: number } = {}): AgentProbe {
  const script = `read start; read prompt; printf '%s\\n' '${lines.join("' '")}'; exec cat`;
  return new AgentProbe(processDriver({ ...quick, ...options, command: 'sh', args: ['-c', script] }));
}

describe('a permission request', () => {
  const ready = '{"type":"ready"}';
  const started = '{"type":"started","turn":1}';
  const asked = (turn: number, request: string): string =>
    JSON.stringify({ type: 'permission-requested', turn, request, kind: 'execute', tool: 'shell', title: 'npm test' });
  const withdrawn = (turn: number, request: string): object => ({
    type: 'permission-resolved',
    turn,
    request,
    decision: 'withdrawn',
    note: null,
  });
  /** What the agent has heard since its prompt. */
  const answers = (agent: AgentProbe): unknown[] =>
    agent
      .parts('raw')
      .map(({ data }) => (data as { readonly text: string }).text)
      .filter((text) => /"type":"(?:permission-resolved|interrupt)"/.test(text))
      .map((text) => JSON.parse(text) as unknown);
  const heardAll = (agent: AgentProbe, count: number): Promise<void> =>
    agent.until(`${count} answers`, () => answers(agent).length >= count);

  test('agent-port/7: is answered once', async () => {
    await using agent = says([ready, started, asked(1, 'r1')]);
    agent.prompt(1, 'go');
    await agent.first('permission-requested', () => true);
    agent.respond(1, 'r1', false, 'not now');
    agent.respond(1, 'r1', true);
    agent.respond(1, 'r2', true);
    agent.respond(2, 'r1', true);
    agent.interrupt(1);
    await heardAll(agent, 2);
    expect(answers(agent)).toEqual([
      { type: 'permission-resolved', turn: 1, request: 'r1', decision: 'deny', note: 'not now' },
      { type: 'interrupt', turn: 1 },
    ]);
  });

  test('agent-port/7: is cancelled behind an interrupt, also when it comes later', async () => {
    await using agent = says([ready, started, asked(1, 'r1'), asked(1, 'r2')]);
    agent.prompt(1, 'go');
    await agent.first('permission-requested', ({ request }) => request === 'r2');
    agent.interrupt(1);
    await heardAll(agent, 3);
    expect(answers(agent)).toEqual([{ type: 'interrupt', turn: 1 }, withdrawn(1, 'r1'), withdrawn(1, 'r2')]);
    expect(agent.of('permission-withdrawn')).toEqual([]);
  });

  test('agent-port/7: is cancelled with the end of its turn', async () => {
    await using agent = says([ready, started, asked(1, 'r1'), '{"type":"result","turn":1,"outcome":"completed"}']);
    agent.prompt(1, 'go');
    await heardAll(agent, 1);
    expect(answers(agent)).toEqual([withdrawn(1, 'r1')]);
    expect(agent.of('result')).toHaveLength(1);
  });

  test('agent-port/5: of a turn that does not run, or an unknown one, is still answered', async () => {
    const odd = '{"type":"permission-requested","turn":1,"request":"r3"}';
    await using agent = says([ready, started, asked(7, 'r1'), asked(1, 'r2'), asked(1, 'r2'), odd]);
    agent.prompt(1, 'go');
    await heardAll(agent, 2);
    expect(answers(agent)).toEqual([withdrawn(7, 'r1'), withdrawn(1, 'r3')]);
    expect(agent.of('permission-requested').map(({ request }) => request)).toEqual(['r2']);
    const problems = agent.parts('raw').map(({ data }) => (data as { readonly problem: string }).problem);
    expect(problems.slice(0, 3)).toEqual([
      'permission-requested: no such turn runs',
      'permission-requested: a request of that name was made before',
      'permission-requested: no tool or title',
    ]);
  });

  test('is withdrawn only while it waits', async () => {
    const line = '{"type":"permission-withdrawn","turn":1,"request":"r1"}';
    await using agent = says([ready, started, asked(1, 'r1'), line, line]);
    agent.prompt(1, 'go');
    await agent.first('output', ({ part }) => JSON.stringify(part).includes('no such request waits'));
    expect(agent.of('permission-withdrawn')).toHaveLength(1);
    agent.respond(1, 'r1', true);
    agent.interrupt(1);
    await heardAll(agent, 1);
    expect(answers(agent)).toEqual([{ type: 'interrupt', turn: 1 }]);
  });
});

test('agent-port/8: a switch without a request, or to another model, is ignored', async () => {
  const lines = [null, 'other', 'wanted', 'wanted'].map((model) =>
    JSON.stringify({ type: 'switched', model, ok: true }),
  );
  const script = `read start; echo '{"type":"ready"}'; read model; printf '%s\\n' '${lines.join("' '")}'; cat >/dev/null`;
  await using agent = new AgentProbe(processDriver({ ...quick, command: 'sh', args: ['-c', script] }));
  await agent.ready();
  agent.switchModel('wanted');
  await agent.until('all', () => agent.events.length === 5);
  expect(agent.events.map((event) => event.type)).toEqual(['ready', 'output', 'output', 'switched', 'output']);
});

test('agent-port/3: started is passed on once, and only for the turn that was prompted', async () => {
  const lines = ['{"type":"ready"}', ...[7, 1, 1].map((turn) => `{"type":"started","turn":${turn}}`)];
  const script = `read start; read prompt; printf '%s\\n' '${lines.join("' '")}'; cat >/dev/null`;
  await using agent = new AgentProbe(processDriver({ ...quick, command: 'sh', args: ['-c', script] }));
  agent.prompt(1, 'go');
  await agent.until('all', () => agent.events.length === 4);
  expect(agent.events.map((event) => event.type)).toEqual(['ready', 'output', 'started', 'output']);
});

test('S08: an agent exits by itself when its daemon dies by SIGKILL', async () => {
  const daemon = spawn(process.execPath, [fileURLToPath(new URL('fixtures/daemon.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(daemon.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  const { startTime } = processInfo(pid) ?? {};
  expect(startTime).toBeDefined();
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
  const lives = (): boolean => {
    const info = processInfo(pid);
    return info !== null && !info.zombie && info.startTime === startTime;
  };
  while (lives()) {
    await pause(realTimers, 2);
  }
});
