/**
 * The ACP driver against recordings of the real programs: each transcript is played back, the driver must write what was
 * written then, and its events must say what happened. `test/agents/record/acp.ts` makes the transcripts.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { ProfileName } from '../../src/agents/acp/profiles/index.ts';
import { acpDriver } from '../../src/agents/acp/driver.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import type { EventOf } from '../../src/testing/agents/probe.ts';
import type { FailureClass } from '../../src/agents/failures.ts';
import type { ToolPart } from '../../src/core/model/output.ts';
import { playerCommand } from './players/command.ts';
import type { Frame } from './record/recorder.ts';
import { readTranscript } from './record/recorder.ts';

type Program = Exclude<ProfileName, 'acp'>;
type Fields = { readonly [name: string]: unknown };

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));
const fileOf = (program: Program, title: string): string => join(fixtures, `acp-${program}`, `${title}.ndjson`);
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Makes the driver write again what was written then, except for what it writes by itself. */
class Conductor {
  readonly #agent: AgentProbe;
  readonly #said: readonly Frame[];
  turn = 0;
  #asked = 0;
  #switched = 0;

  constructor(agent: AgentProbe, said: readonly Frame[]) {
    this.#agent = agent;
    this.#said = said;
  }

  async written(frame: Frame): Promise<void> {
    const { method, result, id } = frame;
    const params = fieldsOf(frame['params']);
    const [block] = (params['prompt'] ?? []) as readonly Fields[];
    if (method === 'session/prompt') {
      await this.#prompt(textOf(block?.['text']));
    } else if (method === 'session/cancel') {
      this.#agent.interrupt(this.turn);
    } else if (method === '_session/steering') {
      await this.#steer(textOf(block?.['text']));
    } else if (method === 'session/set_model') {
      await this.#switch(textOf(params['modelId']));
    } else if (method === 'session/set_config_option') {
      await this.#switch(textOf(params['value']));
    } else if (result !== undefined) {
      this.#answer(id, textOf(fieldsOf(fieldsOf(result)['outcome'])['optionId']));
    }
  }

  /** The program requested a permission here. */
  async asked(): Promise<void> {
    this.#asked += 1;
    await this.#agent.until('a permission request', () => this.#agent.of('permission-requested').length >= this.#asked);
  }

  async #prompt(text: string): Promise<void> {
    if (this.turn > 0) {
      await this.#agent.result(this.turn);
    }
    this.turn += 1;
    this.#agent.prompt(this.turn, text);
  }

  async #steer(text: string): Promise<void> {
    await this.#agent.output(this.turn);
    this.#agent.steer(this.turn, 'one', text);
  }

  /** The first time to another model, the second time back. */
  async #switch(model: string): Promise<void> {
    if (this.turn > 0) {
      await this.#agent.result(this.turn);
    }
    this.#switched += 1;
    const wanted = this.#switched === 1 ? model : null;
    this.#agent.switchModel(wanted);
    await this.#agent.first('switched', (event) => event.model === wanted);
  }

  /** A permission that was answered then. The driver answers other requests, and those of a cancelled turn, by itself. */
  #answer(id: unknown, option: string): void {
    const request = this.#said.find((one) => one['id'] === id && one['method'] === 'session/request_permission');
    if (request === undefined || option === '') {
      return;
    }
    const options = fieldsOf(request['params'])['options'] as readonly Fields[];
    const kind = options.find((one) => one['optionId'] === option)?.['kind'];
    const asked = this.#agent.of('permission-requested')[this.#asked - 1];
    this.#agent.respond(this.turn, asked?.request ?? '', kind === 'allow_once');
  }
}

interface Replayed {
  readonly agent: AgentProbe;
  /** Text of that file in the session's folder; null: it is not there. */
  readonly file: (name: string) => string | null;
}

const played = new Set<string>();

