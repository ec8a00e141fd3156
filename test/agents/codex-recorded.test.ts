/**
 * The Codex driver against what the real program said: each transcript is played back, the driver must write what it wrote
 * then, and its events must mean what happened. `test/agents/record/codex.ts` makes the transcripts.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { CodexDriverOptions } from '../../src/agents/codex/options.ts';
import { codexDriver } from '../../src/agents/codex/driver.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import type { EventOf } from '../../src/testing/agents/probe.ts';
import { type Fields, isFields } from '../../src/agents/child/fields.ts';
import { permissionRequestOf } from '../../src/agents/codex/permissions.ts';
import type { FailureClass } from '../../src/agents/failures.ts';
import type { RequestedAction } from '../../src/core/model/permission.ts';
import type { ToolPart } from '../../src/core/model/output.ts';
import { playerCommand } from './players/command.ts';
import { readTranscript } from './record/recorder.ts';
import { homeless } from './subjects.ts';

const folder = fileURLToPath(new URL('fixtures/codex', import.meta.url));
const played = new Set<string>();

/** Plays one transcript from its beginning to its end. */
async function replay(
  name: string,
  act: (agent: AgentProbe) => Promise<void>,
  { conversation = null, ...options }: CodexDriverOptions & { readonly conversation?: string | null } = {},
): Promise<AgentProbe> {
  played.add(name);
  using player = playerCommand('./replay.ts', `${folder}/${name}.ndjson`);
  const driver = codexDriver({
    closeGraceMs: 10_000,
    ambient: homeless,
    ...options,
    command: player.command,
    cwd: player.folder,
  });
  await using agent = new AgentProbe(driver, { conversation });
  await agent.ready();
  await act(agent);
  agent.close();
  const { reason, data } = await agent.exited();
  const { code, stderr } = data as { readonly code: unknown; readonly stderr: unknown };
  expect({ reason, code }, String(stderr)).toEqual({ reason: 'closed', code: 0 });
  return agent;
}

async function turn(agent: AgentProbe, id: number, text: string): Promise<EventOf<'result'>['result']> {
  agent.prompt(id, text);
  return (await agent.result(id)).result;
}

const kinds = (agent: AgentProbe, id: number): string[] =>
  agent.events.flatMap((event) => ('turn' in event && event.turn === id ? [`${event.type}${kindOf(event)}`] : []));
const kindOf = (event: AgentProbe['events'][number]): string => (event.type === 'output' ? ` ${event.part.kind}` : '');

const tools = (agent: AgentProbe): readonly ToolPart[] => agent.parts('tool');

const raws = (agent: AgentProbe): readonly unknown[] => agent.parts('raw');

const speaks = (agent: AgentProbe, id: number): Promise<unknown> =>
  agent.first('output', (event) => event.turn === id && event.part.kind === 'text');

const decide = (name: string, text: string, allow: boolean, note: string | null): Promise<AgentProbe> =>
  replay(name, async (agent) => {
    agent.prompt(1, text);
    const { request } = await agent.first('permission-requested', () => true);
    agent.respond(1, request, allow, note);
    await agent.result(1);
  });

/** How the requests of a transcript are judged in the folder of its recording. */
function judgedIn(name: string): readonly RequestedAction[] {
  const { lines } = readTranscript(`${folder}/${name}.ndjson`);
  const items = new Map<unknown, Fields>();
  return lines.flatMap((line) => {
    const frame = 'frame' in line ? line.frame : {};
    const params = isFields(frame['params']) ? frame['params'] : {};
    if (isFields(params['item'])) {
      items.set(params['item']['id'], params['item']);
    }
    const method = String(frame['method']);
    const request = permissionRequestOf({ id: 1, method, params, result: () => true, error: () => true });
    return request === null ? [] : [request.describe((id) => items.get(id) ?? null, '/session').action];
  });
}

