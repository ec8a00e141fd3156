/**
 * Records the fixtures of the Codex driver: the driver itself talks to the real program, and what passes between them is kept.
 *
 *     node test/agents/record/codex.ts [--only answer,asked] [--out FOLDER]
 *
 * Written is `test/agents/fixtures/codex/<scenario>.ndjson`.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { CodexDriverOptions } from '../../../src/agents/codex/options.ts';
import { AgentProbe } from '../../../src/testing/agents/index.ts';
import type { EventOf } from '../../../src/testing/agents/probe.ts';
import { pause, realTimers } from '../../../src/supervise/index.ts';
import type { RealCodex } from '../real/codex.ts';
import { codexBinary, exec, missing, realCodex } from '../real/codex.ts';
import { running } from '../players/running.ts';
import { startResponses } from '../real/responses.ts';
import type { About } from './tee.ts';

interface Stage {
  readonly codex: RealCodex;
  /** Starts the program; what passes is kept. */
  begin(options?: CodexDriverOptions, conversation?: string | null): AgentProbe;
  /** The model's API answers so in this scenario. Called before the program starts. */
  answers(how: Parameters<typeof startResponses>[0]): Promise<void>;
}

interface Scenario {
  readonly about: string;
  run(stage: Stage): Promise<unknown>;
}

async function ready(
  stage: Stage,
  options: CodexDriverOptions = {},
  conversation: string | null = null,
): Promise<AgentProbe> {
  const agent = stage.begin(options, conversation);
  await agent.ready();
  return agent;
}

async function turn(agent: AgentProbe, id: number, text: string): Promise<EventOf<'result'>> {
  agent.prompt(id, text);
  return agent.result(id);
}

const asked = (agent: AgentProbe, id: number): Promise<EventOf<'permission-requested'>> =>
  agent.first('permission-requested', (event) => event.turn === id);

const speaks = (agent: AgentProbe, id: number): Promise<unknown> =>
  agent.first('output', (event) => event.turn === id && event.part.kind === 'text');

async function runs(commandLine: string): Promise<void> {
  while (running(commandLine).length === 0) {
    await pause(realTimers, 10);
  }
}

/** What a fresh agent does, and what is done to it, from its start to its close. */
const scene = (
  about: string,
  play: (agent: AgentProbe, stage: Stage) => Promise<unknown>,
  options: CodexDriverOptions = {},
): Scenario => ({ about, run: async (stage) => play(await ready(stage, options), stage) });

/** Turns of a fresh agent, one after the other. */
const turns = (about: string, ...texts: readonly string[]): Scenario =>
  scene(about, async (agent) => {
    for (const [index, text] of texts.entries()) {
      await turn(agent, index + 1, text);
    }
  });

const fails = (how: string, directive: string): Scenario =>
  turns(`The model's API ${how}; afterwards the agent is asked again.`, directive, '[[text:well again]]');

/** One command is asked for and answered so. */
const decides = (about: string, command: string, allow: boolean, note: string | null): Scenario =>
  scene(about, async (agent) => {
    agent.prompt(1, `${exec(command)} [[text:done]]`);
    const { request } = await asked(agent, 1);
    agent.respond(1, request, allow, note);
    await agent.result(1);
  });

const patch = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: made.txt\n+hello\n*** End Patch\nEOF";
const edits = `apply_patch <<'EOF'
*** Begin Patch
*** Update File: changed.txt
@@
 line 2
-line 3
+line three
 line 4
@@
 line 17
+line 17 and a half
 line 18
*** Update File: old.txt
*** Move to: new.txt
@@
 one
-two
+2
*** Delete File: gone.txt
*** Add File: added.txt
+hello
*** End Patch
EOF`;
const plan = (first: string, second: string): string => {
  const steps = { look: first, leap: second };
  const input = { explanation: 'as asked', plan: Object.entries(steps).map(([step, status]) => ({ step, status })) };
  return `[[tool:update_plan:${JSON.stringify(input)}]]`;
};
const noGoals = { goals: false };

