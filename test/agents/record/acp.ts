/**
 * Records the fixtures of the ACP driver from the real programs, against the fake model API:
 *
 *     node test/agents/record/acp.ts [--only gemini/cancel,copilot] [--out FOLDER]
 *
 * What is written to a program is what the driver writes, so that a transcript can be played back to it. A program that is
 * not installed is named and left out.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startModel } from '../../../e2e/model/index.ts';
import { profiles } from '../../../src/agents/acp/profiles/index.ts';
import {
  cancelParams,
  initializeParams,
  newSessionParams,
  oldSessionParams,
  promptParams,
  steerMethod,
  steerParams,
  switchCall,
  toAgent,
} from '../../../src/agents/acp/wire.ts';
import { readAbilities, readModels } from '../../../src/agents/acp/parse.ts';
import { pause, realTimers } from '../../../src/supervise/timers.ts';
import type { Program, ProgramName } from '../real/acp-programs.ts';
import { programNames, realProgram } from '../real/acp-programs.ts';
import { say, tools } from '../real/acp-tools.ts';
import type { Frame } from './recorder.ts';
import { Recording, shorten } from './recorder.ts';

interface Stage {
  readonly rec: Recording;
  readonly cwd: string;
  call(method: string, params: object): Promise<Frame>;
  initialize(): Promise<Frame>;
  /** initialize and session/new; the session's id, and what it answered. */
  open(): Promise<{ readonly session: string; readonly made: unknown }>;
  prompt(session: string, text: string): Promise<Frame>;
  /** Writes the prompt and resolves with its response later. */
  begin(session: string, text: string): { readonly response: Promise<Frame>; readonly mark: number };
  until(what: string, kinds: readonly string[], from: number): Promise<Frame>;
  permission(from: number): Promise<{ readonly id: unknown; readonly options: readonly Option[] }>;
  reply(id: unknown, result: object): void;
  cancel(session: string): void;
}

interface Option {
  readonly optionId: string;
  readonly kind: string;
}

interface Scenario {
  readonly about: string;
  /** Left out for the programs that are not named. */
  readonly only?: readonly ProgramName[];
  readonly deadlineMs?: number;
  run(stage: Stage, name: ProgramName): Promise<void>;
  /** A second process with the same home, for what must survive the first: that one is recorded. */
  readonly again?: (stage: Stage, session: string) => Promise<void>;
}

const rpc = (frame: object): Frame => ({ jsonrpc: '2.0', ...frame });
const kindOf = (frame: Frame): string => {
  const params = frame['params'] as { readonly update?: { readonly sessionUpdate?: string } } | undefined;
  return params?.update?.sessionUpdate ?? String(frame['method']);
};

function stage(rec: Recording, cwd: string, name: ProgramName): Stage {
  const { files } = profiles[name];
  let last = 0;
  const send = (method: string, params: object): { readonly id: number; readonly mark: number } => {
    last += 1;
    const mark = rec.mark();
    rec.send(rpc({ id: last, method, params }));
    return { id: last, mark };
  };
  const response = ({ id, mark }: { readonly id: number; readonly mark: number }, what: string): Promise<Frame> =>
    rec.until(`response to ${what}`, (frame) => frame['id'] === id && !('method' in frame), mark);
  const self: Stage = {
    rec,
    cwd,
    call: (method, params) => response(send(method, params), method),
    initialize: () =>
      self.call(
        toAgent.initialize,
        initializeParams({ readFiles: files.read, writeFiles: files.write, terminal: false }),
      ),
    async open() {
      await self.initialize();
      const made = (await self.call(toAgent.newSession, newSessionParams(cwd)))['result'];
      return { session: (made as { readonly sessionId: string }).sessionId, made };
    },
    prompt: (session, text) => self.begin(session, text).response,
    begin(session, text) {
      const sent = send(toAgent.prompt, promptParams(session, text));
      const awaited = response(sent, 'session/prompt');
      awaited.catch(() => {});
      return { response: awaited, mark: sent.mark };
    },
    until: (what, kinds, from) => rec.until(what, (frame) => kinds.includes(kindOf(frame)), from),
    async permission(from) {
      const frame = await self.until('a request', ['session/request_permission'], from);
      return { id: frame['id'], options: (frame['params'] as { readonly options: readonly Option[] }).options };
    },
    reply: (id, result) => rec.send(rpc({ id, result })),
    cancel: (session) => rec.send(rpc({ method: toAgent.cancel, params: cancelParams(session) })),
  };
  return self;
}

