/** The ACP driver's own ways, beside the contract of all drivers: how it opens, what it does as a client, how turns end. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { failureOfError, failureOfText } from '../../src/agents/acp/failures.ts';
import { codexFilter } from '../../src/agents/acp/profiles/codex-acp.ts';
import { copilotFilter } from '../../src/agents/acp/profiles/copilot.ts';
import { Spending } from '../../src/agents/acp/usage.ts';
import type { AcpDriverOptions } from '../../src/agents/acp/options.ts';
import { acpDriver } from '../../src/agents/acp/driver.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import type { ProbeOptions } from '../../src/testing/agents/index.ts';
import { acpPlayer } from './acp-subjects.ts';
import { running } from './players/running.ts';

const player = acpPlayer('acp');
afterAll(() => player[Symbol.dispose]());

async function ready(
  options: AcpDriverOptions = {},
  flags: readonly string[] = [],
  probe: ProbeOptions = {},
): Promise<AgentProbe> {
  const agent = new AgentProbe(player.driver(options, ...flags), probe);
  await agent.ready();
  return agent;
}

const folderOf = (): string => mkdtempSync(join(player.folder, 'own-'));
const json = (value: object): string => JSON.stringify(value);

describe('the start of an ACP agent', () => {
  test('logs in by the configured method where the agent requires a login', async () => {
    await using agent = await ready({ authMethod: 'token' }, ['--login']);
    agent.prompt(1, 'hello');
    expect((await agent.result(1)).result.outcome).toBe('completed');
  });

  test.each([
    ['no method', {}],
    ['a method that does not help', { authMethod: 'token' }],
  ])('S13: fails with %s the first turn as `auth`, and the process ends', async (_what, options) => {
    await using agent = await ready(options, ['--login-never']);
    agent.prompt(1, 'hello');
    const { result } = await agent.result(1);
    expect(result.failure).toMatchObject({ class: 'auth' });
    const exited = await agent.exited();
    expect(exited.reason).toBe('no_session_auth');
    expect(exited.data).toMatchObject({ hint: expect.stringMatching(/log in/i) });
  });

  test('S13: fails the first turn with a quota that is used up at the start', async () => {
    await using agent = await ready({}, ['--refuse', '-32603:429 You exceeded your current quota']);
    agent.prompt(1, 'hello');
    expect((await agent.result(1)).result.failure).toMatchObject({ class: 'quota' });
  });

  test('keeps a conversation that could not be resumed without a login', async () => {
    await using agent = await ready({}, ['--login-never'], { conversation: 'mine' });
    expect(agent.of('ready')[0]).toMatchObject({ conversation: 'mine', conversationReset: false });
  });

  test.each([
    ['another version', ['--version', '2'], 'protocol_mismatch'],
    ['a refusal that is nobody’s', ['--refuse', '-32603:the folder is haunted'], 'start_refused'],
  ])('ends at %s, with a hint', async (_what, flags, reason) => {
    await using agent = new AgentProbe(player.driver({}, ...flags));
    const exited = await agent.exited();
    expect(exited.reason).toBe(reason);
    expect(exited.data).toMatchObject({ message: expect.stringMatching(/\w/), hint: expect.stringMatching(/\w/) });
    expect(agent.of('ready')).toEqual([]);
  });

  test('S12: begins a fresh conversation with an agent that cannot resume one, and says so', async () => {
    await using agent = await ready({}, ['--no-load'], { conversation: 'mine' });
    expect(agent.of('ready')[0]?.conversationReset).toBe(true);
    expect(agent.of('output')[0]?.part).toMatchObject({ kind: 'notice', code: 'conversation-lost' });
  });

  test('fails the first turn as `model` with a model that the agent does not know', async () => {
    await using agent = await ready({ model: 'nonsense' });
    agent.prompt(1, 'hello');
    expect((await agent.result(1)).result.failure).toMatchObject({ class: 'model' });
  });

  test('C27: takes the configured model as the default model', async () => {
    await using agent = await ready({ model: 'other' });
    agent.switchModel('usual');
    agent.switchModel(null);
    await agent.first('switched', ({ model }) => model === null);
    expect(agent.of('switched').map(({ ok }) => ok)).toEqual([true, true]);
  });

  test('refuses a plain agent without a command', () => {
    expect(() => acpDriver()).toThrow(expect.objectContaining({ code: 'bad_config' }));
  });
});

describe('a turn of an ACP agent', () => {
  test('never writes a second prompt in mid-turn', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[forever]]');
    await agent.output(1);
    agent.prompt(2, 'hello');
    expect((await agent.result(2)).result.outcome).toBe('failed');
    agent.interrupt(1);
    expect((await agent.result(1)).result.outcome).toBe('interrupted');
  });

  test('C05: never writes a prompt that is interrupted before the session is open', async () => {
    await using agent = new AgentProbe(player.driver());
    agent.prompt(1, 'never said');
    agent.interrupt(1);
    await agent.result(1);
    agent.prompt(2, '[[history]]');
    await agent.result(2);
    expect(agent.text(2)).not.toContain('never said');
  });

  test.each([
    ['refusal', 'refused'],
    ['max_tokens', 'output_limit'],
    ['max_turn_requests', 'unknown'],
    ['no-such-reason', 'unknown'],
  ])('agent-port/9: fails with the stop reason %s, and keeps its output', async (stop, kind) => {
    await using agent = await ready();
    agent.prompt(1, `[[text:so far]] [[stop:${stop}]]`);
    const { result } = await agent.result(1);
    expect(result).toMatchObject({ outcome: 'failed', failure: { class: kind }, report: { text: 'so far' } });
  });

  test.each(['1,0', '1,4', '3,4'])('C32: has the words that follow the response at once (%s)', async (tail) => {
    await using agent = await ready();
    agent.prompt(1, `[[text:in time ]] [[tail:${tail}]]`);
    const { result } = await agent.result(1);
    const words = [1, 2, 3].slice(0, Number(tail[0])).map((word) => `tail ${word} `);
    expect(result).toMatchObject({ outcome: 'completed', report: { text: `in time ${words.join('')}` } });
    agent.prompt(2, 'hello');
    expect((await agent.result(2)).result.report.text).not.toContain('tail');
  });

  test('C32: is cancelled with the words that follow the response', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[text:a ]] [[forever]] [[tail:2,10]]');
    await agent.output(1);
    agent.interrupt(1);
    const { result } = await agent.result(1);
    expect(result.outcome).toBe('interrupted');
    expect(result.report.text).toMatch(/tail 1 tail 2 $/);
  });

  test('C11 C32: has no words that come later than the quiet behind its response', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[text:in time]] [[tail:1,200]]');
    await agent.result(1);
    const late = await agent.first('output', ({ turn }) => turn === null);
    expect(late.part).toEqual({ kind: 'text', text: 'tail 1 ' });
    expect(agent.text(1)).toBe('in time');
    agent.prompt(2, 'hello');
    expect((await agent.result(2)).result.report.text).not.toContain('tail');
  });

  test('C32: has each word of an agent that speaks on in its answer or on the tape of the session', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[text:in time ]] [[tail:350,2]]');
    const { result } = await agent.result(1);
    expect(result.report.text).toMatch(/^in time tail 1 /);
    // How many are in the answer is a matter of the pace of this machine: `acp-tail.test.ts` says when a boundary comes.
    if (!result.report.text.endsWith('tail 350 ')) {
      await agent.first(
        'output',
        ({ turn, part }) => turn === null && part.kind === 'text' && part.text === 'tail 350 ',
      );
    }
    const late = agent.of('output').filter(({ turn }) => turn === null);
    const words = [result.report.text, ...late.map(({ part }) => (part.kind === 'text' ? part.text : ''))].join('');
    expect(words.match(/tail \d+/g)).toHaveLength(350);
    agent.prompt(2, 'hello');
    expect((await agent.result(2)).result.report.text).not.toContain('tail');
  });

  test('C32: has its result when the agent ends behind the response', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[text:all]] [[end-behind]]');
    expect((await agent.result(1)).result).toMatchObject({ outcome: 'completed', report: { text: 'all' } });
    expect((await agent.exited()).reason).toBe('crashed');
  });

  test('agent-port/7: cancels a permission request at once while it is cancelled', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[text:a]] [[ask-cancelling]]');
    await agent.output(1);
    agent.interrupt(1);
    expect((await agent.result(1)).result.outcome).toBe('interrupted');
    expect(agent.of('permission-requested')).toEqual([]);
    expect(agent.text(1)).toContain('answered null');
  });

  test('has parts for thoughts, plans and notices, and a raw part for an unknown update', async () => {
    await using agent = await ready();
    const plan = { sessionUpdate: 'plan', entries: [{ content: 'look', status: 'pending', priority: 'low' }] };
    const notice = { sessionUpdate: 'notice', severity: 'warning', title: 'mind' };
    const all = ['[[thought:hm]]', `[[update:${json(plan)}]]`, `[[update:${json(notice)}]]`];
    agent.prompt(1, `${all.join(' ')} [[update:{"sessionUpdate":"levitation"}]] [[text:done]]`);
    await agent.result(1);
    const kinds = agent.of('output').map(({ part }) => part.kind);
    expect(kinds.slice(0, 3)).toEqual(['thinking', 'plan', 'notice']);
    expect(agent.of('output').filter(({ part }) => part.kind === 'raw')).toHaveLength(1);
    expect(agent.text(1)).toBe('done');
  });
});

describe('the client side of ACP', () => {
  test('reads without permission, and only for its own session', async () => {
    const folder = folderOf();
    writeFileSync(join(folder, 'a.txt'), 'hello\n');
    await using agent = await ready({}, [], { folder });
    agent.prompt(
      1,
      `[[read:${json({ path: join(folder, 'a.txt') })}]] [[other-session]] [[read:{"path":"/etc/hostname"}]]`,
    );
    await agent.result(1);
    expect(agent.text(1)).toMatch(/^\{"content":"hello\\n"\} refused -32602 no such session refused -32602 not a file/);
    expect(agent.of('permission-requested')).toEqual([]);
  });

  test.each([true, false])('requests a permission for a write that the agent did not request: %s', async (allow) => {
    const folder = folderOf();
    const path = join(folder, 'made.txt');
    await using agent = await ready({}, [], { folder });
    agent.prompt(1, `[[write:${json({ path, content: 'made' })}]]`);
    const asked = await agent.first('permission-requested', () => true);
    expect(asked.action).toEqual({ kind: 'edit', tool: 'fs/write_text_file', title: path });
    agent.respond(1, asked.request, allow, 'not here');
    await agent.result(1);
    expect(existsSync(path)).toBe(allow);
    expect(agent.text(1)).toContain(allow ? '{}' : 'permission denied: not here');
  });

  test('passes on the whole text of a write that a person judges', async () => {
    const folder = folderOf();
    const [path, content] = [join(folder, 'made.txt'), `${'x'.repeat(20_000)} the end`];
    await using agent = await ready({}, [], { folder });
    agent.prompt(1, `[[write:${json({ path, content })}]]`);
    const asked = await agent.first('permission-requested', () => true);
    expect(asked.detail).toMatchObject({ path, content });
    agent.respond(1, asked.request, false);
    await agent.result(1);
  });

  test('performs a write that the agent was allowed, for that path alone', async () => {
    const folder = folderOf();
    const [mine, other] = [join(folder, 'mine.txt'), join(folder, 'other.txt')];
    await using agent = await ready({}, [], { folder });
    const write = `[[write:${json({ path: other, content: 'b' })}]]`;
    agent.prompt(1, `[[edit:${json({ path: mine, content: 'a' })}]] ${write}`);
    const first = await agent.first('permission-requested', () => true);
    agent.respond(1, first.request, true);
    const second = await agent.first('permission-requested', ({ request }) => request !== first.request);
    expect(second.action.title).toBe(other);
    expect(readFileSync(mine, 'utf8')).toBe('a');
    agent.interrupt(1);
    expect((await agent.result(1)).result.outcome).toBe('interrupted');
    expect(existsSync(other)).toBe(false);
  });

  test('serves no files where that is switched off', async () => {
    await using agent = await ready({ files: false });
    agent.prompt(1, `[[read:{"path":"/etc/hostname"}]]`);
    await agent.result(1);
    expect(agent.text(1)).toContain('refused -32601');
  });

  test('runs commands only where that is configured', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[command:{"command":"true"}]]');
    await agent.result(1);
    expect(agent.text(1)).toContain('refused -32601');
  });

  const runs = async (agent: AgentProbe, turn: number, act: string): Promise<string> => {
    agent.prompt(turn, act);
    const { request } = await agent.first('permission-requested', (event) => event.turn === turn);
    agent.respond(turn, request, true);
    await agent.result(turn);
    return agent.text(turn);
  };

  test('requests a command, runs it in the folder, and reports its end and output', async () => {
    const folder = folderOf();
    await using agent = await ready({ terminal: true }, [], { folder });
    const shell = (script: string, more: object = {}): string =>
      `[[command:${json({ command: 'sh', args: ['-c', script], ...more })}]]`;
    expect(await runs(agent, 1, shell('pwd; echo oops >&2; exit 3'))).toBe(
      `${json({ exitCode: 3, signal: null, output: `${folder}\noops\n`, truncated: false })} `,
    );
    expect(agent.of('permission-requested')[0]?.action).toMatchObject({ kind: 'execute', tool: 'terminal/create' });
    expect(agent.of('permission-requested')[0]?.action.title).toBe("sh -c 'pwd; echo oops >&2; exit 3'");
    const long = await runs(agent, 2, shell('printf "%01000d\\303\\251" 0', { outputByteLimit: 11 }));
    expect(JSON.parse(long)).toMatchObject({ output: '000000000é', truncated: true });
    expect(await runs(agent, 3, shell('true', { cwd: '/' }))).toContain('refused -32602 cwd');
    expect(await runs(agent, 4, '[[command:{"command":"no-such-program"}]]')).toContain('"exitCode":127');
    const killed = await runs(agent, 5, `[[command-kill:{"command":"sleep","args":["600"]}]]`);
    expect(JSON.parse(killed)).toMatchObject({ exitCode: null, signal: 'SIGTERM' });
  });

  test('S04: ends a running command before it reports its agent as exited', async () => {
    const folder = folderOf();
    const seconds = `604.${process.pid}`;
    await using agent = await ready({ terminal: true }, [], { folder });
    agent.prompt(1, `[[command-left:${json({ command: 'sleep', args: [seconds] })}]]`);
    const { request } = await agent.first('permission-requested', () => true);
    agent.respond(1, request, true);
    await agent.output(1);
    expect(running(`sleep ${seconds}`)).toHaveLength(1);
    agent.kill();
    await agent.exited();
    expect(running(`sleep ${seconds}`)).toEqual([]);
  });
});

describe('the filter of an ACP dialect', () => {
  const end = { answered: false };
  const chunk = (reading: ReturnType<typeof copilotFilter>, text: string): string[] =>
    reading.onChunk(text, {}).map((one) => (one.kind === 'retrying' ? one.kind : `${one.kind}:${one.text}`));

  test('Copilot: separates a piece of the program from the answer only where it is alone', () => {
    const reading = copilotFilter();
    expect(chunk(reading, 'Info: ')).toEqual([]);
    // The model goes on: it was the model's.
    expect(chunk(reading, 'the train is late')).toEqual(['text:Info: ', 'text:the train is late']);
    expect(chunk(reading, 'Error: no start of a piece')).toEqual(['text:Error: no start of a piece']);
    expect(reading.onEnd({ answered: true }).failure).toBeNull();
  });

  test('agent-port/9: Copilot: reads an error that is alone as a failure, whatever came before', () => {
    const unseen = copilotFilter();
    unseen.onChunk('Error: something that nobody has seen yet', {});
    expect(unseen.onEnd(end).failure).toMatchObject({ class: 'unknown' });
    const second = copilotFilter();
    second.onChunk('looking into it', {});
    second.onUpdate({ sessionUpdate: 'tool_call' });
    second.onChunk('Error: 400 the second request of the turn', {});
    expect(second.onEnd({ answered: true }).failure).toMatchObject({ class: 'invalid_request' });
    const empty = copilotFilter();
    empty.onChunk('Error: No response was returned. Send your message again to retry.', {});
    expect(empty.onEnd(end).failure).toMatchObject({ class: 'server_error' });
  });

  test('codex-acp: reads words without a message id as an answer unless the thread has failed', () => {
    const reading = codexFilter();
    expect(reading.onChunk('the status is fine', {})).toEqual([{ kind: 'text', text: 'the status is fine' }]);
    expect(reading.onChunk('Warning: old', {})).toEqual([{ kind: 'notice', text: 'Warning: old' }]);
    expect(reading.onEnd(end).failure).toBeNull();
    const state = (type: string): object => ({ _meta: { codex: { threadStatus: { type } } } });
    const failed = codexFilter();
    failed.onUpdate({ ...state('systemError') });
    expect(failed.onChunk('it is all over', {})).toEqual([]);
    expect(failed.onEnd(end).failure).toMatchObject({ message: 'it is all over' });
  });

  test.each([
    [{ code: -32_000, message: 'Authentication required' }, 'auth', null],
    [{ code: 429, message: 'Quota exceeded. Please retry in 33.5s.' }, 'rate_limit', 33_500],
    [{ code: 429, message: 'You exceeded your current quota, check your plan and billing details.' }, 'quota', null],
    [{ code: 400, message: '{"error":{"message":"The prompt is too long"}}' }, 'context', null],
    [{ code: -32_603, message: 'Internal error', data: { errorKind: 'billing_error' } }, 'quota', null],
    [{ code: -32_603, message: 'Internal error', data: { details: 'read ECONNRESET' } }, 'network', null],
    [{ code: -32_602, message: 'no' }, 'invalid_request', null],
    [{ code: -32_603, message: 'nobody knows' }, 'unknown', null],
  ] as const)('S13: classifies %j', (error, kind, retryAfterMs) => {
    expect(failureOfError(error)).toMatchObject({ class: kind, retryAfterMs });
  });

  test('does not read a number in a sentence as a status', () => {
    expect(failureOfText('the file has 500 lines')).toMatchObject({ class: 'unknown', status: null });
    expect(failureOfText('Error: 503 busy')).toMatchObject({ class: 'overloaded', status: 503 });
  });

  test('counts the usage of the turn, with cached tokens as part of the input', () => {
    const sums = new Spending(true);
    const told = (input: number, output: number): object => ({ usage: { inputTokens: input, outputTokens: output } });
    sums.begin();
    expect(sums.end({ ...told(100, 20) })).toEqual({ usage: { inputTokens: 100, outputTokens: 20 } });
    sums.begin();
    expect(sums.end({})).toEqual({});
    expect(sums.end({ ...told(250, 50) })).toEqual({ usage: { inputTokens: 150, outputTokens: 30 } });
    const apart = { inputTokens: 10, outputTokens: 5, cachedReadTokens: 80, cachedWriteTokens: 10, totalTokens: 105 };
    expect(new Spending(false).end({ usage: apart })).toEqual({
      usage: { inputTokens: 100, outputTokens: 5, cachedInputTokens: 80 },
    });
    const within = { inputTokens: 100, outputTokens: 5, cachedReadTokens: 80, totalTokens: 105 };
    expect(new Spending(false).end({ usage: within })).toEqual({
      usage: { inputTokens: 100, outputTokens: 5, cachedInputTokens: 80 },
    });
  });
});