/** The text of the first prompt in a transcript. */
function readPrompt(name: string): string {
  const { lines } = readTranscript(`${folder}/${name}.ndjson`);
  const started = lines.find((line) => 'frame' in line && line.frame['method'] === 'turn/start');
  const { input } = (started !== undefined && 'frame' in started ? started.frame['params'] : {}) as {
    readonly input: readonly { readonly text: string }[];
  };
  return input[0]?.text ?? '';
}

const exec = (cmd: string, more: object = {}): string => `[[tool:exec_command:${JSON.stringify({ cmd, ...more })}]]`;

describe('a turn of Codex', () => {
  test('reports each piece of the answer as output, and has the whole text and the usage in its result', async () => {
    const agent = await replay('answer', async (one) => {
      await turn(one, 1, '[[slow:4,2]]');
      await turn(one, 2, '[[text:once more, in one piece or two]]');
    });
    const [ready] = agent.of('ready');
    expect(ready?.caps).toEqual({ acks: true, steer: true, rewind: true, models: true, keepsPrompts: true });
    expect(ready?.conversation).toMatch(/^[\da-f-]{36}$/);
    expect(agent.text(1)).toBe('c0 c1 c2 c3 ');
    const results = agent.of('result').map(({ result }) => result);
    expect(results.map(({ outcome, empty, failure }) => ({ outcome, empty, failure }))).toEqual(
      [1, 2].map(() => ({ outcome: 'completed', empty: false, failure: null })),
    );
    expect(results.map(({ report }) => report)).toEqual([
      { text: 'c0 c1 c2 c3 ', usage: { inputTokens: 100, outputTokens: 20 } },
      { text: 'once more, in one piece or two', usage: { inputTokens: 100, outputTokens: 20 } },
    ]);
    expect(kinds(agent, 1)[0]).toBe('started');
    expect(raws(agent)).toEqual([]);
    // One of the program, and one of the model that comes with every turn: each is told once.
    expect(agent.of('output').filter(({ part }) => part.kind === 'notice')).toHaveLength(2);
  });

  test('agent-port/3: that is interrupted has its ack, then its result, and the next turn follows', async () => {
    const agent = await replay('interrupted', async (one) => {
      one.prompt(1, '[[slow:500,10]]');
      await speaks(one, 1);
      one.interrupt(1);
      await one.result(1);
      await turn(one, 2, '[[text:next one]]');
    });
    const [first] = agent.of('result');
    expect(first?.result).toMatchObject({ outcome: 'interrupted', empty: false, failure: null });
    expect(first?.result.report).toMatchObject({ text: agent.text(1) });
    expect(kinds(agent, 1).slice(-2)).toEqual(['ack', 'result']);
    expect(agent.text(2)).toBe('next one');
    expect(raws(agent)).toEqual([]);
  });

  test('C05: gets an interrupt before the confirmation with the confirmation', async () => {
    const agent = await replay('interrupted-at-once', async (one) => {
      one.prompt(1, '[[slow:500,10]]');
      one.interrupt(1);
      await one.result(1);
    });
    expect(agent.of('result')[0]?.result.outcome).toBe('interrupted');
    const { lines } = readTranscript(`${folder}/interrupted-at-once.ndjson`);
    const order = lines.flatMap((line) => ('frame' in line ? [line.frame['method']] : []));
    expect(order.indexOf('turn/interrupt')).toBeGreaterThan(order.indexOf('turn/started'));
  });

  test('that is interrupted has its result when its command has ended', async () => {
    const agent = await replay('interrupted-command', async (one) => {
      one.prompt(1, exec('echo begun; sleep 62', { yield_time_ms: 60_000 }));
      const { request } = await one.first('permission-requested', () => true);
      one.respond(1, request, true);
      await one.first('output', ({ part }) => part.kind === 'tool');
      one.interrupt(1);
      await one.result(1);
      await turn(one, 2, '[[text:next one]]');
    });
    const { lines } = readTranscript(`${folder}/interrupted-command.ndjson`);
    const written = lines.flatMap((line) => (line.dir === 'in' && 'frame' in line ? [line.frame['method']] : []));
    expect(written.slice(-3)).toEqual(['turn/interrupt', 'thread/backgroundTerminals/clean', 'turn/start']);
    // The end of the command follows by itself, and is nobody's news.
    expect(tools(agent).map(({ status }) => status)).toEqual(['started']);
  });

  test('accepts a steered message while it runs, and not once it is over', async () => {
    const agent = await replay('steered', async (one) => {
      one.prompt(1, '[[slow:500,10]]');
      await speaks(one, 1);
      one.steer(1, 'first', '[[text:as you wish]]');
      await one.result(1);
      one.steer(1, 'second', 'too late');
      await one.first('steered', ({ id }) => id === 'second');
    });
    expect(agent.of('steered').map(({ id, delivered: taken }) => [id, taken])).toEqual([
      ['first', true],
      ['second', false],
    ]);
    // Two messages in one turn stand apart.
    expect(agent.text(1)).toMatch(/^c0 .*\n\nas you wish$/);
    expect(agent.of('result')[0]?.result.report).toMatchObject({ text: agent.text(1) });
  });

  test('C27: gets its model with its prompt, fails with an unknown one, and gets the default again', async () => {
    const switchTo = async (one: AgentProbe, model: string | null): Promise<void> => {
      one.switchModel(model);
      expect((await one.first('switched', (event) => event.model === model)).ok).toBe(true);
    };
    const agent = await replay('models', async (one) => {
      await switchTo(one, 'other-model');
      await turn(one, 1, '[[text:as the other]]');
      await switchTo(one, 'no-such-model');
      await turn(one, 2, '[[status:404:model_not_found]]');
      await switchTo(one, null);
      await turn(one, 3, '[[text:as before]]');
    });
    expect(agent.of('result').map(({ result }) => [result.outcome, result.failure?.class ?? null])).toEqual([
      ['completed', null],
      ['failed', 'model'],
      ['completed', null],
    ]);
    const { lines } = readTranscript(`${folder}/models.ndjson`);
    const models = lines.flatMap((line) =>
      line.dir === 'in' && 'frame' in line && line.frame['method'] === 'turn/start'
        ? [(line.frame['params'] as { readonly model?: unknown }).model]
        : [],
    );
    expect(models).toEqual(['other-model', 'no-such-model', 'fake-model']);
  });
});