const choose = (options: readonly Option[], kind: string): object => ({
  outcome: { outcome: 'selected', optionId: options.find((one) => one.kind === kind)?.optionId ?? '' },
});

interface Opened {
  readonly on: Stage;
  readonly name: ProgramName;
  readonly session: string;
  /** What `session/new` answered. */
  readonly made: unknown;
}

/** Plays in a new session. */
const scene = (
  about: string,
  play: (opened: Opened) => Promise<void>,
  more: Omit<Scenario, 'about' | 'run'> = {},
): Scenario => ({ about, ...more, run: async (on, name) => play({ on, name, ...(await on.open()) }) });

/** The agent plays that, and all that it asks of its client is granted. */
async function served(on: Stage, session: string, ...plays: readonly string[]): Promise<void> {
  const turn = on.begin(session, say(plays.join(' ')));
  const serving = serve(on, turn.mark);
  await turn.response;
  serving.stop();
}

const errors = (title: string, directive: string, deadlineMs = 30_000): Scenario =>
  scene(
    `The model's API ${title}; afterwards the agent is asked again.`,
    async ({ on, session }) => {
      await on.prompt(session, say(`fail ${directive}`));
      await on.prompt(session, say('[[text:well again]]'));
    },
    { deadlineMs },
  );

const scenarios: { readonly [name: string]: Scenario } = {
  answer: scene('Two turns that answer.', async ({ on, session }) => {
    await on.prompt(session, say('[[text:hello there, all the same]]'));
    await on.prompt(session, say('[[text:hello there, all the same]]'));
  }),
  cancel: scene('A turn is cancelled in mid-stream, and another one answers.', async ({ on, session }) => {
    const turn = on.begin(session, say('[[slow:200,20]]'));
    await on.until('a piece', ['agent_message_chunk'], turn.mark);
    on.cancel(session);
    await turn.response;
    await on.prompt(session, say('[[text:next one]]'));
  }),
  'cancel-at-once': scene(
    'The cancel is written right behind the prompt; then another turn answers.',
    async ({ on, session }) => {
      const turn = on.begin(session, say('[[slow:30,20]]'));
      on.cancel(session);
      await turn.response;
      await on.prompt(session, say('[[text:next one]]'));
    },
  ),
  'permission-allow': scene('A tool is asked for, allowed once, and runs.', async ({ on, session, name }) => {
    const turn = on.begin(session, say(`[[tool:${tools[name].execute('touch made.txt')}]] [[text:done]]`));
    const { id, options } = await on.permission(turn.mark);
    on.reply(id, choose(options, 'allow_once'));
    await turn.response;
  }),
  'permission-deny': scene(
    'A tool is asked for and rejected once; another turn follows.',
    async ({ on, session, name }) => {
      const turn = on.begin(session, say(`[[tool:${tools[name].execute('touch made.txt')}]] [[text:as you like]]`));
      const { id, options } = await on.permission(turn.mark);
      on.reply(id, choose(options, 'reject_once'));
      await turn.response;
      await on.prompt(session, say('[[text:next one]]'));
    },
  ),
  'permission-cancel': scene('A turn is cancelled while a permission request waits.', async ({ on, session, name }) => {
    const turn = on.begin(session, say(`[[tool:${tools[name].execute('touch made.txt')}]] [[text:done]]`));
    const { id } = await on.permission(turn.mark);
    on.cancel(session);
    on.reply(id, { outcome: { outcome: 'cancelled' } });
    await turn.response;
    await on.prompt(session, say('[[text:next one]]'));
  }),
  'tool-cancel': scene('A turn is cancelled while its tool runs.', async ({ on, session, name }) => {
    const turn = on.begin(session, say(`[[tool:${tools[name].execute('touch made.txt; sleep 30')}]] [[text:done]]`));
    const { id, options } = await on.permission(turn.mark);
    on.reply(id, choose(options, 'allow_once'));
    // Some say nothing more until it is over.
    await pause(realTimers, 1_500);
    on.cancel(session);
    await turn.response;
    await on.prompt(session, say('[[text:next one]]'));
  }),
  edit: scene(
    'A file is written by a tool of the agent; what it asks of its client is answered with success.',
    async ({ on, session, name }) => {
      const write = tools[name].write(join(on.cwd, 'made.txt'), 'hello\n');
      if (write === null) {
        return;
      }
      await served(on, session, `[[tool:${write}]] [[text:written]]`);
    },
    {
      only: ['gemini', 'copilot', 'opencode', 'claude-agent-acp'],
    },
  ),
  change: scene('A line of a file is replaced by a tool of the agent.', async ({ on, session, name }) => {
    const file = join(on.cwd, 'changed.txt');
    writeFileSync(file, changedText);
    const calls = tools[name].replace(file, 'line 3', 'line three').map((one) => `[[tool:${one}]]`);
    await served(on, session, ...calls, '[[text:changed]]');
  }),
  output: scene('A command is allowed and writes lines.', async ({ on, session, name }) => {
    await served(on, session, `[[tool:${tools[name].execute('echo hello; echo again')}]] [[text:done]]`);
  }),
  thinking: scene('The model thinks before it answers.', async ({ on, session }) => {
    await on.prompt(session, say('[[think:first I weigh it|then I say it]]'));
  }),
  plan: scene(
    'The agent makes a plan, and works it off.',
    async ({ on, session, name }) => {
      const tool = tools[name];
      const calls = [tool.plan?.('in_progress', 'pending'), tool.plan?.('completed', 'in_progress')].map(
        (one) => `[[tool:${one}]]`,
      );
      await served(on, session, ...calls, '[[text:planned]]');
    },
    {
      // The others have tools for it, of which the protocol's plan says nothing.
      only: ['claude-agent-acp', 'codex-acp'],
    },
  ),
  'api-400': errors('answers 400', '[[status:400:invalid_request_error]]'),
  'api-401': errors('answers 401', '[[status:401:authentication_error]]', 60_000),
  'api-404': errors('answers 404 for the model', '[[status:404:not_found_error]]', 60_000),
  'api-429': errors('answers 429 each time', '[[status:429:rate_limit_error]]', 90_000),
  'api-500': errors('answers 500 each time', '[[status:500:api_error]]', 90_000),
  'api-529': errors('answers 529 each time', '[[status:529:overloaded_error]]', 90_000),
  'api-drop': errors('drops the connection in mid-stream, each time', '[[drop]]', 90_000),
  resume: scene(
    'A second process takes up the conversation of a first one, in the way that it declares.',
    async ({ on, session }) => {
      await on.prompt(session, say('[[text:remember this]]'));
      await on.prompt(session, say('[[text:and that]]'));
    },
    {
      async again(on, session) {
        await takeUp(on, session);
        await on.prompt(session, say('[[text:third]]'));
      },
    },
  ),
  unknown: {
    about: 'A conversation that the agent does not know, and a fresh one in its place.',
    async run(on) {
      await takeUp(on, '11111111-2222-4333-8444-555555555555');
      const made = (await on.call(toAgent.newSession, newSessionParams(on.cwd)))['result'];
      await on.prompt((made as { readonly sessionId: string }).sessionId, say('[[text:fresh]]'));
    },
  },
  steer: scene(
    'A message goes into the running turn.',
    async ({ on, session }) => {
      const turn = on.begin(session, say('[[slow:100,20]]'));
      await on.until('a piece', ['agent_message_chunk'], turn.mark);
      await on.call(steerMethod, steerParams(session, say('[[text:turned]]')));
      await turn.response;
    },
    {
      only: ['claude-agent-acp', 'codex-acp'],
    },
  ),
  model: scene(
    'The model is changed, and changed back; between them a turn.',
    async ({ on, session, name, made }) => {
      const models = readModels(made);
      if (models === null) {
        throw new Error('no choice of models');
      }
      for (const model of [otherModel[name] ?? '', models.current ?? '']) {
        const { method, params } = switchCall(session, models, model);
        await on.call(method, params);
        await on.prompt(session, say('[[text:with it]]'));
      }
    },
    { only: ['gemini', 'opencode', 'claude-agent-acp'] },
  ),
};