const scenarios: { readonly [name: string]: Scenario } = {
  answer: turns('Two turns that answer, in several pieces.', '[[slow:4,2]]', '[[text:once more, in one piece or two]]'),
  command: decides('A command is asked for, allowed, and runs.', 'echo hello; echo again', true, null),
  reading: decides('A command that only reads is asked for like any other.', 'cat made.txt | head -3', true, null),
  denied: decides('A command is denied with a note; the turn goes on.', 'touch a.txt', false, 'use b.txt'),
  patch: decides('A patch is asked for, allowed, and applied.', patch, true, null),
  edits: {
    about: 'One patch changes a file in two places, moves one, deletes one and adds one.',
    async run(stage) {
      const { folder } = stage.codex;
      writeFileSync(join(folder, 'changed.txt'), Array.from({ length: 20 }, (_, at) => `line ${at + 1}\n`).join(''));
      writeFileSync(join(folder, 'old.txt'), 'one\ntwo\n');
      writeFileSync(join(folder, 'gone.txt'), 'good\nbye\n');
      const agent = await ready(stage);
      agent.prompt(1, `${exec(edits)} [[text:done]]`);
      const { request } = await asked(agent, 1);
      agent.respond(1, request, true);
      await agent.result(1);
    },
  },
  reasoning: turns(
    'The model thinks in two turns before it answers.',
    '[[think:first I weigh it|then I say it]]',
    '[[think:again|yes]]',
  ),
  plan: {
    about: 'The agent makes a plan, and works it off.',
    async run(stage) {
      const tools = { update_plan: { enabled: true } };
      const agent = await ready(stage, { config: { features: noGoals, tools } });
      const steps = [plan('in_progress', 'pending'), plan('completed', 'in_progress'), '[[text:planned]]'];
      await turn(agent, 1, steps.join(' '));
    },
  },
  'asked-interrupted': scene(
    'A turn is interrupted while a command waits to be allowed; then another turn answers.',
    async (agent) => {
      agent.prompt(1, exec('touch a.txt'));
      await asked(agent, 1);
      agent.interrupt(1);
      await agent.result(1);
      await turn(agent, 2, '[[text:next one]]');
    },
  ),
  granted: scene(
    'More permissions are asked for: first granted, then denied.',
    async (agent) => {
      const wanted = { reason: 'to fetch', permissions: { network: { enabled: true } } };
      for (const id of [1, 2]) {
        agent.prompt(id, `[[tool:request_permissions:${JSON.stringify(wanted)}]] [[text:done]]`);
        const { request } = await asked(agent, id);
        agent.respond(id, request, id === 1);
        await agent.result(id);
      }
    },
    { config: { features: { ...noGoals, request_permissions_tool: true } } },
  ),
  question: scene(
    'The agent has a question for a person, which no driver answers; the turn goes on.',
    async (agent) => {
      const options = ['a', 'b'].map((label) => ({ label, description: label }));
      const questions = [{ id: 'q', header: 'h', question: 'which?', options }];
      await turn(agent, 1, `[[tool:request_user_input:${JSON.stringify({ questions })}]] [[text:nobody answered]]`);
    },
    { config: { features: { ...noGoals, default_mode_request_user_input: true } } },
  ),
  interrupted: scene('A turn is interrupted in mid-stream, and another one answers.', async (agent) => {
    agent.prompt(1, '[[slow:500,10]]');
    await speaks(agent, 1);
    agent.interrupt(1);
    await agent.result(1);
    await turn(agent, 2, '[[text:next one]]');
  }),
  'interrupted-at-once': scene(
    'The interrupt is asked for before the turn is confirmed, and leaves with the confirmation.',
    async (agent) => {
      agent.prompt(1, '[[slow:500,10]]');
      agent.interrupt(1);
      await agent.result(1);
    },
  ),
  'interrupted-command': scene('A turn is interrupted while its command runs; the command is ended.', async (agent) => {
    agent.prompt(1, exec('echo begun; sleep 62', { yield_time_ms: 60_000 }));
    const { request } = await asked(agent, 1);
    agent.respond(1, request, true);
    await runs('sleep 62');
    agent.interrupt(1);
    await agent.result(1);
    await turn(agent, 2, '[[text:next one]]');
  }),
  steered: scene('A message is steered into a running turn; a second one comes too late.', async (agent) => {
    agent.prompt(1, '[[slow:500,10]]');
    await speaks(agent, 1);
    agent.steer(1, 'first', '[[text:as you wish]]');
    await agent.result(1);
    agent.steer(1, 'second', 'too late');
    await agent.first('steered', (event) => event.id === 'second');
  }),
  models: scene('The model is changed between turns, to one that is not known, and back.', async (agent) => {
    agent.switchModel('other-model');
    await agent.first('switched', ({ model }) => model === 'other-model');
    await turn(agent, 1, '[[text:as the other]]');
    agent.switchModel('no-such-model');
    await agent.first('switched', ({ model }) => model === 'no-such-model');
    await turn(agent, 2, '[[status:404:model_not_found]]');
    agent.switchModel(null);
    await agent.first('switched', ({ model }) => model === null);
    await turn(agent, 3, '[[text:as before]]');
  }),
  lost: {
    about: 'The conversation is unknown to it; a fresh one is begun.',
    async run(stage) {
      const agent = await ready(stage, {}, '01a1fec6-4293-73f1-9a8e-11621892106c');
      await turn(agent, 1, '[[text:a fresh one]]');
    },
  },
  resumed: {
    about:
      'A conversation of an earlier process, with its other model, is resumed; a turn of that process is taken back.',
    async run(stage) {
      const driver = stage.codex.driver();
      const first = new AgentProbe(driver);
      const { conversation } = await first.ready();
      await turn(first, 1, '[[text:keep]]');
      first.switchModel('other-model');
      await turn(first, 2, '[[text:drop]]');
      first.close();
      await first.exited();
      const agent = await ready(stage, {}, conversation);
      agent.prompt(3, '[[text:instead]]', 2);
      await agent.result(3);
    },
  },
  goal: {
    about: 'A goal is set, and Codex takes a turn towards it that nobody asked for.',
    async run(stage) {
      const reached = '[[tool:update_goal:{"status":"complete"}]] [[text:reached]]';
      stage.codex.model.rule({ when: /Continue working toward the active thread goal/, play: reached });
      const agent = await ready(stage, { config: { features: { goals: true } } });
      await turn(agent, 1, '[[tool:create_goal:{"objective":"work on the goal"}]] [[text:a goal is set]]');
      await agent.first('unsolicited', (event) => event.phase === 'ended');
      await turn(agent, 2, '[[text:and on]]');
    },
  },
  'merged-into-goal': scene(
    'A prompt that crosses the begin of a turn that Codex takes by itself becomes a part of that turn.',
    async (agent, stage) => {
      stage.codex.model.rule({ when: /Continue working toward the active thread goal/, play: '[[slow:500,10]]' });
      await turn(agent, 1, '[[tool:create_goal:{"objective":"work on the goal"}]] [[text:a goal is set]]');
      await agent.first('unsolicited', (event) => event.phase === 'began');
      await turn(agent, 2, '[[tool:update_goal:{"status":"complete"}]] [[text:reached, as you say]]');
    },
    { config: { features: { goals: true } } },
  ),
  subagent: {
    about: 'A turn is interrupted while its sub-agent runs a command; turn and command of the sub-agent are ended.',
    async run(stage) {
      await stage.answers(({ text, outputs }) => {
        if (text.includes('be a child')) {
          return { call: 'exec_command', input: { cmd: 'echo begun; sleep 63', yield_time_ms: 60_000 } };
        }
        const [child] = /[0-9a-f-]{36}/.exec(outputs[0] ?? '') ?? [];
        return child === undefined
          ? { call: 'spawn_agent', namespace: 'multi_agent_v1', input: { message: 'be a child' } }
          : { call: 'wait_agent', namespace: 'multi_agent_v1', input: { targets: [child], timeout_ms: 60_000 } };
      });
      const agent = await ready(stage);
      agent.prompt(1, 'be a parent');
      const { request } = await asked(agent, 1);
      agent.respond(1, request, true);
      await runs('sleep 63');
      agent.interrupt(1);
      await agent.result(1);
    },
  },
  'subagent-outlives': {
    about: 'A turn ends while its sub-agent is still at work: that is a turn that nobody asked for.',
    async run(stage) {
      let release = (): void => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      await stage.answers(async ({ text, outputs }) => {
        if (text.includes('be a child')) {
          return held.then(() => ({ say: 'grown up' }));
        }
        if (outputs.length === 0) {
          return { call: 'spawn_agent', namespace: 'multi_agent_v1', input: { message: 'be a child' } };
        }
        return { say: 'it is on its way' };
      });
      const agent = await ready(stage);
      await turn(agent, 1, 'be a parent');
      release();
      await agent.first('unsolicited', (event) => event.phase === 'ended');
    },
  },
  mcp: {
    about: 'Tools of an MCP server: one is denied, then allowed; one that declares to read only is not asked for.',
    async run(stage) {
      await stage.answers(({ text, outputs }) => {
        if (outputs.length > 0) {
          return { say: 'done' };
        }
        return { call: text, namespace: 'mcp__pad', input: { where: 'here' } };
      });
      const server = fileURLToPath(new URL('../real/mcp-server.ts', import.meta.url));
      const table = `[mcp_servers.pad]\ncommand = ${JSON.stringify(process.execPath)}\nargs = [${JSON.stringify(server)}]\n`;
      appendFileSync(join(stage.codex.home, 'config.toml'), table);
      const agent = await ready(stage);
      for (const id of [1, 2]) {
        agent.prompt(id, 'launch');
        const { request } = await asked(agent, id);
        agent.respond(id, request, id === 2);
        await agent.result(id);
      }
      await turn(agent, 3, 'peek');
    },
  },
  'usage-limit': {
    about: 'The account has used up what it may use; the windows and their ends are told beside.',
    async run(stage) {
      const error = { type: 'usage_limit_reached', message: 'used up', plan_type: 'pro', resets_at: 4_102_444_800 };
      const headers = {
        'x-codex-primary-used-percent': '100',
        'x-codex-primary-window-minutes': '300',
        'x-codex-primary-reset-at': '4102444800',
        'x-codex-secondary-used-percent': '40',
        'x-codex-secondary-window-minutes': '10080',
        'x-codex-secondary-reset-at': '4102531200',
      };
      await stage.answers(() => ({ status: 429, error, headers }));
      const agent = await ready(stage);
      await turn(agent, 1, 'anything');
    },
  },
  'rate-hint': {
    about: 'The rate is limited within the stream, with a time in words.',
    async run(stage) {
      const error = { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 1.5s.' };
      await stage.answers(() => ({ failed: error }));
      const agent = await ready(stage);
      await turn(agent, 1, 'anything');
    },
  },
  'api-400': fails('refuses the request with 400', '[[status:400:invalid_request_error]]'),
  'api-401': fails('answers 401', '[[status:401:invalid_api_key]]'),
  'api-429': fails('answers 429', '[[status:429:rate_limit_exceeded:1]]'),
  'api-429-once': fails('answers 429 once', '[[flaky:1:429:rate_limit_exceeded:1]]'),
  'api-500': fails('answers 500', '[[status:500:server_error]]'),
  'api-503': fails('is overloaded', '[[status:503:server_is_overloaded]]'),
  'api-529': fails('answers 529', '[[status:529:overloaded_error]]'),
  'api-drop': fails('drops the connection in mid-stream', '[[drop]]'),
  'api-context': fails('says that the context is too long', '[[status:400:context_length_exceeded]]'),
  'api-quota': fails('says that the quota is used up', '[[status:429:insufficient_quota]]'),
};

async function record(name: string, scenario: Scenario, command: string, out: string): Promise<void> {
  await using codex = await realCodex();
  const version = execFileSync(command, ['--version'], { encoding: 'utf8' }).trim();
  const told: About = { program: 'codex', version, about: scenario.about, command, out: join(out, `${name}.ndjson`) };
  const file = join(codex.home, 'about.json');
  writeFileSync(file, JSON.stringify(told));
  const program = join(codex.home, 'recorded-codex');
  const tee = fileURLToPath(new URL('tee.ts', import.meta.url));
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${tee}' '${file}' "$@"\n`);
  chmodSync(program, 0o755);
  await using open = new AsyncDisposableStack();
  const agents: AgentProbe[] = [];
  await scenario.run({
    codex,
    async answers(how) {
      const model = open.use(await startResponses(how));
      writeFileSync(join(codex.home, 'config.toml'), codex.configuration(model.url));
    },
    begin(options = {}, conversation = null) {
      const driver = codex.driver({ ...options, command: program, closeGraceMs: 15_000 });
      const agent = open.use(new AgentProbe(driver, { conversation, deadlineMs: 60_000 }));
      agents.push(agent);
      return agent;
    },
  });
  for (const agent of agents) {
    agent.close();
    await agent.exited();
  }
}

const { values } = parseArgs({ options: { only: { type: 'string' }, out: { type: 'string' } } });
if (codexBinary === null) {
  throw new Error(missing);
}
const out = values.out ?? fileURLToPath(new URL('../fixtures/codex', import.meta.url));
for (const [name, scenario] of Object.entries(scenarios)) {
  if (values.only !== undefined && !values.only.split(',').includes(name)) {
    continue;
  }
  process.stderr.write(`${name}\n`);
  await record(name, scenario, codexBinary, out);
}
