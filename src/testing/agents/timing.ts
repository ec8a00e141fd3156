/** Contract cases: interrupts at any moment of a turn, and what must not outlive one. */
import assert from 'node:assert/strict';
import { pause, realTimers } from '../../supervise/index.ts';
import type { ContractCase } from './contract.ts';
import { contractCase, isUnable, takesTurn } from './contract.ts';
import type { AgentProbe } from './probe.ts';

/** The turn is over for the agent: a result, or the receipt that none will come. */
async function over(agent: AgentProbe, turn: number): Promise<void> {
  const said = (): boolean =>
    agent.of('result').some((event) => event.turn === turn) ||
    agent.of('ack').some((event) => event.turn === turn && event.noResult);
  await agent.until(`the end of turn ${turn}`, said);
  const [result] = agent.of('result').filter((event) => event.turn === turn);
  if (result !== undefined) {
    assert.equal(result.result.outcome, 'interrupted', agent.transcript());
  }
}

/** As the core does it: at its moment, but never before the agent has confirmed the turn. */
async function interruptAt(agent: AgentProbe, turn: number, afterMs: number): Promise<void> {
  // Time is what this case is about; nothing is waited for by it.
  await Promise.all([agent.started(turn), pause(realTimers, afterMs)]);
  agent.interrupt(turn);
}

/** A tool is a process that says nothing to us: it is looked for. The agent's own clean-up may take a moment after its word. */
async function toolsAre(there: boolean, tools: (() => readonly number[]) | undefined, withinMs: number): Promise<void> {
  if (tools === undefined) {
    return;
  }
  let late = false;
  const cancel = realTimers.set(withinMs, () => {
    late = true;
  });
  while (tools().length > 0 !== there && !late) {
    await pause(realTimers, 5);
  }
  cancel();
  if (there) {
    assert.notEqual(tools().length, 0, 'the tool does not run');
  } else {
    assert.deepEqual(tools(), [], 'a tool outlived its turn');
  }
}

const moments: readonly ContractCase[] = [0, 1, 5, 50, 500].map((ms) =>
  contractCase(
    `C05: an interrupt ${ms} ms after the prompt ends that turn, and the next one is taken`,
    { prompts: ['forever', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      for (let turn = 1; turn <= 5; turn += 2) {
        agent.prompt(turn, say.forever);
        await interruptAt(agent, turn, ms);
        await over(agent, turn);
        await takesTurn(agent, turn + 1, say.answer);
      }
    },
  ),
);

const situations: readonly ContractCase[] = [
  ...(['hang', 'silent'] as const).map((behaviour) =>
    contractCase(
      `an interrupt while the model says nothing (${behaviour}) ends the turn`,
      { prompts: [behaviour, 'answer'] },
      async ({ ready, say }) => {
        await using agent = await ready();
        agent.prompt(1, say[behaviour]);
        await agent.started(1);
        if (behaviour === 'silent') {
          await agent.output(1);
        }
        agent.interrupt(1);
        await over(agent, 1);
        await takesTurn(agent, 2, say.answer);
      },
    ),
  ),

  contractCase(
    'an interrupt during a tool ends the turn and the tool',
    { prompts: ['tool', 'answer'] },
    async ({ ready, say, subject }) => {
      await using agent = await ready();
      agent.prompt(1, say.tool);
      await agent.first('output', (event) => event.turn === 1 && event.part.kind === 'tool');
      await toolsAre(true, subject.tools, 20_000);
      agent.interrupt(1);
      await over(agent, 1);
      await toolsAre(false, subject.tools, 2_000);
      await takesTurn(agent, 2, say.answer);
    },
  ),

  contractCase(
    'C09: two interrupts at once end one turn once',
    { prompts: ['hang', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.hang);
      await agent.started(1);
      agent.interrupt(1);
      agent.interrupt(1);
      await over(agent, 1);
      await takesTurn(agent, 2, say.answer);
      assert.ok(agent.of('result').filter((event) => event.turn === 1).length <= 1);
    },
  ),
];

/** Whether the agent is gone by then; if not, it lives on. */
async function endsWithin(agent: AgentProbe, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const cancel = realTimers.set(ms, () => late.resolve(false));
  const gone = agent.exited().then(
    () => true,
    () => false,
  );
  const ended = await Promise.race([gone, late.promise]);
  cancel();
  return ended;
}

const deaths: readonly ContractCase[] = (['SIGTERM', 'SIGKILL'] as const).map((signal) =>
  contractCase(
    `S04: ${signal} from outside while a tool runs is reported as an end, and no tool process remains`,
    { prompts: ['tool'] },
    async ({ ready, say, subject }) => {
      await using agent = await ready();
      agent.prompt(1, say.tool);
      await agent.first('output', (event) => event.turn === 1 && event.part.kind === 'tool');
      await toolsAre(true, subject.tools, 20_000);
      const identity = agent.identities.at(-1);
      assert.ok(identity !== undefined, 'it has a process');
      process.kill(identity.pid, signal);
      const ended = await endsWithin(agent, signal === 'SIGTERM' ? 5_000 : 20_000);
      assert.ok(ended || signal === 'SIGTERM', 'it lives on after SIGKILL');
      // Some programs take no SIGTERM while a tool runs: they are left to the ladder.
      if (!ended) {
        agent.kill();
      }
      assert.ok((ended ? ['crashed', 'exited'] : ['killed']).includes((await agent.exited()).reason));
      await toolsAre(false, subject.tools, 1_000);
    },
  ),
);

const steerFallback: ContractCase = {
  title: 'an agent that cannot be steered says so',
  skip: (subject) => (isUnable(subject.steers) ? null : 'it can be steered'),
  run: (subject) =>
    contractCase('', {}, async ({ ready }) => {
      await using agent = await ready();
      assert.equal(agent.of('ready')[0]?.caps.steer, false);
    }).run(subject),
};

export const timingCases: readonly ContractCase[] = [...moments, ...situations, ...deaths, steerFallback];