const changedText = Array.from({ length: 8 }, (_, at) => `line ${at + 1}\n`).join('');

const otherModel: { readonly [name: string]: string } = {
  gemini: 'gemini-2.5-pro',
  opencode: 'fake/fake-other',
  'claude-agent-acp': 'sonnet',
};

async function takeUp(on: Stage, session: string): Promise<void> {
  const can = readAbilities((await on.initialize())['result']);
  await on.call(can.resume ? toAgent.resumeSession : toAgent.loadSession, oldSessionParams(session, on.cwd));
}

/** Allows and acknowledges whatever the agent asks of its client. */
function serve(on: Stage, from: number): { stop(): void } {
  let stopped = false;
  const loop = async (): Promise<void> => {
    for (let at = from; !stopped;) {
      const frame = await on.rec.until('a request', (one) => 'method' in one && 'id' in one, at);
      at = on.rec.lines.findIndex((line) => 'frame' in line && line.frame === frame) + 1;
      const { id, method, params } = frame;
      if (method === 'session/request_permission') {
        on.reply(id, choose((params as { readonly options: readonly Option[] }).options, 'allow_once'));
      } else if (method === 'fs/write_text_file') {
        on.reply(id, {});
      } else if (method === 'fs/read_text_file') {
        on.reply(id, { content: readFileSync((params as { readonly path: string }).path, 'utf8') });
      }
    }
  };
  loop().catch(() => {});
  return {
    stop() {
      stopped = true;
    },
  };
}

