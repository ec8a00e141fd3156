/** The drivers that go through the contract, and how each is made to behave. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DriverSubject } from '../../src/testing/agents/index.ts';
import type { AgentFunction } from '../../src/agents/index.ts';
import { functionDriver, processDriver, scriptedDriver } from '../../src/agents/index.ts';
import type { AgentDriver } from '../../src/agents/port.ts';
import { AgentSandbox } from '../../src/agents/sandbox/agent-sandbox.ts';
import { bubblewrap, repository } from '../support/sandbox.ts';
import { acts } from './players/code-acts.ts';
import { running } from './players/running.ts';

/** Short ladders: the tests wait for their ends. */
/** The environment of this process, without the settings of the user's own programs. */
export const homeless = {
  ...process.env,
  HOME: '/nonexistent',
  CLAUDE_CONFIG_DIR: '',
  CODEX_HOME: '',
  COPILOT_HOME: '',
  GEMINI_CLI_HOME: '',
};

export const quick = { closeGraceMs: 200, termGraceMs: 200, lineMaxBytes: 256 * 1024, ambient: homeless };

export interface Disposable<T> extends AsyncDisposable {
  readonly subject: T;
}

/** Tells the tools of this run from those of any other. */
const toolMs = 61_000 + process.pid / 10_000;

/** What the players and the scripted agent do for the same directives. `endless` begins a turn that has no end of its own. */
export const played = (endless: string) =>
  ({
    answer: 'hello',
    forever: endless,
    'no-result': `${endless} [[noresult]]`,
    deaf: `${endless} [[deaf]]`,
    empty: '[[empty]]',
    'result-twice': '[[text:once]] [[twice]]',
    die: '[[text:good]] [[die:3]]',
    'die-half': '[[text:good]] [[half]]',
    'hang-up': '[[text:good]] [[hang-up]]',
    garbage: '[[text:a]] [[garbage]] [[text:b]]',
    'huge-line': '[[text:a]] [[hugeline:3000000]] [[text:b]]',
    stderr: '[[stderr:10000000]] [[text:done]]',
    stubborn: `[[ignore-term]] [[ignore-eof]] ${endless}`,
    blocked: '[[text:a]] [[block]]',
    history: '[[history]]',
    tool: '[[tool]]',
    ask: '[[ask]] [[text:done]]',
    hang: '[[silent]]',
    silent: '[[text:a]] [[silent]]',
    'api-400': '[[api:400]]',
    'api-401': '[[api:401]]',
    'api-429': '[[api:429]]',
    'api-500': '[[api:500]]',
    'api-529': '[[api:529]]',
    'api-drop': '[[api:drop]]',
    'api-429-once': '[[retried]]',
    'odd-request': '[[odd]] [[text:done]]',
  }) as const satisfies Partial<DriverSubject['prompts']>;

export function scriptedSubject(): Disposable<DriverSubject> & { readonly state: string } {
  const state = mkdtempSync(join(tmpdir(), 'signalbox-scripted-'));
  mkdirSync(state, { recursive: true });
  const endless = '[[forever:2]]';
  const subject: DriverSubject = {
    name: 'scripted',
    driver(variant) {
      if (variant === 'unstartable') {
        return processDriver({ command: join(state, 'no-such-program') });
      }
      if (variant === 'never-ready') {
        return scriptedDriver({ ...quick, noReady: true, startDeadlineMs: 300 });
      }
      return scriptedDriver({ ...quick, state, chunkMs: 1 });
    },
    prompts: {
      ...played(endless),
      'ack-late': `${endless} [[ack:late:30]]`,
      'ack-never': `${endless} [[ack:never]]`,
      'ack-twice': `${endless} [[ack:twice]]`,
      'ack-after-result': `${endless} [[ack:after-result:20]]`,
      'ack-before-result': `${endless} [[ack:before-result:30]]`,
      'ack-with-result': `${endless} [[merged:end]]`,
      'ack-none': `${endless} [[ack:none]]`,
      'split-result': '[[stream:3,1]] [[split-result]]',
      merged: '[[stream:5,1]] [[merged]]',
      empty: '[[empty]] [[sleep:1]]',
      fail: '[[fail:overloaded]]',
      unsolicited: '[[text:a]] [[unsolicited:5,5]]',
      background: '[[background:npm run dev]] [[text:a]] [[background]]',
      blocked: '[[block]]',
      grandchild: `[[grandchild]] ${endless}`,
      'grandchild-outside': `[[grandchild:own]] ${endless}`,
      tool: `[[tool:${toolMs}]]`,
      ask: '[[ask:npm test]] [[text:done]]',
      'ask-withdrawn': '[[ask-withdrawn:npm test]] [[text:done]]',
      'api-400': '[[text:a]] [[api:400]]',
      'api-429': '[[api:429,1500]]',
      'api-drop': '[[text:a]] [[api:drop]]',
      'api-429-once': '[[retry:429,5]] [[text:well again]]',
      'odd-request': { unable: 'the protocol has no requests from the agent but permissions' },
    },
    steers: true,
    resumes: true,
    loses: true,
    rewinds: true,
    reportsUsage: true,
    models: { other: 'another-model' },
    tools: () => running(`sleep ${toolMs / 1_000}`),
    endStray: (pid) => process.kill(pid, 'SIGKILL'),
  };
  return {
    subject,
    state,
    async [Symbol.asyncDispose]() {
      rmSync(state, { recursive: true, force: true });
    },
  };
}

