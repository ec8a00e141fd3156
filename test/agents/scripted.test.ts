/** The scripted agent as a program: what it is told, what it remembers, what it writes down. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { AgentProbe, type EventOf } from '../../src/testing/agents/index.ts';
import type { AgentLogLine, ScriptedDriverOptions } from '../../src/agents/index.ts';
import { scriptedDriver, scriptedProgram } from '../../src/agents/index.ts';
import { parseDirectives } from '../../src/agents/scripted/program/directives.ts';
import { quick } from './subjects.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-scripted-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const fresh = (): string => join(folder, `file-${(files += 1)}`);

async function agent(
  options: ScriptedDriverOptions = {},
  conversation: string | null = null,
  incarnation = 1,
): Promise<AgentProbe> {
  const probe = new AgentProbe(scriptedDriver({ ...quick, chunkMs: 1, ...options }), { conversation, incarnation });
  await probe.ready();
  return probe;
}

async function says(probe: AgentProbe, turn: number, prompt: string): Promise<string> {
  probe.prompt(turn, prompt);
  const { result } = await probe.result(turn);
  const { text } = result.report;
  expect(probe.text(turn)).toBe(text);
  return text;
}

const linesOf = (path: string): AgentLogLine[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AgentLogLine);

const textOf = ({ part }: EventOf<'output'>): string => (part.kind === 'text' ? part.text : '');

describe('an answer of the scripted agent', () => {
  test('says by default that the agent is not a real one', async () => {
    await using one = await agent();
    expect(await says(one, 1, 'is anybody there?')).toBe(
      'scripted agent: no real agent is configured; you said: is anybody there?',
    );
    expect(one.of('output').length).toBeGreaterThan(2);
  });

  test('follows the directives of the prompt, in order, whatever is between them', async () => {
    await using one = await agent();
    expect(await says(one, 1, 'please [[text:one, ]] and then [[stream:2,0]] and [[text:three: ]] [[wiki]]')).toBe(
      'one, chunk 1/2 chunk 2/2 three: ',
    );
  });

  test('has a usage, and the code of a failure', async () => {
    await using one = await agent();
    one.prompt(1, '[[text:a]] [[fail:overloaded]] [[text:never said]]');
    const { result } = await one.result(1);
    expect(result).toMatchObject({ outcome: 'failed', report: { text: 'a', error: { code: 'overloaded' } } });
    expect(result.report).toHaveProperty('usage.inputTokens');
  });

  test('comes from a script where a script is given', async () => {
    const script = fresh();
    const turns = [
      { match: 'first', do: '[[text:only once]]', once: true },
      { match: 'first', do: '[[text:from then on]]' },
    ];
    writeFileSync(script, JSON.stringify({ turns, default: '[[text:whatever]]' }));
    await using one = await agent({ script });
    expect(await says(one, 1, 'the first')).toBe('only once');
    expect(await says(one, 2, 'the first')).toBe('from then on');
    expect(await says(one, 3, 'another')).toBe('whatever');
    expect(await says(one, 4, '[[text:its own]]')).toBe('its own');
  });

  test('is refused while a turn runs, so that a daemon that breaks its promise is detected', async () => {
    await using one = await agent();
    one.prompt(1, '[[forever:1]]');
    await one.output(1);
    one.prompt(2, 'me too');
    expect((await one.result(2)).result).toMatchObject({ outcome: 'failed', report: { error: { code: 'busy' } } });
  });
});

describe('a job', () => {
  test('that was interrupted continues at its step, in the same process and after a kill', async () => {
    const state = fresh();
    const job = '[[work:30,40]]';
    await using one = await agent({ state });
    one.prompt(1, job);
    await one.first('output', (event) => textOf(event).startsWith('step 2/30'));
    one.interrupt(1);
    const { result } = await one.result(1);
    expect(result.outcome).toBe('interrupted');
    expect(await says(one, 2, '[[text:something urgent]]')).toBe('something urgent');
    one.prompt(3, `Continue from where it stopped. The task was: ${job}`);
    await one.first('output', (event) => event.turn === 3 && textOf(event).startsWith('step '));
    one.kill();
    await one.exited();
    const before = one.of('output').filter((event) => textOf(event).startsWith('step '));

    await using two = await agent({ state }, one.of('ready')[0]?.conversation ?? null, 2);
    const said = await says(two, 4, 'please go on');
    expect(said).toMatch(/^resuming at step \d+ of 30\nstep /);
    expect(said).toMatch(/done: all 30 steps\n$/);
    const after = two.of('output').filter((event) => textOf(event).startsWith('step '));
    const steps = [...before, ...after].map((event) => Number(/^step (\d+)/.exec(textOf(event))?.[1]));
    // No step is skipped. The one that was being reported when the process was killed may be reported again.
    expect([...new Set(steps)]).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(steps.length).toBeLessThanOrEqual(31);
  });

  test('that is requested again after its end starts again', async () => {
    await using one = await agent();
    expect(await says(one, 1, '[[work:2,1]]')).toMatch(/^step 1\/2/);
    expect(await says(one, 2, '[[work:2,1]]')).toMatch(/^step 1\/2/);
  });
});

describe('the store of the scripted agent', () => {
  test('keeps every prompt, also the one that was interrupted, and survives the process', async () => {
    const state = fresh();
    await using one = await agent({ state });
    await says(one, 1, 'first');
    one.prompt(2, '[[forever:1]]');
    await one.output(2);
    one.interrupt(2);
    await one.result(2);
    one.close();
    await one.exited();
    await using two = await agent({ state }, one.of('ready')[0]?.conversation ?? null);
    expect(JSON.parse(await says(two, 3, '[[history]]'))).toEqual([
      { turn: 1, prompt: 'first', outcome: 'completed' },
      { turn: 2, prompt: '[[forever:1]]', outcome: 'interrupted' },
      { turn: 3, prompt: '[[history]]', outcome: 'open' },
    ]);
  });

  test('never searches outside of its folder', async () => {
    const state = fresh();
    writeFileSync(`${state}-outside.json`, '{"id":"x","turns":[],"work":[]}');
    await using one = await agent({ state }, '../file-outside');
    expect(one.of('ready')[0]?.conversationReset).toBe(true);
    expect(readdirSync(state)).toHaveLength(1);
  });
});

describe('the log of the scripted agent', () => {
  test('records what happened, in order, on a clock that all processes share', async () => {
    const log = fresh();
    await using one = await agent({ log });
    one.prompt(1, '[[forever:1]]');
    await one.output(1);
    one.interrupt(1);
    await one.result(1);
    one.close();
    await one.exited();
    const lines = linesOf(log);
    expect(lines.map((line) => line.event)).toEqual(['started', 'prompt', 'interrupt', 'ack', 'result', 'exiting']);
    expect(lines.every((line) => line.session === 'contract' && line.incarnation === 1)).toBe(true);
    const times = lines.map((line) => BigInt(line.at));
    expect(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0n))).toBe(true);
    expect(times[0] ?? 0n).toBeLessThan(process.hrtime.bigint());
  });

  test('shows two processes that serve one session, and only those', async (context) => {
    if (process.platform !== 'linux') {
      context.skip('who is alive is read in /proc');
    }
    const log = fresh();
    await using one = await agent({ log });
    one.kill();
    await one.exited();
    await using two = await agent({ log }, null, 2);
    expect(linesOf(log).filter((line) => line.event === 'overlap')).toEqual([]);
    await using three = await agent({ log }, null, 3);
    expect(linesOf(log).filter((line) => line.event === 'overlap')).toMatchObject([
      { incarnation: 3, other: two.identities[0]?.pid },
    ]);
    expect(three.breaches).toEqual([]);
  });
});

describe('the scripted agent', () => {
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [scriptedProgram, ...args], { encoding: 'utf8', input: '', timeout: 20_000 });

  test('prints its help', () => {
    expect(run('--help')).toMatchObject({ status: 0, stderr: '' });
    expect(run('--help').stdout).toContain('--script FILE');
  });

  test('refuses unknown flags and scripts', () => {
    const wrong = fresh();
    writeFileSync(wrong, '{"turns":[{"match":1}]}');
    for (const args of [
      ['--sript', 'x'],
      ['--script'],
      ['--slow-start', 'soon'],
      ['--script', wrong],
      ['--script', '/no/such'],
    ]) {
      const { status, stderr } = run(...args);
      expect(status, args.join(' ')).toBe(2);
      expect(stderr).toMatch(/^scripted agent: /);
    }
  });

  test('S08: exits when stdin ends, in the middle of a turn', async () => {
    const child = spawn(process.execPath, [scriptedProgram], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.write('{"type":"start","session":"s","incarnation":1,"conversation":null}\n');
    child.stdin.write('{"type":"prompt","turn":1,"text":"[[forever:1]]"}\n');
    await once(child.stdout, 'data');
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

test('directives are found by name, and text that only looks like one is left alone', () => {
  expect(parseDirectives('[[a]] [[text:x]] [[text]] [[ text:y]] [text:z] [[ack:late:5]] [[text:two\nlines]]')).toEqual([
    { name: 'text', argument: 'x' },
    { name: 'text', argument: '' },
    { name: 'ack', argument: 'late:5' },
    { name: 'text', argument: 'two\nlines' },
  ]);
});

describe('a directive of the scripted agent', () => {
  test('requests a permission, with a kind where it is given, and shows the response', async () => {
    const log = fresh();
    await using one = await agent({ log });
    one.prompt(1, '[[ask:npm test]] [[ask:edit:src/a.ts]] [[text:done]]');
    const first = await one.first('permission-requested', () => true);
    expect(first.action).toEqual({ kind: 'execute', tool: 'shell', title: 'npm test' });
    one.respond(1, first.request, true);
    const second = await one.first('permission-requested', ({ request }) => request !== first.request);
    expect(second.action).toEqual({ kind: 'edit', tool: 'write', title: 'src/a.ts' });
    one.respond(1, second.request, false, 'on the branch line only');
    await one.result(1);
    expect(one.text(1)).toBe('(allowed) (denied: on the branch line only) done');
    const events = linesOf(log).map(({ event }) => event);
    expect(events.slice(1)).toEqual([
      'prompt',
      'permission-requested',
      'permission-resolved',
      'permission-requested',
      'permission-resolved',
      'result',
    ]);
  });

  test('fails as a provider does, with its status and its hint', async () => {
    await using one = await agent();
    one.prompt(1, '[[text:so far]] [[api:429,1500]] [[text:never said]]');
    expect((await one.result(1)).result).toMatchObject({
      outcome: 'failed',
      failure: { class: 'rate_limit', status: 429, retryAfterMs: 1_500 },
      report: { text: 'so far' },
    });
    one.prompt(2, '[[api:quota]]');
    expect((await one.result(2)).result.failure).toMatchObject({ class: 'quota', status: null, retryAfterMs: null });
    one.prompt(3, '[[api:nonsense]]');
    expect((await one.result(3)).result.failure?.class).toBe('unknown');
  });

  test('retries by itself', async () => {
    await using one = await agent();
    expect(await says(one, 1, '[[retry:529,1]] [[text:well again]]')).toBe('well again');
    expect(one.of('retrying').map(({ turn, failure }) => [turn, failure.class])).toEqual([[1, 'overloaded']]);
  });

  test('answers with a model, and knows only the models that the agent has', async () => {
    await using one = await agent({ flags: ['--models', 'small,large'] });
    expect(await says(one, 1, '[[model]]')).toBe('model: the default ');
    one.switchModel('large');
    expect((await one.first('switched', ({ model }) => model === 'large')).ok).toBe(true);
    one.switchModel('huge');
    expect((await one.first('switched', ({ model }) => model === 'huge')).ok).toBe(false);
    expect(await says(one, 2, '[[model]]')).toBe('model: large ');
    await using two = await agent({ without: ['models'] });
    expect(two.of('ready')[0]?.caps.models).toBe(false);
  });

  test('runs a tool to its end, or to the interrupt', async () => {
    await using one = await agent();
    await says(one, 1, '[[tool:20]]');
    expect(one.parts('tool').map(({ status }) => status)).toEqual(['started', 'completed']);
  });
});