/** Long prose about commands and options says nothing about the protocol. */
function trim(frame: Frame): Frame {
  const bare = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.map(bare);
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    const kept = Object.entries(value).filter(([name]) => name !== 'description');
    return Object.fromEntries(
      kept.map(([name, one]) => [
        name,
        bare(name === 'availableCommands' && Array.isArray(one) ? one.slice(0, 2) : one),
      ]),
    );
  };
  return bare(shorten(frame, 300, 5)) as Frame;
}

const version = (program: Program): string => {
  const text = execFileSync(program.command, ['--version'], { env: program.env, encoding: 'utf8', timeout: 30_000 });
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? 'unknown';
};

async function record(name: ProgramName, title: string, one: Scenario, model: string, out: string): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-record-'));
  const cwd = join(root, 'session');
  mkdirSync(cwd);
  try {
    const program = realProgram(name, { model, home: join(root, 'home') });
    if ('unable' in program) {
      throw new Error(program.unable);
    }
    const options = {
      program: name,
      version: version(program),
      about: one.about,
      command: program.command,
      args: program.args,
      env: program.env,
      cwd,
      trim,
      scrub: [
        [/\/[^"\s]*\/node_modules\//g, '/node_modules/'],
        [/(?:http:\/\/)?127\.0\.0\.1:\d+/g, 'http://model.invalid'],
        [root, ''],
        [root.slice(1), ''],
      ] as const,
      deadlineMs: one.deadlineMs ?? 30_000,
    };
    const taken = async (work: (rec: Recording) => Promise<void>, env = program.env): Promise<Recording> => {
      await using rec = new Recording({ ...options, env });
      await work(rec);
      rec.endInput();
      // To its own end: what it keeps of the conversation may be written then.
      await Promise.race([rec.ended, pause(realTimers, 5_000)]);
      return rec;
    };
    let rec = await taken((first) => one.run(stage(first, cwd, name), name));
    const { again } = one;
    if (again !== undefined) {
      const session = sessionOf(rec);
      // Gemini CLI forgets a conversation that it takes up in the minute in which it was begun.
      const later = { ...program.env, NODE_OPTIONS: `--import=${new URL('../real/later.ts', import.meta.url).href}` };
      rec = await taken((second) => again(stage(second, cwd, name), session), name === 'gemini' ? later : program.env);
    }
    rec.save(join(out, `acp-${name}`, `${title}.ndjson`));
  } finally {
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

function sessionOf(rec: Recording): string {
  for (const line of rec.lines) {
    if (line.dir !== 'out' || !('frame' in line)) {
      continue;
    }
    const id = (line.frame['result'] as { readonly sessionId?: unknown } | undefined)?.sessionId;
    if (typeof id === 'string') {
      return id;
    }
  }
  return '';
}

const { values } = parseArgs({ options: { only: { type: 'string' }, out: { type: 'string' } } });
const out = values.out ?? fileURLToPath(new URL('../fixtures', import.meta.url));
const wanted = values.only?.split(',') ?? [];
for (const name of programNames) {
  for (const [title, one] of Object.entries(scenarios)) {
    const asked = wanted.length === 0 || wanted.some((each) => each === name || each === `${name}/${title}`);
    if (!asked || !(one.only?.includes(name) ?? true)) {
      continue;
    }
    await using model = await startModel();
    try {
      await record(name, title, one, model.url, out);
      console.log(`${name}/${title}`);
    } catch (error) {
      console.log(`${name}/${title}: ${error instanceof Error ? error.message.slice(0, 1_500) : String(error)}`);
    }
  }
}
