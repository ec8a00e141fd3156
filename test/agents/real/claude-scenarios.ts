/**
 * What is recorded of Claude Code, and what its driver must make of it: each scenario runs with the real program when it is
 * recorded, and with the recording whenever it is tested.
 */
import assert from 'node:assert/strict';
import type { ClaudeDriverOptions } from '../../../src/agents/claude/options.ts';
import type { AgentProbe } from '../../../src/testing/agents/index.ts';
import type { FailureClass } from '../../../src/agents/failures.ts';
import { bash } from './claude.ts';

interface Stage {
  /** It has receipts, lifecycle events and capabilities; false: 2.1.197 and older. */
  readonly modern: boolean;
  begin(options?: ClaudeDriverOptions, conversation?: string | null): AgentProbe;
  /** Another process, of which nothing is kept, takes a turn in a new conversation. Answers its id. */
  earlier(prompt: string): Promise<string>;
}

export interface Scenario {
  readonly about: string;
  /** Left out of recordings of older versions, with the reason. */
  readonly modern?: string;
  readonly run: (stage: Stage) => Promise<void>;
}

/**
 * Ids that are the same in each run. They are UUIDs, since Claude Code takes no others. `kind`: eight digits that keep those of
 * two processes of one conversation apart, since Claude Code runs no message twice.
 */
export function countedIds(kind = '00000000'): () => string {
  let last = 0;
  return () => `${kind}-0000-4000-8000-${String((last += 1)).padStart(12, '0')}`;
}

async function ready(stage: Stage, options: ClaudeDriverOptions = {}, conversation?: string): Promise<AgentProbe> {
  const agent = stage.begin(options, conversation ?? null);
  const { caps, conversationReset: lost } = await agent.ready();
  assert.deepEqual(caps, { acks: true, steer: stage.modern, rewind: false, models: true, keepsPrompts: true });
  assert.equal(lost, false);
  return agent;
}

const resultOf = async (agent: AgentProbe, turn: number) => (await agent.result(turn)).result;

/** Takes a whole turn that ends well and says that. */
async function says(agent: AgentProbe, turn: number, prompt: string, text: string): Promise<void> {
  agent.prompt(turn, prompt);
  const { outcome, report } = await resultOf(agent, turn);
  assert.equal(outcome, 'completed', agent.transcript());
  assert.equal(report.text, text);
  assert.equal(agent.text(turn), text);
}

/** Closes it, and asserts that nothing of what it said was strange. */
async function leaves(agent: AgentProbe): Promise<void> {
  agent.close();
  await agent.exited();
  assert.deepEqual(
    agent.of('output').filter((event) => event.part.kind === 'raw'),
    [],
  );
}

/** One agent is ready, plays its part, and leaves without a strange word. */
const scene = (
  about: string,
  play: (agent: AgentProbe, stage: Stage) => Promise<void>,
  { options, ...more }: Pick<Scenario, 'modern'> & { readonly options?: ClaudeDriverOptions } = {},
): Scenario => ({
  about,
  ...more,
  async run(stage) {
    const agent = await ready(stage, options);
    await play(agent, stage);
    await leaves(agent);
  },
});

const oneRetry: ClaudeDriverOptions = { env: { CLAUDE_CODE_MAX_RETRIES: '1' } };

const speaks = (agent: AgentProbe, turn: number) =>
  agent.first('output', (event) => event.turn === turn && event.part.kind === 'text');
const works = (agent: AgentProbe, turn: number) =>
  agent.first('output', (event) => event.turn === turn && event.part.kind === 'tool');
const asked = (agent: AgentProbe, turn: number) => agent.first('permission-requested', (event) => event.turn === turn);

/** The turn ends because it was asked to, its interrupt is acknowledged once, and the next turn is its own. */
async function interrupted(agent: AgentProbe, turn: number): Promise<void> {
  agent.interrupt(turn);
  const { outcome } = await resultOf(agent, turn);
  assert.equal(outcome, 'interrupted', agent.transcript());
  await agent.first('ack', (event) => event.turn === turn);
  await says(agent, turn + 1, '[[text:the next one]]', 'the next one');
  assert.equal(agent.of('ack').length, 1);
  assert.equal(agent.of('result').length, 2);
}

