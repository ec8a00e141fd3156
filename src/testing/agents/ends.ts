/** Contract cases: how an agent ends, by itself, by us, or not at all; and what it may write meanwhile. */
import assert from 'node:assert/strict';
import type { ContractCase } from './contract.ts';
import type { AgentProbe } from './probe.ts';
import { contractCase, goneFromSystem, takesTurn } from './contract.ts';

/** Pid of the child that the agent let loose: in the title of a tool, as `pid 4711`. */
async function grandchildOf(agent: AgentProbe): Promise<number> {
  const { part } = await agent.first('output', (event) => event.part.kind === 'tool');
  const pid = part.kind === 'tool' ? Number(/\bpid (\d+)/.exec(part.title)?.[1]) : 0;
  assert.ok(pid > 0);
  return pid;
}

const starts: readonly ContractCase[] = [
  contractCase(
    'an agent that cannot be started ends, with a reason and what to do',
    { variant: 'unstartable' },
    async ({ begin }) => {
      await using agent = begin();
      agent.prompt(1, 'after the end');
      agent.interrupt(1);
      const exited = await agent.exited();
      assert.equal(exited.reason, 'spawn_failed');
      assert.ok(JSON.stringify(exited.data).includes('hint'));
      assert.equal(agent.events.length, 1);
    },
  ),

  contractCase(
    'an agent that never becomes ready ends at the start deadline',
    { variant: 'never-ready' },
    async ({ begin }) => {
      await using agent = begin();
      assert.equal((await agent.exited()).reason, 'start_timeout');
      assert.equal(agent.of('ready').length, 0);
    },
  ),
];

const ends: readonly ContractCase[] = [
  contractCase('an idle agent is closed', { prompts: ['answer'] }, async ({ ready, say }) => {
    await using agent = await ready();
    await takesTurn(agent, 1, say.answer);
    agent.close();
    assert.equal((await agent.exited()).reason, 'closed');
  }),

  contractCase(
    'is killed while it streams, and says nothing afterwards',
    { prompts: ['forever'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.forever);
      await agent.output(1);
      agent.kill();
      assert.equal((await agent.exited()).reason, 'killed');
    },
  ),

  contractCase(
    'is closed, then killed, then both again: it ends once',
    { prompts: ['forever'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.forever);
      await agent.output(1);
      agent.close();
      agent.kill();
      agent.close();
      agent.kill();
      assert.equal((await agent.exited()).reason, 'closed');
    },
  ),

  contractCase('C26: a request to an ended agent does nothing', { prompts: ['answer'] }, async ({ ready, say }) => {
    await using agent = await ready();
    agent.kill();
    agent.prompt(1, say.answer);
    await agent.exited();
    agent.prompt(2, say.answer);
    agent.interrupt(2);
    agent.steer(2, 'x', 'y');
    agent.close();
    agent.kill();
    assert.equal(agent.of('result').length, 0);
    assert.equal(agent.of('exited').length, 1);
  }),

  ...(['die', 'die-half'] as const).map((behaviour) =>
    contractCase(
      `the agent ends in the middle of a turn: ${behaviour}`,
      { prompts: [behaviour] },
      async ({ ready, say }) => {
        await using agent = await ready();
        agent.prompt(1, say[behaviour]);
        assert.equal((await agent.exited()).reason, 'crashed');
        assert.equal(agent.of('result').length, 0);
        if (behaviour === 'die-half') {
          assert.equal(agent.of('output').at(-1)?.part.kind, 'raw');
        }
      },
    ),
  ),

  contractCase(
    'C37: an agent that closes its output in the middle of a turn and lives is ended at once',
    { prompts: ['hang-up'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say['hang-up']);
      assert.equal((await agent.exited()).reason, 'channel_broken');
      assert.equal(agent.of('result').length, 0);
    },
  ),

  ...(['stubborn', 'blocked'] as const).map((behaviour) =>
    contractCase(`S04: the agent is ended by force: ${behaviour}`, { prompts: [behaviour] }, async ({ ready, say }) => {
      for (const how of ['kill', 'close'] as const) {
        await using agent = await ready();
        agent.prompt(1, say[behaviour]);
        await agent.output(1);
        agent[how]();
        const exited = await agent.exited();
        assert.equal(exited.reason, how === 'kill' ? 'killed' : 'closed');
        assert.equal((exited.data as { readonly rung?: unknown }).rung, 'kill');
      }
    }),
  ),

  contractCase(
    'S04: a child process in the group of the agent ends with it',
    { prompts: ['grandchild'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.grandchild);
      const pid = await grandchildOf(agent);
      agent.kill();
      const exited = await agent.exited();
      assert.ok(goneFromSystem(pid), 'gone before exited is emitted');
      assert.deepEqual((exited.data as { readonly left?: unknown }).left, []);
    },
  ),

  contractCase(
    'S03: a child process outside of the group that holds the stdout of the agent does not delay the end',
    { prompts: ['grandchild-outside'] },
    async ({ ready, say, subject }) => {
      await using agent = await ready();
      agent.prompt(1, say['grandchild-outside']);
      const pid = await grandchildOf(agent);
      try {
        agent.kill();
        await agent.exited();
      } finally {
        subject.endStray?.(pid);
      }
    },
  ),
];

const noise: readonly ContractCase[] = [
  contractCase(
    'S07: garbage becomes raw output, and the turn continues',
    { prompts: ['garbage', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.garbage);
      assert.equal((await agent.result(1)).result.outcome, 'completed');
      const noisy = agent.of('output').filter((event) => event.part.kind === 'raw');
      assert.ok(noisy.length > 5);
      assert.ok(noisy.every((event) => event.turn === null));
      await takesTurn(agent, 2, say.answer);
    },
  ),

  contractCase(
    'S07: a line beyond the bound is reported and skipped, and the turn continues',
    { prompts: ['huge-line', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say['huge-line']);
      assert.equal((await agent.result(1)).result.outcome, 'completed');
      const noisy = agent.of('output').filter((event) => event.part.kind === 'raw');
      assert.equal(noisy.length, 2);
      assert.ok(JSON.stringify(noisy).length < 10_000, 'bounded');
      await takesTurn(agent, 2, say.answer);
    },
  ),
];

export const endCases: readonly ContractCase[] = [...starts, ...ends, ...noise];
