/** Contract cases: what the model's API does wrong, by class; an error text is never taken for an answer. */
import assert from 'node:assert/strict';
import type { FailureClass } from '../../agents/failures.ts';
import type { Behaviour, ContractCase } from './contract.ts';
import { contractCase, takesTurn } from './contract.ts';

const rows: readonly (readonly [Behaviour, FailureClass])[] = [
  ['api-400', 'invalid_request'],
  ['api-401', 'auth'],
  ['api-429', 'rate_limit'],
  ['api-500', 'server_error'],
  ['api-529', 'overloaded'],
  ['api-drop', 'network'],
];

const failures: readonly ContractCase[] = rows.map(([behaviour, wanted]) =>
  contractCase(
    `S13: ${behaviour} is reported as ${wanted}, and the agent stays usable`,
    { prompts: [behaviour, 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say[behaviour]);
      const told = (): boolean => agent.of('result').length > 0 || agent.of('retrying').length > 0;
      await agent.until('the report of a failure', told);
      const [retrying] = agent.of('retrying');
      if (retrying !== undefined) {
        assert.equal(retrying.failure.class, wanted, agent.transcript());
      }
      if (agent.of('result').length === 0) {
        // Some programs retry for minutes: the test does not wait for that.
        agent.interrupt(1);
        await agent.until(
          'the end of the turn',
          () => agent.of('result').length + agent.of('ack').filter(({ noResult: none }) => none).length > 0,
        );
      }
      const [end] = agent.of('result');
      assert.notEqual(end?.result.outcome, 'completed', agent.transcript());
      if (end?.result.outcome === 'failed') {
        assert.equal(end.result.failure?.class, wanted, agent.transcript());
      }
      await takesTurn(agent, 2, say.answer);
    },
  ),
);

const passing = contractCase(
  'S13: the agent survives one 429, and the turn completes',
  { prompts: ['api-429-once'] },
  async ({ ready, say }) => {
    await using agent = await ready();
    await takesTurn(agent, 1, say['api-429-once']);
  },
);

export const providerCases: readonly ContractCase[] = [...failures, passing];