function statuses(agent: AgentProbe, turn: number): unknown[] {
  return agent
    .of('output')
    .filter((event) => event.turn === turn)
    .flatMap(({ part }) => (part.kind === 'tool' ? [part.status] : []));
}

const touch = bash('touch made.txt; echo made');

/** The API fails; what is told of it has that class, and the next turn is taken. */
const fails = (how: string, directive: string, wanted: FailureClass, retried = false): Scenario =>
  scene(
    `The model's API ${how}.`,
    async (agent) => {
      agent.prompt(1, directive);
      const { outcome, failure, report } = await resultOf(agent, 1);
      assert.equal(outcome, 'failed', agent.transcript());
      assert.equal(failure?.class, wanted);
      assert.notEqual(failure.message, '');
      assert.equal(report.error, failure.message);
      assert.ok(!agent.text(1).includes('API Error'), 'its text is no answer');
      assert.equal(agent.of('retrying').length > 0, retried, agent.transcript());
      for (const { failure: again } of agent.of('retrying')) {
        assert.equal(again.class, wanted);
      }
      await says(agent, 2, '[[text:well again]]', 'well again');
    },
    { options: oneRetry },
  );

const background = bash('timeout 1 tail -f /dev/null', { run_in_background: true });

/** A command is left in the background; when it ends, Claude Code takes a turn by itself. */
async function leavesWorkBehind(agent: AgentProbe): Promise<void> {
  agent.prompt(1, `${background} [[slow:4,2]] [[slow:400,5]]`);
  agent.respond(1, (await asked(agent, 1)).request, true);
  await agent.result(1);
}

const plain: { readonly [name: string]: Scenario } = {
  answer: scene('Two turns answer, in several pieces; each tells what it has used.', async (agent) => {
    await says(agent, 1, '[[slow:4,2]]', 'c0 c1 c2 c3 ');
    await says(agent, 2, '[[text:once more, in one piece or two]]', 'once more, in one piece or two');
    const [first, second] = agent.of('result').map(({ result }) => result.report.usage);
    assert.equal(first?.outputTokens, 20);
    assert.deepEqual(second, first, 'of that turn alone');
    assert.deepEqual(agent.of('output').filter((event) => event.part.kind === 'usage').length, 2);
  }),
  words: scene('Prompts that look like a command and a mention of a file are words.', async (agent) => {
    await says(agent, 1, '/clear is what he wrote, and @made.txt [[text:I see]]', 'I see');
  }),
  tool: scene('A tool that needs no permission runs.', async (agent) => {
    await says(agent, 1, `${bash('echo out; echo err >&2')} [[text:done]]`, 'done');
    assert.deepEqual(statuses(agent, 1), ['started', 'completed']);
  }),
  allowed: scene('A command is asked for, allowed, and runs.', async (agent) => {
    agent.prompt(1, `${touch} [[text:done]]`);
    const { request, action: ask } = await asked(agent, 1);
    assert.deepEqual(ask, { kind: 'execute', tool: 'Bash', title: 'touch made.txt; echo made' });
    agent.respond(1, request, true);
    assert.equal((await resultOf(agent, 1)).outcome, 'completed');
    assert.deepEqual(statuses(agent, 1), ['started', 'completed']);
  }),
  denied: scene('A command is denied with a note; the turn goes on.', async (agent) => {
    agent.prompt(1, `${touch} [[text:then not]]`);
    agent.respond(1, (await asked(agent, 1)).request, false, 'not on this line');
    assert.equal((await resultOf(agent, 1)).outcome, 'completed');
    assert.deepEqual(statuses(agent, 1), ['started', 'failed']);
  }),
  files: scene(
    'A file is written where the session is, which is an edit; then one elsewhere, which is not.',
    async (agent) => {
      for (const [index, path] of ['made.txt', '/tmp/signalbox-elsewhere.txt'].entries()) {
        const input = JSON.stringify({ file_path: path, content: 'x' });
        agent.prompt(index + 1, `[[tool:Write:${input}]] [[text:then not]]`);
        const { action: ask, request } = await asked(agent, index + 1);
        assert.equal(ask.kind, index === 0 ? 'edit' : 'other');
        assert.ok(ask.title.endsWith(path), ask.title);
        agent.respond(index + 1, request, false);
        await agent.result(index + 1);
      }
    },
  ),
  models: scene('The model is changed between turns, and back.', async (agent) => {
    await says(agent, 1, '[[text:one]]', 'one');
    for (const [index, model] of ['claude-sonnet-5', null].entries()) {
      agent.switchModel(model);
      assert.equal((await agent.first('switched', (event) => event.model === model)).ok, true);
      await says(agent, index + 2, '[[text:two]]', 'two');
    }
  }),
  resumed: {
    about: 'A conversation of an earlier process goes on.',
    async run(stage) {
      const conversation = await stage.earlier('[[text:one]]');
      const agent = await ready(stage, {}, conversation);
      assert.equal(agent.of('ready')[0]?.conversation, conversation);
      await says(agent, 1, '[[text:two]]', 'two');
      const data = (await agent.result(1)).result.report;
      assert.equal(data.usage?.outputTokens, 20, 'not those of the earlier process');
      await leaves(agent);
    },
  },
  subagent: scene('A sub-agent says its own words, which are not the answer.', async (agent) => {
    const input = JSON.stringify({
      description: 'look',
      prompt: 'say it [[text:a word aside]]',
      subagent_type: 'general-purpose',
      run_in_background: false,
    });
    await says(agent, 1, `[[tool:Task:${input}]] [[text:the answer]]`, 'the answer');
    assert.deepEqual(statuses(agent, 1), ['started', 'completed']);
  }),
};