const itsPids = { unable: 'the pids that it tells are those of its sandbox' };

/** The same program in a sandbox: an agent is started, spoken to and ended as without one. */
export function sandboxedSubject(): Disposable<DriverSubject> {
  const { subject, ...held } = scriptedSubject();
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-sandboxed-'));
  const sandbox = new AgentSandbox({
    bubblewrap,
    dataFolder: join(folder, 'data'),
    network: 'none',
    readable: [repository],
    writable: [held.state],
    limits: { processes: null, memoryBytes: null },
    files: [],
    folders: [],
  });
  const inSandbox = (driver: AgentDriver): AgentDriver => ({
    ...driver,
    start: (start) => driver.start({ ...start, sandbox: sandbox.open(start) }),
  });
  return {
    subject: {
      ...subject,
      name: 'scripted, in a sandbox',
      driver(variant) {
        const driver = subject.driver(variant);
        return 'unable' in driver ? driver : inSandbox(driver);
      },
      prompts: { ...subject.prompts, grandchild: itsPids, 'grandchild-outside': itsPids },
    },
    async [Symbol.asyncDispose]() {
      await held[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const ticks = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    } else {
      setImmediate(resolve);
    }
  });

/** A function agent that keeps its conversations in a map, as a user's would. */
function rememberingFunction(conversations: Map<string, { turn: number; prompt: string }[]>): AgentFunction {
  return async function* (prompt, context) {
    const { signal, conversation, turn, rewind } = context;
    const turns = conversations.get(conversation) ?? [];
    conversations.set(conversation, turns);
    if (rewind !== null) {
      turns.splice(turns.filter((one) => one.turn < rewind).length);
    }
    turns.push({ turn, prompt });
    if (prompt === 'history') {
      yield JSON.stringify(turns);
      return { text: 'history' };
    }
    if (prompt === 'empty') {
      return {};
    }
    const acted = yield* acts(prompt, context);
    if (acted !== null) {
      return acted;
    }
    if (prompt === 'fail') {
      throw new TypeError('the function fails');
    }
    if (prompt === 'hang' || prompt === 'silent') {
      if (prompt === 'silent') {
        yield 'a';
      }
      while (!signal.aborted) {
        await ticks(signal);
      }
      return {};
    }
    if (prompt === 'deaf') {
      yield 'a';
      await new Promise(() => {});
    }
    for (let piece = 1; prompt === 'forever' || piece <= 3; piece += 1) {
      yield `piece ${piece} `;
      await ticks(signal);
    }
    return { text: 'done', usage: { inputTokens: 1, outputTokens: 3 } };
  };
}

/** A subject whose agent is code, run in the daemon: `noun` is what it runs in, and `prompts` are the ones it differs in. */
export function codeSubject(
  noun: 'function' | 'thread',
  {
    prompts = {},
    ...rest
  }: Pick<DriverSubject, 'name' | 'driver' | 'models'> & {
    readonly prompts?: Partial<DriverSubject['prompts']>;
  },
): DriverSubject {
  const noProcess = { unable: `a ${noun} has no process of its own` };
  const ownAck = { unable: 'the driver itself acknowledges and settles; a function has no say in it' };
  const noWire = { unable: `there is no wire between a ${noun} and its driver` };
  return {
    ...rest,
    prompts: {
      answer: 'answer',
      forever: 'forever',
      'ack-late': ownAck,
      'ack-never': ownAck,
      'ack-twice': ownAck,
      'ack-after-result': ownAck,
      'ack-before-result': ownAck,
      'ack-with-result': ownAck,
      'ack-none': ownAck,
      'no-result': 'deaf',
      deaf: 'deaf',
      'split-result': noWire,
      merged: noWire,
      empty: 'empty',
      fail: 'fail',
      'result-twice': ownAck,
      die: noProcess,
      'die-half': noProcess,
      'hang-up': noProcess,
      garbage: noWire,
      'huge-line': noWire,
      stderr: noProcess,
      unsolicited: { unable: 'a function runs only when it is called' },
      background: { unable: 'a function runs only when it is called' },
      stubborn: noProcess,
      blocked: noProcess,
      grandchild: noProcess,
      'grandchild-outside': noProcess,
      history: 'history',
      tool: noProcess,
      ask: 'ask',
      'ask-withdrawn': 'ask-withdrawn',
      hang: 'hang',
      silent: 'silent',
      'api-400': 'api-400',
      'api-401': 'api-401',
      'api-429': 'api-429',
      'api-500': 'api-500',
      'api-529': 'api-529',
      'api-drop': 'api-drop',
      'api-429-once': 'api-429-once',
      'odd-request': noWire,
      ...prompts,
    },
    steers: true,
    resumes: true,
    loses: true,
    rewinds: true,
    reportsUsage: true,
  };
}

export function functionSubject(): Disposable<DriverSubject> {
  const conversations = new Map<string, { turn: number; prompt: string }[]>();
  const subject = codeSubject('function', {
    name: 'function',
    driver: (variant) =>
      variant === 'plain'
        ? functionDriver(rememberingFunction(conversations), {
            steer: () => true,
            rewind: true,
            models: true,
            knows: (conversation) => conversations.has(conversation),
            killGraceMs: 20,
          })
        : { unable: 'a function has no process of its own' },
    models: { other: 'another' },
  });
  return { subject, async [Symbol.asyncDispose]() {} };
}
