/** The Codex driver with a player of recorded frames, which misbehaves on demand. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { contractTests } from './contract-tests.ts';
import { type Fields, isFields } from '../../src/agents/child/json-lines.ts';
import { permissionRequestOf } from '../../src/agents/codex/permissions.ts';
import type { CodexDriverOptions } from '../../src/agents/codex/options.ts';
import { UsageWindows, failureOf } from '../../src/agents/codex/failures.ts';
import { toolPartOf } from '../../src/agents/codex/tools.ts';
import { parseNotification } from '../../src/agents/codex/parse.ts';
import { TokenCount } from '../../src/agents/codex/usage.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import { codexSubject } from './players/codex-subject.ts';

const played = codexSubject();
afterAll(() => played[Symbol.asyncDispose]());

describe('the agent contract holds for', () => {
  contractTests('the played Codex', () => played.subject);
});

async function ready(options: CodexDriverOptions = {}, ...flags: readonly string[]): Promise<AgentProbe> {
  const agent = new AgentProbe(played.driver(options, ...flags));
  await agent.ready();
  return agent;
}

const order = (agent: AgentProbe): string[] =>
  agent.events.flatMap(({ type }) => (type === 'ack' || type === 'result' || type === 'started' ? [type] : []));

describe('the Codex driver', () => {
  test('agent-port/3: does not take a confirmation before the response for a turn of Codex’s own', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[early-started]] [[text:a]]');
    expect((await agent.result(1)).result.outcome).toBe('completed');
    expect(order(agent)).toEqual(['started', 'result']);
    expect(agent.of('unsolicited')).toEqual([]);
  });

  test('C32: has the words that name a turn that is over as output of the session, and in no answer', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[text:in time]] [[late]]');
    expect((await agent.result(1)).result.report.text).toBe('in time');
    agent.prompt(2, '[[text:next]]');
    expect((await agent.result(2)).result.report.text).toBe('next');
    expect(agent.of('output').filter(({ turn }) => turn === null)).toMatchObject([
      { part: { kind: 'text', text: 'too late' } },
    ]);
  });

  test('C05: holds an interrupt between response and confirmation, where Codex would lose it', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[late-started:30]] [[forever]]');
    agent.interrupt(1);
    expect((await agent.result(1)).result.outcome).toBe('interrupted');
    expect(agent.text(1)).not.toContain('lost');
    expect(order(agent)).toEqual(['started', 'ack', 'result']);
  });

  test('C05: writes a refused interrupt of a running turn again, and acknowledges it once', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[forever]] [[refuse:2]]');
    await agent.output(1);
    agent.interrupt(1);
    expect((await agent.result(1)).result.outcome).toBe('interrupted');
    expect(order(agent)).toEqual(['started', 'ack', 'result']);
  });

  test('writes an interrupt that is always refused four times', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[stream:60,2]] [[count]] [[refuse:1000]]');
    await agent.output(1);
    agent.interrupt(1);
    const { result } = await agent.result(1);
    expect(result.outcome).toBe('completed');
    expect(agent.text(1)).toMatch(/interrupts: 4$/);
    await agent.first('ack', () => true);
    expect(order(agent)).toEqual(['started', 'result', 'ack']);
  });

  test('C10: acknowledges an interrupt that crosses the end of its turn behind the result', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[forever]] [[ack:never]] [[crossing]]');
    await agent.output(1);
    agent.interrupt(1);
    await agent.first('ack', ({ noResult: none }) => !none);
    expect(agent.of('result').map(({ result }) => result.outcome)).toEqual(['completed']);
    expect(order(agent)).toEqual(['started', 'result', 'ack']);
  });

  test('codex-agent/4: reports the result without commands that do not end in time', async () => {
    await using agent = await ready({ backgroundDeadlineMs: 50 });
    agent.prompt(1, '[[forever]] [[noclean]]');
    await agent.output(1);
    agent.interrupt(1);
    expect((await agent.result(1)).result.outcome).toBe('interrupted');
    const notices = agent.of('output').filter(({ part }) => part.kind === 'notice');
    expect(JSON.stringify(notices)).toContain('may still run');
  });

  test('C11: reports no output of a turn at the late end of a command', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[tool]] [[late-item]]');
    await agent.first('output', ({ part }) => part.kind === 'tool');
    agent.interrupt(1);
    await agent.result(1);
    agent.prompt(2, '[[text:next]]');
    await agent.result(2);
    const own = agent.events.slice(agent.events.findIndex((event) => event.type === 'started' && event.turn === 2));
    expect(own.every((event) => !('turn' in event) || event.turn === 2)).toBe(true);
    expect(agent.parts('tool').map(({ status }) => status)).toEqual(['started']);
  });

  test('agent-port/7: denies at once a permission request of a turn of Codex’s own', async () => {
    await using agent = await ready();
    agent.prompt(1, '[[stray-ask]]');
    await agent.result(1);
    expect(agent.text(1)).toBe('stray: decline');
    expect(agent.of('permission-requested')).toEqual([]);
  });

  test('reports text that comes only with the end of its turn as output too', async () => {
    await using agent = await ready();
    // A directive that says nothing: the recorded end of the turn holds the message.
    agent.prompt(1, '[[ignore-term]]');
    const { result } = await agent.result(1);
    expect(result.report.text).not.toBe('');
    expect(agent.text(1)).toBe(result.report.text);
  });

  test('agent-port/9: fails a turn that cannot start', async () => {
    await using agent = await ready({}, '--fail', 'turn/start:the thread is locked');
    agent.prompt(1, 'anything');
    const { result } = await agent.result(1);
    expect(result).toMatchObject({ outcome: 'failed', failure: { class: 'unknown', message: 'the thread is locked' } });
    expect(agent.of('started')).toEqual([]);
  });

  test('fails a turn that replaces another one where the rewind fails', async () => {
    await using agent = await ready({}, '--fail', 'thread/revert:the history is in use');
    agent.prompt(1, '[[text:first]]');
    await agent.result(1);
    agent.prompt(2, '[[text:instead]]', 1);
    expect((await agent.result(2)).result).toMatchObject({
      outcome: 'failed',
      failure: { message: 'the history is in use' },
    });
  });

  test('C12: writes a prompt of 1 MB and the interrupt behind it whole', async () => {
    await using agent = await ready();
    agent.prompt(1, `[[forever]] ${'“é🚂\n'.repeat(150_000)}`);
    agent.interrupt(1);
    expect((await agent.result(1)).result.outcome).toBe('interrupted');
  });
});

describe('a failed start of Codex', () => {
  test.each(['initialize', 'thread/start'])('in %s ends the program, and its words become a notice', async (method) => {
    await using agent = new AgentProbe(played.driver({}, '--fail', `${method}:not today`));
    expect((await agent.exited()).reason).toBe('start_failed');
    const message = `${method} failed: not today`;
    expect(agent.parts('notice')).toEqual([
      { kind: 'notice', code: 'start-failed', message, detail: { code: -32_600 } },
    ]);
  });

  test('S12: gives up a conversation only when it is unknown', async () => {
    const driver = played.driver({}, '--fail', 'thread/resume:database is locked');
    await using agent = new AgentProbe(driver, { conversation: '01a1fec6-4293-73f1-9a8e-11621892106c' });
    expect((await agent.exited()).reason).toBe('start_failed');
    expect(agent.of('ready')).toEqual([]);
  });
});

test('C27: the driver refuses to switch to a default model that it does not know', async () => {
  const driver = played.driver({}, '--fail', 'config/read:no', '--fail', 'model/list:no');
  await using agent = new AgentProbe(driver, { model: 'one-model' });
  await agent.ready();
  agent.switchModel(null);
  expect((await agent.first('switched', () => true)).ok).toBe(false);
  agent.switchModel('two-model');
  expect((await agent.first('switched', ({ model }) => model === 'two-model')).ok).toBe(true);
});

describe('a message of Codex', () => {
  const word = fc.constantFrom(
    'commandExecution',
    'fileChange',
    'mcpToolCall',
    'agentMessage',
    'completed',
    'other',
    '',
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.integer(),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      word,
      fc.array(tie('value'), { maxLength: 3 }),
      tie('fields'),
    ),
    fields: fc.dictionary(
      fc.constantFrom(
        'type',
        'item',
        'turn',
        'id',
        'status',
        'error',
        'message',
        'codexErrorInfo',
        'command',
        'changes',
        'path',
        'kind',
        'arguments',
        'result',
        'content',
        'text',
        'tokenUsage',
        'total',
        'last',
        'rateLimits',
        'primary',
        'usedPercent',
        'resetsAt',
        'permissions',
        '_meta',
        'codex_approval_kind',
        'networkApprovalContext',
      ),
      tie('value'),
    ),
  }));
  const fields = value.filter((one): one is Fields => isFields(one));
  const method = fc.constantFrom(
    'item/commandExecution/requestApproval',
    'item/fileChange/requestApproval',
    'item/permissions/requestApproval',
    'mcpServer/elicitation/request',
    'x',
  );

  test('agent-port/5: throws no error, whatever its content', () => {
    fc.assert(
      fc.property(fields, value, method, (message, params, name) => {
        toolPartOf(message, true);
        for (const notification of [
          'turn/plan/updated',
          'item/reasoning/textDelta',
          'item/completed',
          'error',
          'warning',
        ]) {
          expect(parseNotification(notification, params).kind).toBeTypeOf('string');
        }
        expect(failureOf(message, null, null).message).toBeTypeOf('string');
        new UsageWindows().take(message);
        const tokens = new TokenCount(true);
        tokens.begin();
        tokens.take(message, true);
        expect(tokens.ofTurn()?.inputTokens ?? 0).not.toBeNaN();
        const call = { id: 1, method: name, params, result: () => true, error: () => true };
        const request = permissionRequestOf(call);
        request?.describe(() => message, '/session');
        request?.answer('allow');
      }),
      { numRuns: 2_000 },
    );
  });
});
