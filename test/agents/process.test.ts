/** The process driver: what goes over the wire and what is made of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentProbe } from '../../src/agents/contract.ts';
import { processDriver, scriptedDriver } from '../../src/agents/index.ts';
import { parseLine } from '../../src/agents/process/wire.ts';
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
  probe.of('output').map((event) => JSON.parse((event.data as { readonly text: string }).text) as unknown);

describe('what is written', () => {
  test('is the protocol, in the order of the calls', async () => {
    await using agent = new AgentProbe(parrot, { session: 'github:acme/app', incarnation: 7, conversation: 'c-1' });
    agent.prompt(3, 'two\nlines and “quotes”');
    agent.interrupt(3);
    agent.steer(3, 'task-9', 'mind the gap');
    agent.prompt(4, 'again', 3);
    await agent.until('five lines', () => agent.of('output').length === 5);
    expect(heard(agent)).toEqual([
      { type: 'start', protocol: 1, session: 'github:acme/app', incarnation: 7, conversation: 'c-1' },
      { type: 'prompt', turn: 3, text: 'two\nlines and “quotes”' },
      { type: 'interrupt', turn: 3 },
      { type: 'steer', turn: 3, id: 'task-9', text: 'mind the gap' },
      { type: 'prompt', turn: 4, text: 'again', rewind: 3 },
    ]);
  });

  test('C12: never interleaves: prompts of 1 MB with interrupts and steers between', async () => {
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

  test('C12: a 1 MB prompt and the interrupt behind it reach a real agent whole', async () => {
    await using agent = new AgentProbe(scriptedDriver(quick));
    const text = `[[forever:1]] ${'x'.repeat(1_000_000)}`;
    agent.prompt(1, text);
    agent.interrupt(1);
    const { result } = await agent.result(1);
    expect(result).toMatchObject({
      outcome: 'interrupted',
      data: { usage: { inputTokens: Math.ceil(text.length / 4) } },
    });
  });
});

describe('what is read', () => {
  test('A-5: any line becomes an event, and never an exception', () => {
    const word = fc.constantFrom('ready', 'started', 'output', 'ack', 'result', 'steered', 'unsolicited', 'levitate');
    const value = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.dictionary(fc.string(), fc.jsonValue()),
    );
    const message = fc.record(
      {
        type: fc.oneof(word, value),
        turn: value,
        kind: value,
        data: fc.jsonValue(),
        outcome: value,
        text: value,
        id: value,
        phase: value,
        capabilities: value,
        conversation: value,
      },
      { requiredKeys: [] },
    );
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      message.map((one) => JSON.stringify(one)),
    );
    fc.assert(
      fc.property(line, (text) => {
        const event = parseLine(text, 100);
        if (event.type !== 'output' || event.kind !== 'raw') return;
        expect(event.turn === null || Number.isSafeInteger(event.turn)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  test('every message of the protocol means what it says', () => {
    const read = (message: unknown): unknown => parseLine(JSON.stringify(message), 100);
    expect(read({ type: 'ready', conversation: 'c', lost: true, capabilities: { acks: true } })).toEqual({
      type: 'ready',
      conversation: 'c',
      lost: true,
      caps: { acks: true, steer: false, rewind: false },
    });
    expect(read({ type: 'ready' })).toMatchObject({ conversation: null, lost: false });
    expect(read({ type: 'started', turn: 1 })).toEqual({ type: 'started', turn: 1 });
    expect(read({ type: 'output', turn: 1, kind: 'text', data: 'x' })).toEqual({
      type: 'output',
      turn: 1,
      kind: 'text',
      data: 'x',
    });
    expect(read({ type: 'output', turn: 1, kind: 'odour', data: 1 })).toMatchObject({ kind: 'raw', turn: 1, data: 1 });
    expect(read({ type: 'ack', turn: 1, none: true })).toEqual({ type: 'ack', turn: 1, none: true });
    expect(read({ type: 'ack', turn: 1 })).toMatchObject({ none: false });
    expect(read({ type: 'result', turn: 1, outcome: 'completed', text: 'x', usage: 1 })).toEqual({
      type: 'result',
      turn: 1,
      result: { outcome: 'completed', empty: false, data: { text: 'x', usage: 1 } },
    });
    expect(read({ type: 'result', turn: 1, outcome: 'failed', error: 'e' })).toMatchObject({
      result: { empty: true, data: { text: '', error: 'e' } },
    });
    expect(read({ type: 'steered', turn: 1, id: 'x', taken: true })).toEqual({
      type: 'steered',
      turn: 1,
      id: 'x',
      taken: true,
    });
    expect(read({ type: 'unsolicited', phase: 'began' })).toEqual({ type: 'unsolicited', phase: 'began', data: null });
  });

  test('what cannot be understood is kept, bounded, with what was wrong with it', () => {
    const event = parseLine(`{"type":"result","turn":0,"outcome":"completed","text":"${'x'.repeat(1_000)}"}`, 100);
    expect(event).toMatchObject({ type: 'output', turn: null, kind: 'raw', data: { problem: 'result: no turn' } });
    const { text, length } = (event as { data: { text: string; length: number } }).data;
    expect([text.length, length]).toEqual([100, 1_058]);
  });
});

test('A-3: started is passed on once, and only for the turn that was prompted', async () => {
  const lines = ['{"type":"ready"}', ...[7, 1, 1].map((turn) => `{"type":"started","turn":${turn}}`)];
  const script = `read start; read prompt; printf '%s\\n' '${lines.join("' '")}'; cat >/dev/null`;
  await using agent = new AgentProbe(processDriver({ ...quick, command: 'sh', args: ['-c', script] }));
  agent.prompt(1, 'go');
  await agent.until('all', () => agent.events.length === 4);
  expect(agent.events.map((event) => event.type)).toEqual(['ready', 'output', 'started', 'output']);
});

test('S08: the daemon dies by SIGKILL; its agent leaves by itself', async () => {
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
  while (lives()) await pause(realTimers, 2);
});