describe('a conversation of Codex', () => {
  test('S12: that is unknown is reported as lost, and a fresh one begins', async () => {
    const conversation = '01a1fec6-4293-73f1-9a8e-11621892106c';
    const agent = await replay('lost', async (one) => void (await turn(one, 1, '[[text:a fresh one]]')), {
      conversation,
    });
    expect(agent.of('ready')[0]).toMatchObject({ conversationReset: true });
    expect(agent.of('ready')[0]?.conversation).not.toBe(conversation);
  });

  test('is resumed with its history, the default model, and without the rewound turn', async () => {
    const { lines } = readTranscript(`${folder}/resumed.ndjson`);
    const resume = lines.find((line) => 'frame' in line && line.frame['method'] === 'thread/resume');
    const conversation = /"threadId":"([^"]+)"/.exec(JSON.stringify(resume))?.[1] ?? null;
    const agent = await replay(
      'resumed',
      async (one) => {
        one.prompt(3, '[[text:instead]]', 2);
        await one.result(3);
      },
      { conversation },
    );
    expect(agent.of('ready')[0]).toMatchObject({ conversationReset: false, conversation });
    // Its sum starts anew with the history; what the turn used does not depend on that.
    expect(agent.of('result')[0]?.result.report).toEqual({
      text: 'instead',
      usage: { inputTokens: 100, outputTokens: 20 },
    });
  });
});