const interrupts: { readonly [name: string]: Scenario } = {
  interrupted: scene('A turn is interrupted in mid-stream.', async (agent) => {
    agent.prompt(1, '[[slow:500,10]]');
    await speaks(agent, 1);
    await interrupted(agent, 1);
  }),
  'interrupted-twice': scene(
    'Two interrupts are written for one turn; the second one is the one that is acknowledged.',
    async (agent) => {
      agent.prompt(1, '[[slow:500,10]]');
      await speaks(agent, 1);
      agent.interrupt(1);
      await interrupted(agent, 1);
    },
  ),
  'interrupted-at-once': scene(
    'The interrupt is written behind the message: it is taken out of the queue and never runs.',
    async (agent) => {
      await says(agent, 1, '[[text:one]]', 'one');
      agent.prompt(2, '[[slow:500,10]]');
      agent.interrupt(2);
      assert.equal((await resultOf(agent, 2)).outcome, 'interrupted');
      await agent.first('ack', (event) => event.turn === 2);
      assert.deepEqual(
        agent.of('started').map((event) => event.turn),
        [1],
      );
      await says(agent, 3, '[[text:three]]', 'three');
    },
    { modern: 'older versions have no receipts; there the turn begins and is broken off' },
  ),
  'interrupted-tool': scene('A turn is interrupted while its tool runs.', async (agent) => {
    agent.prompt(1, bash('tail -f /dev/null'));
    agent.respond(1, (await asked(agent, 1)).request, true);
    await works(agent, 1);
    await interrupted(agent, 1);
  }),
  'interrupted-asking': scene(
    'A turn is interrupted while a command waits to be allowed: the request is withdrawn.',
    async (agent) => {
      agent.prompt(1, touch);
      await asked(agent, 1);
      await interrupted(agent, 1);
      assert.deepEqual(agent.of('permission-withdrawn'), [], 'an interrupt says so already');
    },
  ),
  'interrupted-hung': scene('A turn is interrupted while the model says nothing.', async (agent) => {
    agent.prompt(1, '[[hang0]]');
    await agent.started(1);
    await interrupted(agent, 1);
  }),
};

