/** The driver of Claude Code: its recordings played again, and what no recording shows. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { claudeDriver } from '../../src/agents/claude/driver.ts';
import { failureOf, retryOf } from '../../src/agents/claude/failures.ts';
import { SessionOpen } from '../../src/agents/claude/session-open.ts';
import { claudeVariables, programOptions } from '../../src/agents/claude/options.ts';
import { plainText } from '../../src/agents/claude/messages.ts';
import { Activity } from '../../src/agents/claude/activity.ts';
import { actionOf } from '../../src/agents/claude/permissions.ts';
import { UsageCount } from '../../src/agents/claude/usage.ts';
import { parseFrame } from '../../src/agents/claude/parse.ts';
import { sessionKey } from '../../src/core/model/ids.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import { versions } from './players/claude-frames.ts';
import type { Played } from './players/claude-subject.ts';
import { claudePlayer } from './players/claude-subject.ts';
import { playerCommand } from './players/command.ts';
import { countedIds, scenarios } from './real/claude-scenarios.ts';
import { readTranscript } from './record/recorder.ts';
import { quick } from './subjects.ts';

const fixtures = fileURLToPath(new URL('fixtures/claude', import.meta.url));
const recordings = Object.values(versions).flatMap((version) =>
  readdirSync(join(fixtures, version)).map((file) => ({ version, file, name: file.replace('.ndjson', '') })),
);

describe('every recording', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-played-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('exists in each version', () => {
    for (const version of Object.values(versions)) {
      expect(recordings.filter((one) => one.version === version).length).toBeGreaterThan(25);
    }
  });

  test.each(recordings.filter(({ name }) => name in scenarios))(
    'gives the expected events when it is replayed: $version: $name',
    async ({ version, file, name }) => {
      // The folder of the session has another name in a recording.
      const copy = join(folder, `${version}-${file}`);
      writeFileSync(copy, readFileSync(join(fixtures, version, file), 'utf8').replaceAll('/session', folder));
      using player = playerCommand('replay.ts', copy);
      const agents: AgentProbe[] = [];
      await scenarios[name]?.run({
        modern: version === versions.modern,
        begin(options = {}, conversation = null) {
          const played = { ...quick, ...options, ids: countedIds(), command: player.command, cwd: folder };
          const agent = new AgentProbe(claudeDriver(played), { conversation });
          agents.push(agent);
          return agent;
        },
        earlier: async () => 'eeeeeeee-0000-4000-8000-aaaaaaaaaaaa',
      });
      expect(agents).toHaveLength(1);
      for (const agent of agents) {
        await agent[Symbol.asyncDispose]();
      }
    },
  );

  // What refuses an id that is taken says so on stderr alone.
  test.each(recordings.filter(({ name }) => name !== 'refused-taken'))(
    'agent-port/5: has only known frames: $version: $name',
    ({ version, file }) => {
      const heard = readTranscript(join(fixtures, version, file)).lines.flatMap((line) =>
        line.dir === 'out' && 'frame' in line ? [parseFrame(line.frame)] : [],
      );
      expect(heard.length).toBeGreaterThan(0);
      expect(heard.filter((one) => one.kind === 'unknown')).toEqual([]);
    },
  );
});

describe('a frame of Claude Code', () => {
  test('agent-port/5: becomes a value, and never an exception', () => {
    const names = [
      'type',
      'subtype',
      'request',
      'response',
      'message',
      'event',
      'user_message_uuids',
      'error',
      'origin',
    ];
    const types = ['system', 'assistant', 'user', 'result', 'stream_event', 'control_request', 'control_response'];
    const value = fc.oneof(fc.constantFrom(...types), fc.jsonValue());
    const frame = fc.dictionary(fc.constantFrom(...names), value);
    fc.assert(
      fc.property(frame, (one) => {
        expect(typeof parseFrame(one).kind).toBe('string');
      }),
      { numRuns: 3_000 },
    );
  });

  test('of an unknown kind names its kind', () => {
    expect(parseFrame({ type: 'levitate' })).toEqual({ kind: 'unknown', problem: 'unknown message levitate' });
    expect(parseFrame({ type: 'system', subtype: 'levitate' })).toMatchObject({ kind: 'unknown' });
    expect(parseFrame({})).toEqual({ kind: 'unknown', problem: 'no type' });
  });
});

describe('S13: the class of a failure', () => {
  const result = (more: object): Parameters<typeof failureOf>[0] => ({ is_error: true, subtype: 'success', ...more });
  const error = (name: string | null, status: number | null, message = ''): Parameters<typeof failureOf>[1] => ({
    name,
    status,
    message,
  });

  test.each([
    ['a name', result({ result: 'no' }), error('authentication_failed', null), 'auth'],
    [
      'a status, which is more exact than a name',
      result({ api_error_status: 529 }),
      error('server_error', 529),
      'overloaded',
    ],
    [
      'a used-up balance, told as 400',
      result({ api_error_status: 400, result: 'Your credit balance is too low' }),
      null,
      'quota',
    ],
    [
      'a used-up plan, told as 429',
      result({ result: 'You have hit your session limit' }),
      error('rate_limit', 429),
      'quota',
    ],
    ['a long conversation, in words', result({ api_error_status: 400, result: 'prompt is too long' }), null, 'context'],
    [
      'a conversation that is too long',
      result({ terminal_reason: 'prompt_too_long' }),
      error('invalid_request', 400),
      'context',
    ],
    [
      'a stream that broke',
      result({ result: 'API Error: Connection lost mid-response.' }),
      error('server_error', null),
      'network',
    ],
    ['nothing that is known', result({ subtype: 'error_max_turns', terminal_reason: 'max_turns' }), null, 'unknown'],
    ['a refusal', result({ stop_reason: 'refusal' }), error('invalid_request', null), 'refused'],
  ] as const)('comes from %s', (_, frame, before, wanted) => {
    const failure = failureOf(frame, before, 5_000);
    expect(failure.class).toBe(wanted);
    expect(failure.message).not.toBe('');
    expect(failure.retryAfterMs).toBe(wanted === 'quota' ? 5_000 : null);
  });

  test('has a pause of the provider only where it is longer than Claude Code’s own', () => {
    const retry = (attempt: number, delay: number): number | null =>
      retryOf({ attempt, retry_delay_ms: delay, error_status: 429, error: 'rate_limit' }).retryAfterMs;
    expect([retry(1, 600), retry(2, 1_238), retry(7, 38_058)]).toEqual([null, null, null]);
    expect([retry(1, 20_000), retry(7, 60_000)]).toEqual([20_000, 60_000]);
  });
});

describe('the usage of a turn', () => {
  const turn = { usage: { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 3 } };

  test('is the sum since the last result, over all models', () => {
    const since = {
      a: { inputTokens: 10, cacheReadInputTokens: 5, outputTokens: 3, costUSD: 0.1 },
      b: { inputTokens: 1, outputTokens: 1, costUSD: 0.2 },
    };
    const usage = new UsageCount(true).take({ ...turn, total_cost_usd: 9, model_usage_since_last_result: since });
    expect(usage).toEqual({
      usage: { inputTokens: 16, outputTokens: 4, cachedInputTokens: 5 },
      cost: { amount: 0.3, currency: 'USD' },
    });
  });

  test('has as its cost the difference of two sums where only sums are reported', () => {
    const count = new UsageCount(false);
    expect(count.take({ ...turn, total_cost_usd: 0.5 })).toMatchObject({
      usage: { inputTokens: 15 },
      cost: { amount: 0.5 },
    });
    expect(count.take({ ...turn, total_cost_usd: 0.75 })).toMatchObject({
      usage: { inputTokens: 15 },
      cost: { amount: 0.25 },
    });
  });

  test('has no cost in the first turn of a resumed conversation', () => {
    const first = { ...turn, total_cost_usd: 7, modelUsage: { a: { outputTokens: 300 } } };
    const count = new UsageCount(true);
    expect(count.take(first)).toEqual({ usage: { inputTokens: 15, outputTokens: 3, cachedInputTokens: 5 } });
    expect(count.take({ ...turn, total_cost_usd: 8 })).toMatchObject({ cost: { amount: 1 } });
    expect(new UsageCount(true).take({ ...first, modelUsage: { a: { outputTokens: 3 } } })).toMatchObject({
      cost: { amount: 7 },
    });
  });
});

describe('a permission request', () => {
  const ask = (tool: string, input: object, more: object = {}): ReturnType<typeof actionOf> =>
    actionOf({ tool_name: tool, input, ...more }, '/session');

  test('has the whole command', () => {
    expect(ask('Bash', { command: 'git status\nrm -rf x' })).toEqual({
      kind: 'execute',
      tool: 'Bash',
      title: 'git status\nrm -rf x',
    });
    expect(ask('Bash', { command: 'x'.repeat(5_000) }).title).toMatch(/^x{4000}…$/);
  });

  test.each([
    ['Read', { file_path: 'src/a.ts' }, {}, 'read'],
    ['Read', { file_path: '/session/src/a.ts' }, {}, 'read'],
    ['Read', { file_path: '/session/../etc/passwd' }, {}, 'other'],
    ['Read', { file_path: '/etc/passwd' }, {}, 'other'],
    ['Read', { file_path: 'link' }, { decision_reason_type: 'workingDir' }, 'other'],
    ['Write', { file_path: '../a' }, {}, 'other'],
    ['Edit', { file_path: 'a' }, {}, 'edit'],
    ['Edit', { file_path: '.git/hooks/x' }, { decision_reason_type: 'safetyCheck' }, 'other'],
    ['Grep', { pattern: 'x' }, {}, 'search'],
    ['WebFetch', { url: 'https://example.org' }, {}, 'fetch'],
    ['mcp__pad__launch', { where: 'here' }, {}, 'other'],
  ] as const)('for %s %j %j is of the kind %s', (tool, input, more, kind) => {
    expect(ask(tool, input, more).kind).toBe(kind);
  });
});

describe('the opening of a conversation', () => {
  const known = '12345678-0000-4000-8000-00000000beef';

  test('is fresh after its only message was cancelled before Claude Code stored it', () => {
    const blank = new Set<string>();
    const first = new SessionOpen(null, () => known, blank);
    first.turnStarted();
    first.turnCancelled();
    expect(new SessionOpen(known, () => 'x', blank).opening).toEqual({ kind: 'fresh', conversation: known });
    first.turnStarted();
    first.turnEnded();
    first.turnCancelled();
    expect(new SessionOpen(known, () => 'x', blank).opening).toEqual({ kind: 'resumed', conversation: known });
  });

  test('is repeated in another way only for the known error text, and once', () => {
    const opening = new SessionOpen(known, () => 'fresh', new Set());
    expect(opening.retry({ stderr: 'something else went wrong' })).toBe(null);
    expect(opening.retry({ stderr: 'No conversation found with session ID: x' })).toMatchObject({ kind: 'fresh' });
    expect(opening.lost).toBe(true);
    expect(opening.retry({ stderr: 'Session ID x is already in use.' })).toBe(null);
  });
});

describe('the input of Claude Code', () => {
  test.each([
    ['/clear', false, ' /clear'],
    ['\n /clear', false, ' \n /clear'],
    ['a/b @made.txt', false, 'a/b @made.txt'],
    ['see @made.txt, (@x) and a@b.c', true, 'see @\u2060made.txt, (@\u2060x) and a@b.c'],
  ])('has %j as plain words (mentions: %j)', (text, mentions, words) => {
    expect(plainText(text, mentions)).toBe(words);
  });

  test('has an environment with the login, without other variables of the daemon, and with the user’s own first', () => {
    const ambient = {
      ANTHROPIC_API_KEY: 'k',
      HOME: '/h',
      SIGNALBOX_TOKEN: 't',
      GITHUB_TOKEN: 'g',
      CLAUDE_CODE_MAX_RETRIES: '7',
    };
    const opening = { kind: 'fresh', conversation: 'c' } as const;
    const { env = {}, args } = programOptions(
      { ambient, env: { DISABLE_TELEMETRY: '0' }, args: ['--x'] },
      opening,
      'm',
      null,
    );
    expect(env).toMatchObject({
      ANTHROPIC_API_KEY: 'k',
      HOME: '/h',
      CLAUDE_CODE_MAX_RETRIES: '7',
      DISABLE_TELEMETRY: '0',
    });
    expect(Object.keys(env).filter((name) => name.endsWith('TOKEN'))).toEqual([]);
    expect(args?.slice(0, -7).slice(-4)).toEqual(['--session-id', 'c', '--model', 'm']);
    expect(args?.at(-1)).toBe('--x');
    expect(claudeVariables.filter((name) => /SIGNALBOX|GITHUB/.test(name))).toEqual([]);
  });
});

test('a turn without output reports its activity, and only once a period', () => {
  const due: (() => void)[] = [];
  const told: string[] = [];
  const timers = { set: (_: number, fn: () => void) => (due.push(fn), () => {}) };
  const pulse = new Activity(timers, 30_000, (what) => told.push(what));
  const pass = (): void => due.shift()?.();
  pulse.seen('stream');
  pulse.seen('thinking_tokens');
  expect(due).toHaveLength(1);
  pass();
  expect(told).toEqual(['thinking_tokens']);
  pass();
  expect(told).toHaveLength(1);
  pulse.seen('stream');
  pulse.emitted();
  pass();
  expect(told).toHaveLength(1);
});

test('C32: content that names a turn that is over is output of the session, before and after the next prompt', async () => {
  await using held = claudePlayer('modern');
  await using agent = new AgentProbe(held.driver());
  await agent.ready();
  agent.prompt(1, '[[late]]');
  expect((await agent.result(1)).result.report.text).toBe('c0 c1 c2 ');
  const late = await agent.first('output', ({ turn, part }) => turn === null && part.kind === 'text');
  expect(late.part).toEqual({ kind: 'text', text: 'too late' });
  expect(agent.of('unsolicited')).toEqual([]);
  agent.prompt(2, '[[late]]');
  await agent.result(2);
  agent.prompt(3, 'next');
  expect((await agent.result(3)).result.report.text).toBe('c0 c1 c2 ');
});

describe.each(['modern', 'old'] as const)('the player in the dialect %s', (dialect) => {
  const held: Played = claudePlayer(dialect);
  afterAll(() => held[Symbol.asyncDispose]());

  test('C05: ends a turn by an interrupt at once, ten times in a row', async () => {
    await using agent = new AgentProbe(held.driver());
    await agent.ready();
    for (let turn = 1; turn <= 20; turn += 2) {
      agent.prompt(turn, '[[forever]]');
      agent.interrupt(turn);
      const { result } = await agent.result(turn);
      expect(result.outcome).toBe('interrupted');
      await agent.first('ack', (event) => event.turn === turn);
      agent.prompt(turn + 1, 'next');
      expect((await agent.result(turn + 1)).result).toMatchObject({
        outcome: 'completed',
        report: { text: 'c0 c1 c2 ' },
      });
    }
    // An early one is written twice in the old dialect; acknowledged is the last.
    expect(agent.of('ack')).toHaveLength(10);
  });

  test('C06: keeps a conversation whose only message was cancelled', async () => {
    const driver = held.driver();
    await using first = new AgentProbe(driver);
    const { conversation } = await first.ready();
    first.prompt(1, '[[forever]]');
    first.interrupt(1);
    await first.result(1);
    first.close();
    await first.exited();
    await using second = new AgentProbe(driver, { conversation });
    expect(await second.ready()).toMatchObject({ conversationReset: false, conversation });
  });

  test('resumes a conversation whose id is taken', async () => {
    const same = '12345678-0000-4000-8000-000000000001';
    const begin = (): AgentProbe => new AgentProbe(held.driver({ ids: startingWith(same) }));
    await using first = begin();
    await first.ready();
    first.prompt(1, 'one');
    await first.result(1);
    first.close();
    await first.exited();
    await using second = begin();
    expect(await second.ready()).toMatchObject({ conversation: same, conversationReset: false });
    second.prompt(2, '[[history]]');
    expect((await second.result(2)).result.report.text).toContain('one');
    expect(second.identities).toHaveLength(2);
  });

  test('S12: gets its prompt again in a fresh conversation after an unknown one was refused', async () => {
    await using agent = new AgentProbe(held.driver(), { conversation: '12345678-0000-4000-8000-00000000dead' });
    agent.prompt(1, 'hello');
    expect((await agent.result(1)).result.outcome).toBe('completed');
    expect(agent.of('ready')).toMatchObject([{ conversationReset: true }]);
    expect(agent.identities).toHaveLength(2);
  });

  test('agent-port/2: ends once when it is closed while it is refused, and no successor begins', async () => {
    await using agent = new AgentProbe(held.driver(), { conversation: '12345678-0000-4000-8000-00000000dead' });
    agent.close();
    expect((await agent.exited()).reason).toBe('closed');
    expect(agent.identities).toHaveLength(1);
  });

  test('C12: gets a prompt of 1 MB and the interrupt behind it whole', async () => {
    await using agent = new AgentProbe(held.driver());
    await agent.ready();
    agent.prompt(1, `[[forever]] ${'“é🚂”\n'.repeat(80_000)}`);
    await agent.started(1);
    agent.interrupt(1);
    expect((await agent.result(1)).result.outcome).toBe('interrupted');
  });

  test('C10: keeps the next turn when a receipt comes after the result', async () => {
    await using agent = new AgentProbe(held.driver());
    await agent.ready();
    agent.prompt(1, '[[forever]] [[ack:after-result]]');
    await agent.output(1);
    agent.interrupt(1);
    await agent.result(1);
    agent.prompt(2, 'next');
    expect((await agent.result(2)).result.outcome).toBe('completed');
    expect(await agent.first('ack', () => true)).toMatchObject({ turn: 1, noResult: false });
  });
});

function startingWith(id: string): () => string {
  let first: string | null = id;
  return () => {
    const next = first ?? crypto.randomUUID();
    first = null;
    return next;
  };
}

describe('the files of a conversation', () => {
  const conversation = '5b0c2a11-0000-4000-8000-00000000abcd';
  const filesIn = (folder: string | null, env: { readonly [name: string]: string }, id = conversation) =>
    claudeDriver({ ambient: {}, env }).conversationFiles?.({ session: sessionKey('s'), conversation: id, folder }) ??
    null;

  test('are one below the settings of the user, in a folder named after that of the session', () => {
    const at = ['projects', '-srv-My-app-v1-2', `${conversation}.jsonl`];
    const file = { name: 'conversation.jsonl', at };
    expect(filesIn('/srv/My_app/v1.2', { HOME: '/home/me' })).toEqual([{ ...file, root: '/home/me/.claude' }]);
    expect(filesIn('/srv/My_app/v1.2', { HOME: '/home/me', CLAUDE_CONFIG_DIR: '/etc/c' })).toEqual([
      { ...file, root: '/etc/c' },
    ]);
  });

  test('are not named without a folder, where its name is cut, or for what is not an id', () => {
    const env = { HOME: '/home/me' };
    expect(filesIn(null, env)).toBe(null);
    expect(filesIn(`/${'a'.repeat(200)}`, env)).toBe(null);
    expect(filesIn('/srv', env, '../../.ssh/id')).toBe(null);
  });
});