describe('a permission request of Codex', () => {
  test('requests a command once, by itself, and the output of the command is the tool’s', async () => {
    const agent = await decide('command', `${exec('echo hello; echo again')} [[text:done]]`, true, null);
    const asked = { kind: 'read', tool: 'shell', title: 'echo hello; echo again' };
    expect(judgedIn('command')).toEqual([asked]);
    // The folder of the recording is outside of that of the test.
    expect(agent.of('permission-requested').map(({ action: ask }) => ask)).toEqual([{ ...asked, kind: 'other' }]);
    expect(tools(agent)).toMatchObject([
      { name: 'shell', action: 'read', status: 'started', id: expect.any(String), title: 'echo hello; echo again' },
      {
        name: 'shell',
        status: 'completed',
        id: expect.any(String),
        title: 'echo hello; echo again',
        input: { text: '{"command":"echo hello; echo again","cwd":"/session"}' },
        output: { text: 'hello\nagain\n' },
        startedAt: 1_795_277_560_561,
        endedAt: 1_795_277_560_606,
      },
    ]);
    expect(agent.of('permission-withdrawn')).toEqual([]);
  });

  test('names a command that only reads as reading', async () => {
    const agent = await decide('reading', `${exec('cat made.txt | head -3')} [[text:done]]`, true, null);
    expect(agent.of('permission-requested').map(({ action: ask }) => ask.kind)).toEqual(['other']);
    expect(judgedIn('reading').map(({ kind }) => kind)).toEqual(['read']);
  });

  test('that is denied lets the turn continue, and its note follows as a message', async () => {
    const agent = await decide('denied', `${exec('touch a.txt')} [[text:done]]`, false, 'use b.txt');
    expect(agent.of('result')[0]?.result.outcome).toBe('completed');
    expect(tools(agent).at(-1)?.status).toBe('failed');
    const { lines } = readTranscript(`${folder}/denied.ndjson`);
    const steered = lines.find((line) => 'frame' in line && line.frame['method'] === 'turn/steer');
    expect(JSON.stringify(steered)).toContain('The request was denied: use b.txt');
  });

  test('requests a patch as an edit, with the file and its change', async () => {
    const patch = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: made.txt\n+hello\n*** End Patch\nEOF";
    const agent = await decide('patch', `${exec(patch)} [[text:done]]`, true, null);
    const [asked] = agent.of('permission-requested');
    expect(judgedIn('patch')).toEqual([{ kind: 'edit', tool: 'apply_patch', title: '/session/made.txt' }]);
    expect(asked?.detail).toMatchObject({
      changes: [{ path: '/session/made.txt', kind: { type: 'add' }, diff: 'hello\n' }],
    });
    expect(tools(agent).map(({ name, status }) => [name, status])).toEqual([
      ['apply_patch', 'started'],
      ['apply_patch', 'completed'],
    ]);
  });

  test('D08: that is open at an interrupt is cancelled, and not withdrawn', async () => {
    const agent = await replay('asked-interrupted', async (one) => {
      one.prompt(1, exec('touch a.txt'));
      const { request } = await one.first('permission-requested', () => true);
      one.interrupt(1);
      await one.result(1);
      one.respond(1, request, true);
      await turn(one, 2, '[[text:next one]]');
    });
    expect(agent.of('result').map(({ result }) => result.outcome)).toEqual(['interrupted', 'completed']);
    expect(agent.of('permission-withdrawn')).toEqual([]);
  });

  test('for more permissions can be granted and denied', async () => {
    const wanted = { reason: 'to fetch', permissions: { network: { enabled: true } } };
    const agent = await replay(
      'granted',
      async (one) => {
        for (const id of [1, 2]) {
          one.prompt(id, `[[tool:request_permissions:${JSON.stringify(wanted)}]] [[text:done]]`);
          const { request } = await one.first('permission-requested', (event) => event.turn === id);
          one.respond(id, request, id === 1);
          await one.result(id);
        }
      },
      { config: { features: { goals: false, request_permissions_tool: true } } },
    );
    expect(agent.of('permission-requested').map(({ action: ask }) => ask)).toEqual(
      [1, 2].map(() => ({ kind: 'fetch', tool: 'request_permissions', title: 'to fetch' })),
    );
  });

  test('names the server and the tool of MCP, and does not come for a tool that declares to only read', async () => {
    const agent = await replay('mcp', async (one) => {
      for (const id of [1, 2]) {
        one.prompt(id, 'launch');
        const { request } = await one.first('permission-requested', (event) => event.turn === id);
        one.respond(id, request, id === 2);
        await one.result(id);
      }
      await turn(one, 3, 'peek');
    });
    const ask = { kind: 'other', tool: 'mcp__pad__launch', title: '{"where":"here"}' };
    expect(agent.of('permission-requested').map((event) => event.action)).toEqual([ask, ask]);
    expect(
      tools(agent).flatMap(({ status, output }) => (status === 'started' ? [] : [[status, output?.text]])),
    ).toEqual([
      ['failed', 'user rejected MCP tool call'],
      ['completed', 'launch: done'],
      ['completed', 'peek: done'],
    ]);
  });

  test('agent-port/5: of another kind is refused by the protocol, and the turn continues', async () => {
    const options = ['a', 'b'].map((label) => ({ label, description: label }));
    const questions = [{ id: 'q', header: 'h', question: 'which?', options }];
    const agent = await replay(
      'question',
      async (one) =>
        void (await turn(
          one,
          1,
          `[[tool:request_user_input:${JSON.stringify({ questions })}]] [[text:nobody answered]]`,
        )),
      { config: { features: { goals: false, default_mode_request_user_input: true } } },
    );
    expect(agent.of('result')[0]?.result.outcome).toBe('completed');
    expect(agent.of('permission-requested')).toEqual([]);
  });
});