const steers: { readonly [name: string]: Scenario } = {
  steered: scene(
    'A message comes while a tool runs, and is taken when that has ended.',
    async (agent) => {
      agent.prompt(1, `${bash('timeout 0.5 tail -f /dev/null')} [[slow:4,2]]`);
      agent.respond(1, (await asked(agent, 1)).request, true);
      agent.steer(1, 'one', 'mind the gap');
      assert.equal((await agent.first('steered', () => true)).delivered, true);
      assert.equal((await resultOf(agent, 1)).outcome, 'completed');
      await says(agent, 2, '[[text:the next one]]', 'the next one');
    },
    { modern: 'older versions do not say that they took it' },
  ),
  'steered-too-late': scene(
    'A message comes while the last text is said: it is taken back, and does not become a turn of its own.',
    async (agent) => {
      agent.prompt(1, '[[slow:40,5]]');
      await speaks(agent, 1);
      agent.steer(1, 'one', 'mind the gap');
      assert.equal((await resultOf(agent, 1)).outcome, 'completed');
      assert.deepEqual(
        agent.of('steered').map((event) => event.delivered),
        [false],
      );
      await says(agent, 2, '[[text:the next one]]', 'the next one');
      assert.deepEqual(agent.of('unsolicited'), []);
    },
    { modern: 'older versions do not say that they took it' },
  ),
  unasked: scene(
    'A command in the background ends, and Claude Code takes a turn that nobody asked for.',
    async (agent) => {
      await leavesWorkBehind(agent);
      const { data } = await agent.first('unsolicited', (event) => event.phase === 'ended');
      assert.equal((data as { readonly text: unknown }).text, 'c0 c1 c2 c3 ');
      assert.equal(agent.of('result').length, 1);
      await says(agent, 2, '[[text:the next one]]', 'the next one');
      assert.deepEqual(
        agent.of('unsolicited').map((event) => event.phase),
        ['began', 'ended'],
      );
    },
  ),
  'unasked-crossed': scene(
    'A prompt comes while a turn runs that nobody asked for: it waits, and its turn is its own.',
    async (agent) => {
      await leavesWorkBehind(agent);
      await agent.first('unsolicited', (event) => event.phase === 'began');
      await says(agent, 2, '[[text:the next one]]', 'the next one');
      assert.deepEqual(
        agent.of('unsolicited').map((event) => event.phase),
        ['began', 'ended'],
      );
    },
  ),
};

const failures: { readonly [name: string]: Scenario } = {
  'api-400': fails('refuses the request', '[[status:400:invalid_request_error]]', 'invalid_request'),
  'api-401': fails('answers 401', '[[status:401:authentication_error]]', 'auth', true),
  'api-402': fails('wants to be paid', '[[status:402:billing_error]]', 'quota'),
  'api-403': fails('answers 403', '[[status:403:permission_error]]', 'auth'),
  'api-404': fails('does not know the model', '[[status:404:not_found_error]]', 'model'),
  'api-429': fails('limits the rate', '[[status:429:rate_limit_error:1]]', 'rate_limit', true),
  'api-500': fails('fails', '[[status:500:api_error]]', 'server_error', true),
  'api-529': fails('is overloaded', '[[status:529:overloaded_error]]', 'overloaded', true),
  'api-drop': scene(
    'The connection breaks in mid-stream, also when it is tried again; newer versions ask again without a stream.',
    async (agent, stage) => {
      agent.prompt(1, '[[drop]]');
      const { outcome, failure } = await resultOf(agent, 1);
      assert.deepEqual(new Set(agent.of('retrying').map((event) => event.failure.class)), new Set(['network']));
      // The fake model gives its one piece as a whole answer.
      assert.equal(outcome, stage.modern ? 'completed' : 'failed', agent.transcript());
      if (stage.modern) {
        assert.equal(agent.text(1), 'partial ');
      } else {
        assert.equal(failure?.class, 'network');
      }
    },
    { options: oneRetry },
  ),
  'api-context': fails('says that the conversation is too long', '[[status:400:prompt is too long]]', 'context'),
  'api-refusal': fails('says that the model declines', '[[refusal]]', 'refused'),
  'api-mid-error': scene(
    'The stream ends with an error; the request is made again without a stream, and answered.',
    async (agent) => {
      agent.prompt(1, '[[midError:overloaded_error]]');
      const { outcome, report } = await resultOf(agent, 1);
      assert.equal(outcome, 'completed');
      assert.equal(report.text, 'partial ');
      const retracted = agent.of('output').filter(({ part }) => part.kind === 'retraction');
      assert.deepEqual(
        retracted.map(({ part }) => part),
        [{ kind: 'retraction', length: 8 }],
      );
    },
  ),
};

export const scenarios: { readonly [name: string]: Scenario } = { ...plain, ...interrupts, ...steers, ...failures };
