/** Contract cases: permission requests, model switches, usage, and requests that no dialect knows. */
import assert from 'node:assert/strict';
import type { ContractCase } from './contract.ts';
import { contractCase, isUnable, takesTurn } from './contract.ts';

const asks: readonly ContractCase[] = [
  ...([true, false] as const).map((allow) =>
    contractCase(
      `a permission request is asked once and ${allow ? 'allowed' : 'denied'}`,
      { prompts: ['ask', 'answer'] },
      async ({ ready, say }) => {
        await using agent = await ready();
        agent.prompt(1, say.ask);
        const asked = await agent.first('permission-requested', (event) => event.turn === 1);
        assert.ok(asked.action.tool !== '' && asked.action.title !== '');
        assert.ok(['execute', 'edit', 'other'].includes(asked.action.kind), asked.action.kind);
        agent.respond(1, asked.request, allow, allow ? null : 'not on this line');
        // Answered twice: the second word does nothing.
        agent.respond(1, asked.request, allow);
        const { result } = await agent.result(1);
        assert.ok(allow ? result.outcome === 'completed' : result.outcome !== 'failed', agent.transcript());
        assert.equal(agent.of('permission-requested').length, 1);
        await takesTurn(agent, 2, say.answer);
      },
    ),
  ),

  contractCase(
    'D08: an interrupt while a permission request waits ends the turn, and answers the request',
    { prompts: ['ask', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.ask);
      const asked = await agent.first('permission-requested', (event) => event.turn === 1);
      agent.interrupt(1);
      await agent.until(
        'the end of the turn',
        () => agent.of('result').length + agent.of('ack').filter((event) => event.noResult).length > 0,
      );
      const [result] = agent.of('result');
      if (result !== undefined) {
        assert.equal(result.result.outcome, 'interrupted', agent.transcript());
      }
      // Too late: the request is over.
      agent.respond(1, asked.request, true);
      await takesTurn(agent, 2, say.answer);
    },
  ),

  contractCase(
    'a request that the agent takes back is withdrawn',
    { prompts: ['ask-withdrawn', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say['ask-withdrawn']);
      const asked = await agent.first('permission-requested', (event) => event.turn === 1);
      await agent.first('permission-withdrawn', (event) => event.request === asked.request);
      assert.equal((await agent.result(1)).result.outcome, 'completed');
      await takesTurn(agent, 2, say.answer);
    },
  ),

  contractCase(
    'a request of the agent that no dialect knows is answered too',
    { prompts: ['odd-request', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      await takesTurn(agent, 1, say['odd-request']);
      await takesTurn(agent, 2, say.answer);
    },
  ),
];

const models: readonly ContractCase[] = [
  contractCase(
    'C27: changes its model between two turns, and back',
    { prompts: ['answer'], abilities: ['models'] },
    async ({ ready, say, subject }) => {
      assert.ok(!isUnable(subject.models));
      const { other } = subject.models;
      await using agent = await ready();
      assert.equal(agent.of('ready')[0]?.caps.models, true);
      await takesTurn(agent, 1, say.answer);
      agent.switchModel(other);
      assert.equal((await agent.first('switched', (event) => event.model === other)).ok, true);
      await takesTurn(agent, 2, say.answer);
      agent.switchModel(null);
      assert.equal((await agent.first('switched', (event) => event.model === null)).ok, true);
      await takesTurn(agent, 3, say.answer);
    },
  ),

  contractCase(
    'C27: starts with the model that the start names',
    { prompts: ['answer'] },
    async ({ ready, say, subject }) => {
      const model = isUnable(subject.models) ? 'another-model' : subject.models.other;
      await using agent = await ready(null, { model });
      await takesTurn(agent, 1, say.answer);
    },
  ),
];

const modelFallback: ContractCase = {
  title: 'C27: an agent that cannot change its model says so',
  skip: (subject) => (isUnable(subject.models) ? null : 'it can'),
  run: (subject) =>
    contractCase('', {}, async ({ ready }) => {
      await using agent = await ready();
      assert.equal(agent.of('ready')[0]?.caps.models, false);
    }).run(subject),
};

const usage = contractCase(
  'reports the usage of each turn, of that turn alone',
  { prompts: ['answer'], abilities: ['reportsUsage'] },
  async ({ ready, say }) => {
    await using agent = await ready();
    const used: number[] = [];
    for (let turn = 1; turn <= 3; turn += 1) {
      await takesTurn(agent, turn, say.answer);
      const { usage: tokens } = (await agent.result(turn)).result.report;
      assert.equal(typeof tokens?.outputTokens, 'number', agent.transcript());
      used.push(tokens?.outputTokens ?? 0);
    }
    // The same answer costs the same: a dialect that counts from its beginning would show sums.
    assert.equal(used[2], used[1], `per turn: ${used.join(', ')}`);
  },
);

export const permissionCases: readonly ContractCase[] = [...asks, ...models, modelFallback, usage];