describe('the output of Codex', () => {
  test('has reasoning as thinking, piece by piece, and not in the text', async () => {
    const agent = await replay('reasoning', async (one) => {
      await turn(one, 1, '[[think:first I weigh it|then I say it]]');
      await turn(one, 2, '[[think:again|yes]]');
    });
    expect(agent.parts('thinking').map(({ text }) => text)).toEqual(['first I weig', 'h it', 'again']);
    expect(agent.of('result').map(({ result }) => result.report.text)).toEqual(['then I say it', 'yes']);
    expect(raws(agent)).toEqual([]);
  });

  test('has a plan for each update of the plan', async () => {
    const steps = (first: string, second: string): string => {
      const all = Object.entries({ look: first, leap: second }).map(([step, status]) => ({ step, status }));
      return `[[tool:update_plan:${JSON.stringify({ explanation: 'as asked', plan: all })}]]`;
    };
    const agent = await replay(
      'plan',
      async (one) => {
        const text = [steps('in_progress', 'pending'), steps('completed', 'in_progress'), '[[text:planned]]'];
        await turn(one, 1, text.join(' '));
      },
      { config: { features: { goals: false }, tools: { update_plan: { enabled: true } } } },
    );
    const entries = agent.parts('plan').map((plan) => plan.entries.map(({ text, status }) => `${text}: ${status}`));
    expect(entries).toEqual([
      ['look: in_progress', 'leap: pending'],
      ['look: completed', 'leap: in_progress'],
    ]);
  });

  test('has a unified diff of each file of an applied patch', async () => {
    const agent = await decide('edits', readPrompt('edits'), true, null);
    const [started, completed] = tools(agent);
    expect(started).toMatchObject({ status: 'started', action: 'delete', title: expect.stringMatching(/^4 files: /) });
    expect(started?.diffs).toBeUndefined();
    expect(completed?.diffs).toEqual([
      {
        path: '/session/added.txt',
        unified: { text: '--- /dev/null\n+++ b/session/added.txt\n@@ -0,0 +1 @@\n+hello\n' },
      },
      {
        path: '/session/changed.txt',
        unified: {
          text: [
            '--- a/session/changed.txt\n+++ b/session/changed.txt',
            '@@ -2,3 +2,3 @@\n line 2\n-line 3\n+line three\n line 4',
            '@@ -17,2 +17,3 @@\n line 17\n+line 17 and a half\n line 18\n',
          ].join('\n'),
        },
      },
      {
        path: '/session/gone.txt',
        unified: { text: '--- a/session/gone.txt\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-good\n-bye\n' },
      },
      {
        path: '/session/old.txt',
        unified: { text: '--- a/session/old.txt\n+++ b/session/new.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n' },
      },
    ]);
  });

  test('has the usage of a turn before its result, and the pieces of text make the whole text', async () => {
    const agent = await replay('answer', async (one) => {
      await turn(one, 1, '[[slow:4,2]]');
      await turn(one, 2, '[[text:once more, in one piece or two]]');
    });
    expect(agent.parts('usage')).toEqual([1, 2].map(() => ({ kind: 'usage', inputTokens: 100, outputTokens: 20 })));
    for (const { turn: id, result } of agent.of('result')) {
      expect(kinds(agent, id).slice(-2)).toEqual(['output usage', 'result']);
      expect(agent.text(id)).toBe(result.report.text);
    }
  });
});

