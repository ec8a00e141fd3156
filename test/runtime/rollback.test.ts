/** What is in the agent's conversation after a rollback, whatever happens before its prompt is confirmed. */
import { describe, expect, it } from 'vitest';
import { type Box, openBox } from '../support/box.ts';
import { type ReadTurn, RememberingAgent } from '../support/remembering-agent.ts';

const chat = { source: 'chat' } as const;
const rollback = { ...chat, whenBusy: 'rollback' } as const;

interface Rolled {
  readonly one: Box;
  readonly agent: RememberingAgent;
  readonly wrong: string;
  readonly instead: string;
  /** The prompt of `instead`, which the agent has read and not confirmed. */
  readonly turn: ReadTurn;
}

/** The turn of `wrong` is rolled back by `instead`. */
async function rolledBack(): Promise<Rolled> {
  const agent = new RememberingAgent();
  const one = await openBox({ agent: agent.driver });
  const kept = await one.send({ ...chat, prompt: 'kept' });
  (await agent.turn()).answer();
  await one.ended(kept);
  const wrong = await one.send({ ...chat, prompt: 'wrong' });
  const cut = await agent.turn();
  cut.start();
  await one.event(wrong, 'turn-started');
  const instead = await one.send({ ...rollback, prompt: 'instead' });
  await cut.interrupted;
  cut.stop();
  expect(await one.ended(wrong)).toMatchObject({ status: 'cancelled', reason: 'rolled_back' });
  return { one, agent, wrong, instead, turn: await agent.turn() };
}

const rewound = async ({ box }: Box): Promise<readonly unknown[]> =>
  (await box.tape('test:one', null, 0, 1_000)).flatMap(({ type, data }) =>
    type === 'conversation-rewound' ? [data] : [],
  );

describe('a turn that was rolled back', () => {
  it('stays out of the conversation when the agent dies before it has confirmed the next turn', async () => {
    const { one, agent, instead, turn } = await rolledBack();
    await using _ = one;
    turn.die();
    (await agent.turn()).answer();
    expect(await one.ended(instead)).toMatchObject({ status: 'completed' });
    expect(agent.prompts).toEqual(['kept', expect.stringContaining('instead')]);
    expect(await rewound(one)).toEqual([{ from: 2, turn: 4, ok: true }]);
  });

  it('stays out of the conversation when the daemon restarts before the agent has confirmed the next turn', async () => {
    const { one, agent, instead } = await rolledBack();
    await using again = await one.reopen();
    (await agent.turn()).answer();
    expect(await again.ended(instead)).toMatchObject({ status: 'completed' });
    expect(agent.prompts).toEqual(['kept', expect.stringContaining('instead')]);
  });

  it('stays out of the conversation when the message that rolled it back is cancelled', async () => {
    const { one, agent, instead, turn } = await rolledBack();
    await using _ = one;
    await one.box.cancel(instead, { by: { kind: 'person', name: 'ada' } });
    const other = await one.send({ prompt: 'other', source: 'somebody else' });
    turn.die();
    expect(await one.ended(instead)).toMatchObject({ status: 'cancelled' });
    (await agent.turn()).answer();
    await one.ended(other);
    expect(agent.prompts).toEqual(['kept', 'other']);
  });

  it('goes with a second one that was rolled back before the agent confirmed its turn', async () => {
    const { one, agent, instead, turn } = await rolledBack();
    await using _ = one;
    const last = await one.send({ ...rollback, prompt: 'last' });
    turn.die();
    expect(await one.ended(instead)).toMatchObject({ status: 'cancelled', reason: 'rolled_back' });
    (await agent.turn()).answer();
    expect(await one.ended(last)).toMatchObject({ status: 'completed' });
    expect(agent.prompts).toEqual(['kept', 'last']);
  });
});