/** Plays one transcript from its beginning to its end, with a real folder as the session's. */
async function replay(program: Program, title: string): Promise<Replayed> {
  played.add(`${program}/${title}`);
  const root = mkdtempSync(join(tmpdir(), 'signalbox-acp-'));
  using _ = { [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
  const folder = join(root, 'session');
  mkdirSync(folder);
  const file = join(root, 'transcript.ndjson');
  const transcript = readFileSync(fileOf(program, title), 'utf8');
  writeFileSync(file, transcript.replaceAll('"/session', `"${folder}`));
  using replayed = playerCommand('./replay.ts', file);
  const lines = readTranscript(file).lines.flatMap((line) => ('frame' in line ? [line] : []));
  const heard = lines.filter(({ dir }) => dir === 'in').map(({ frame }) => frame);
  const taken = heard.find(({ method }) => method === 'session/load' || method === 'session/resume');
  const conversation = taken === undefined ? null : textOf(fieldsOf(taken['params'])['sessionId']);
  // The recordings were made without what the driver sets over the settings of the machine on which it runs.
  const driver = acpDriver({ profile: program, command: replayed.command, closeGraceMs: 10_000, trustSettings: true });
  await using agent = new AgentProbe(driver, { conversation, folder });
  await agent.ready();
  const conductor = new Conductor(
    agent,
    lines.filter(({ dir }) => dir === 'out').map(({ frame }) => frame),
  );
  for (const { dir, frame } of lines) {
    if (dir === 'in') {
      await conductor.written(frame);
    } else if (frame['method'] === 'session/request_permission') {
      await conductor.asked();
    }
  }
  await agent.result(conductor.turn);
  agent.close();
  const { reason, data } = await agent.exited();
  expect({ reason, stderr: fieldsOf(data)['stderr'] }).toEqual({ reason: 'closed', stderr: '' });
  const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  return { agent, file: (name) => files.get(name) ?? null };
}

type Result = EventOf<'result'>['result'];
const results = (agent: AgentProbe): readonly Result[] => agent.of('result').map(({ result }) => result);
const outcomes = (agent: AgentProbe): readonly string[] => results(agent).map(({ outcome }) => outcome);
const said = (result: Result | undefined): unknown => result?.report.text;
const usage = (result: Result | undefined): Fields => fieldsOf(result?.report.usage);
const raws = (agent: AgentProbe): readonly unknown[] => agent.parts('raw');
const tools = (agent: AgentProbe): readonly ToolPart[] => agent.parts('tool');

const programs = ['gemini', 'copilot', 'opencode', 'claude-agent-acp', 'codex-acp'] as const;

/** The program's own name of its tools. */
const toolNames: { readonly [P in Program]: readonly [shell: string, write: string] } = {
  gemini: ['run_shell_command', 'write_file'],
  copilot: ['execute', 'edit'],
  opencode: ['execute', 'edit'],
  'claude-agent-acp': ['Bash', 'Write'],
  'codex-acp': ['execute', ''],
};

const usual: { readonly [title: string]: FailureClass } = {
  'api-400': 'invalid_request',
  'api-401': 'auth',
  'api-404': 'model',
  'api-429': 'rate_limit',
  'api-500': 'server_error',
  'api-529': 'overloaded',
  'api-drop': 'network',
};

/** Where a program withholds what went wrong: Gemini CLI and opencode report a 404 like other failures. */
const unusual: { readonly [file: string]: FailureClass } = {
  'gemini/api-404': 'server_error',
  'opencode/api-404': 'unknown',
};

describe.each(programs)('%s', (program) => {
  test('reports the whole text and the usage of each turn', async () => {
    const { agent } = await replay(program, 'answer');
    expect(outcomes(agent)).toEqual(['completed', 'completed']);
    for (const turn of [1, 2]) {
      expect(agent.text(turn)).toBe('hello there, all the same');
      expect(said(results(agent)[turn - 1])).toBe('hello there, all the same');
      expect(usage(results(agent)[turn - 1])).toMatchObject({ inputTokens: 100, outputTokens: 20 });
    }
    // It gives a sum. In the first turn it also made a title.
    const costs = program === 'claude-agent-acp' ? [0.0016, 0.0008].map((amount) => ({ amount, currency: 'USD' })) : [];
    expect(results(agent).flatMap(({ report }) => report.cost ?? [])).toEqual(costs);
    expect(agent.parts('cost')).toEqual(costs.map((cost) => ({ kind: 'cost', ...cost })));
    expect(agent.parts('usage')).toEqual(results(agent).map(({ report }) => ({ kind: 'usage', ...report.usage })));
    expect(raws(agent)).toEqual([]);
  });

  test('emits its thinking as separate parts, which are not in the text', async () => {
    const { agent } = await replay(program, 'thinking');
    const thoughts = agent.parts('thinking').map(({ text }) => text);
    // Gemini CLI puts its heading around each piece.
    expect(thoughts.join('').replaceAll('****\n', '').trim()).toBe('first I weigh it');
    expect(said(results(agent)[0])).toBe('then I say it');
    expect(agent.text(1)).toBe('then I say it');
    expect(raws(agent)).toEqual([]);
  });

  test('gives the diff of a file that its tool changed', async () => {
    const { agent, file } = await replay(program, 'change');
    const [diff, ...others] = tools(agent).flatMap(({ diffs = [] }) => diffs);
    expect(others).toEqual([]);
    expect(diff?.path).toMatch(/\/session\/changed\.txt$/);
    expect(diff?.unified.text).toMatch(/^--- a\/.*\/changed\.txt\n\+\+\+ b\/.*\/changed\.txt\n@@ /);
    expect(diff?.unified.text).toContain('\n-line 3\n+line three\n');
    expect(diff?.unified.text).not.toContain('No newline');
    const edit = tools(agent).at(-1);
    expect(edit).toMatchObject({ action: 'edit', status: 'completed', title: diff?.path });
    // The other programs wrote the file themselves, when it was recorded.
    const writesThroughUs = program === 'gemini' || program === 'opencode';
    expect(file('changed.txt')?.includes('line three') ?? false).toBe(writesThroughUs);
  });

  test('reports the input and the output of a command, and when it ran', async () => {
    const { agent } = await replay(program, 'output');
    const [started, completed, ...others] = tools(agent);
    expect(others).toEqual([]);
    expect(started).toMatchObject({ status: 'started', action: 'execute', title: 'echo hello; echo again' });
    expect(completed).toMatchObject({ id: started?.id, status: 'completed', startedAt: started?.startedAt });
    expect(completed?.endedAt).toBeGreaterThanOrEqual(completed?.startedAt ?? Infinity);
    // Gemini CLI gives neither.
    if (program !== 'gemini') {
      expect(completed?.input?.text).toContain('"command":"echo hello; echo again"');
      expect(completed?.output?.text).toMatch(/^hello\nagain\b/);
    }
  });

  test.each(['cancel', 'cancel-at-once', 'permission-cancel', 'tool-cancel'])(
    'C05, C13: %s interrupts a turn, and the next turn has only its own output',
    async (title) => {
      const { agent } = await replay(program, title);
      expect(outcomes(agent)).toEqual(['interrupted', 'completed']);
      expect(said(results(agent)[1])).toBe('next one');
      if (title === 'cancel') {
        expect(results(agent)[0]?.empty).toBe(false);
      }
      expect(agent.of('permission-requested').length).toBe(title.startsWith('cancel') ? 0 : 1);
    },
  );

  test('requests a permission in the words of all agents, then uses the tool', async () => {
    const { agent } = await replay(program, 'permission-allow');
    const [shell] = toolNames[program];
    expect(agent.of('permission-requested').map(({ action: ask }) => ask)).toEqual([
      { kind: 'execute', tool: shell, title: 'touch made.txt' },
    ]);
    expect(tools(agent).map(({ status, title }) => [status, title])).toEqual([
      ['started', 'touch made.txt'],
      ['completed', 'touch made.txt'],
    ]);
    expect(outcomes(agent)).toEqual(['completed']);
    expect(said(results(agent)[0])).toBe('done');
  });

  test('does not fail a turn whose permission was denied', async () => {
    const { agent } = await replay(program, 'permission-deny');
    expect(agent.of('permission-requested')).toHaveLength(1);
    expect(outcomes(agent)).toEqual([program === 'codex-acp' ? 'interrupted' : 'completed', 'completed']);
    // Copilot CLI's own words about it are no answer.
    expect(said(results(agent)[0])).toBe(/copilot|opencode|codex/.test(program) ? '' : 'as you like');
    expect(said(results(agent)[1])).toBe('next one');
  });

  test.skipIf(program === 'codex-acp')('requests an edit by its path, and has the file written', async () => {
    const { agent, file } = await replay(program, 'edit');
    const [asked] = agent.of('permission-requested');
    expect(asked?.action).toMatchObject({ kind: 'edit', tool: toolNames[program][1] });
    expect(asked?.action.title).toMatch(/\/session\/made\.txt$/);
    expect(agent.of('permission-requested')).toHaveLength(1);
    expect(outcomes(agent)).toEqual(['completed']);
    // The other programs wrote the file themselves, when it was recorded.
    expect(file('made.txt')).toBe(program === 'gemini' || program === 'opencode' ? 'hello\n' : null);
  });

  test.each(Object.keys(usual))('S13: %s fails the turn with its class, and the next turn completes', async (title) => {
    const { agent } = await replay(program, title);
    expect(outcomes(agent)).toEqual(['failed', 'completed']);
    const [first, second] = results(agent);
    expect(first?.failure?.class).toBe(unusual[`${program}/${title}`] ?? usual[title]);
    expect(said(second)).toBe('well again');
    // What a program says instead of an answer is not one.
    if (program !== 'claude-agent-acp') {
      expect(said(first)).toBe('');
    }
    for (const { failure } of agent.of('retrying')) {
      expect(failure.class).toBe(usual[title]);
    }
  });

  test('resumes a conversation, whose past is not output', async () => {
    const { agent } = await replay(program, 'resume');
    expect(agent.of('ready')[0]).toMatchObject({
      conversationReset: false,
      conversation: expect.stringMatching(/\w{8}/),
    });
    expect(agent.text(1)).toBe('third');
    expect(agent.of('output').filter(({ part }) => part.kind === 'text')).toHaveLength(1);
    expect(agent.of('output').filter(({ part, turn }) => part.kind === 'raw' || turn === null)).toEqual([]);
  });

  test('S12: begins a fresh conversation where it does not know the old one, and says so', async () => {
    const { agent } = await replay(program, 'unknown');
    expect(agent.of('ready')[0]?.conversationReset).toBe(true);
    expect(agent.of('ready')[0]?.conversation).not.toBe('11111111-2222-4333-8444-555555555555');
    expect(said(results(agent)[0])).toBe('fresh');
  });
});

test.each(['claude-agent-acp', 'codex-acp'] as const)('%s reports each update of its plan', async (program) => {
  const { agent } = await replay(program, 'plan');
  const statuses = agent.parts('plan').map(({ entries }) => entries.map(({ status }) => status));
  expect(statuses).toEqual([
    ['in_progress', 'pending'],
    ['completed', 'in_progress'],
  ]);
  expect(agent.parts('plan')[0]?.entries.map(({ text }) => text.slice(0, 4))).toEqual(['look', 'leap']);
});

test.each(['claude-agent-acp', 'codex-acp'] as const)(
  'D06: %s takes a steered message into the turn',
  async (program) => {
    const { agent } = await replay(program, 'steer');
    expect(agent.of('ready')[0]?.caps.steer).toBe(true);
    expect(agent.of('steered').map(({ delivered: taken }) => taken)).toEqual([true]);
    expect(outcomes(agent)).toEqual(['completed']);
    expect(textOf(said(results(agent)[0]))).toMatch(/turned$/);
  },
);

test.each(['gemini', 'opencode', 'claude-agent-acp'] as const)(
  'C27: %s changes its model, and changes it back',
  async (program) => {
    const { agent } = await replay(program, 'model');
    expect(agent.of('ready')[0]?.caps.models).toBe(true);
    expect(agent.of('switched').map(({ ok }) => ok)).toEqual([true, true]);
    expect(outcomes(agent)).toEqual(['completed', 'completed']);
  },
);

test('every transcript is played', () => {
  for (const program of programs) {
    const files = readdirSync(join(fixtures, `acp-${program}`)).map((file) => `${program}/${file}`);
    expect(files.filter((file) => !played.has(file.replace('.ndjson', '')))).toEqual([]);
  }
});