describe('unsolicited work of Codex', () => {
  test('ends its turn for a goal before the next turn of the daemon', async () => {
    const agent = await replay(
      'goal',
      async (one) => {
        await turn(one, 1, '[[tool:create_goal:{"objective":"work on the goal"}]] [[text:a goal is set]]');
        await one.first('unsolicited', (event) => event.phase === 'ended');
        await turn(one, 2, '[[text:and on]]');
      },
      { config: { features: { goals: true } } },
    );
    expect(agent.of('unsolicited').map(({ phase, data }) => [phase, data])).toEqual([
      ['began', { why: 'Codex has begun a turn by itself' }],
      ['ended', { text: 'reached', status: 'completed' }],
    ]);
    expect(agent.text(2)).toBe('and on');
  });

  test('takes in a prompt that crosses it, and its end settles the prompt', async () => {
    const agent = await replay(
      'merged-into-goal',
      async (one) => {
        await turn(one, 1, '[[tool:create_goal:{"objective":"work on the goal"}]] [[text:a goal is set]]');
        await one.first('unsolicited', (event) => event.phase === 'began');
        await turn(one, 2, '[[tool:update_goal:{"status":"complete"}]] [[text:reached, as you say]]');
      },
      { config: { features: { goals: true } } },
    );
    expect(agent.of('unsolicited').map(({ phase }) => phase)).toEqual(['began', 'ended']);
    expect(kinds(agent, 2)[0]).toBe('started');
    expect(agent.of('result').at(-1)?.result).toMatchObject({
      outcome: 'completed',
      report: { text: 'reached, as you say', usage: { inputTokens: 200, outputTokens: 40 } },
    });
  });

  test('of a sub-agent requests its command in the running turn, and an interrupt ends its turn and command', async () => {
    const agent = await replay('subagent', async (one) => {
      one.prompt(1, 'be a parent');
      const { request } = await one.first('permission-requested', () => true);
      one.respond(1, request, true);
      await one.first('output', ({ part }) => JSON.stringify(part).includes('"wait"'));
      one.interrupt(1);
      await one.result(1);
    });
    expect(agent.of('permission-requested').map(({ turn: id, action: ask }) => [id, ask.kind, ask.title])).toEqual([
      [1, 'execute', 'echo begun; sleep 63'],
    ]);
    const { lines } = readTranscript(`${folder}/subagent.ndjson`);
    const written = lines.flatMap((line) => (line.dir === 'in' && 'frame' in line ? [line.frame['method']] : []));
    const clean = 'thread/backgroundTerminals/clean';
    expect(written.slice(-4)).toEqual(['turn/interrupt', clean, 'turn/interrupt', clean]);
    expect(agent.of('unsolicited')).toEqual([]);
  });

  test('of a sub-agent that outlives the turn is reported before the result', async () => {
    const agent = await replay('subagent-outlives', async (one) => {
      await turn(one, 1, 'be a parent');
      await one.first('unsolicited', (event) => event.phase === 'ended');
    });
    const order = agent.events.map(({ type }) => type);
    expect(order.indexOf('unsolicited')).toBeLessThan(order.indexOf('result'));
    expect(agent.text(1)).toBe('it is on its way');
  });
});

describe('S13: a failure of Codex', () => {
  const rows: readonly (readonly [string, string, FailureClass, number | null, boolean])[] = [
    ['api-400', '[[status:400:invalid_request_error]]', 'invalid_request', 400, false],
    ['api-401', '[[status:401:invalid_api_key]]', 'auth', 401, true],
    ['api-429', '[[status:429:rate_limit_exceeded:1]]', 'rate_limit', 429, true],
    ['api-500', '[[status:500:server_error]]', 'server_error', null, true],
    ['api-503', '[[status:503:server_is_overloaded]]', 'overloaded', null, false],
    ['api-529', '[[status:529:overloaded_error]]', 'overloaded', 529, true],
    ['api-drop', '[[drop]]', 'network', null, true],
    ['api-context', '[[status:400:context_length_exceeded]]', 'context', null, false],
    ['api-quota', '[[status:429:insufficient_quota]]', 'quota', null, false],
  ];
  test.each(rows)(
    '%s fails the turn with its class, and the next turn completes',
    async (name, directive, wanted, status, retries) => {
      const agent = await replay(name, async (one) => {
        await turn(one, 1, directive);
        await turn(one, 2, '[[text:well again]]');
      });
      const [failed, well] = agent.of('result').map(({ result }) => result);
      expect(failed).toMatchObject({ outcome: 'failed', failure: { class: wanted, status, retryAfterMs: null } });
      expect(failed?.failure?.message).not.toBe('');
      expect(failed?.report).toMatchObject({ error: { message: expect.any(String) } });
      expect(well?.outcome).toBe('completed');
      expect(agent.of('retrying').map(({ turn: id, failure }) => [id, failure.class])).toEqual(
        retries ? [[1, wanted]] : [],
      );
      expect(raws(agent)).toEqual([]);
    },
  );

  test('by a single 429 is reported as a retry, and the turn completes', async () => {
    const agent = await replay('api-429-once', async (one) => {
      await turn(one, 1, '[[flaky:1:429:rate_limit_exceeded:1]]');
      await turn(one, 2, '[[text:well again]]');
    });
    expect(agent.of('retrying').map(({ failure }) => failure.class)).toEqual(['rate_limit']);
    expect(agent.of('result').map(({ result }) => result.outcome)).toEqual(['completed', 'completed']);
  });

  test('by the end of the full usage window states how long to wait', async () => {
    const resetsAt = 4_102_444_800_000;
    const agent = await replay('usage-limit', async (one) => void (await turn(one, 1, 'anything')), {
      wall: () => resetsAt - 90_000,
    });
    expect(agent.of('result')[0]?.result.failure).toMatchObject({ class: 'quota', retryAfterMs: 90_000 });
  });

  test('by a rate limit states in its words how long to wait', async () => {
    const agent = await replay('rate-hint', async (one) => void (await turn(one, 1, 'anything')));
    expect(agent.of('retrying')[0]?.failure).toMatchObject({ class: 'rate_limit', retryAfterMs: 1_500 });
    expect(agent.of('result')[0]?.result.failure).toMatchObject({ class: 'rate_limit', retryAfterMs: 1_500 });
  });
});

test('every transcript is played', () => {
  expect([...played].sort()).toEqual(
    readdirSync(folder)
      .map((file) => file.replace(/\.ndjson$/, ''))
      .sort(),
  );
});
