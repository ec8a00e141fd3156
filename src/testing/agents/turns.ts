/** Contract cases: conversations, turns, interrupts, steering. */
import assert from 'node:assert/strict';
import type { Behaviour, ContractCase } from './contract.ts';
import type { AgentProbe } from './probe.ts';
import { contractCase, indexOf, takesTurn } from './contract.ts';

const conversations: readonly ContractCase[] = [
  contractCase('becomes ready in a fresh conversation and declares its capabilities', {}, async ({ ready }) => {
    await using agent = await ready();
    const [said] = agent.of('ready');
    assert.equal(said?.conversationReset, false);
    assert.deepEqual(Object.keys(said?.caps ?? {}).sort(), ['acks', 'keepsPrompts', 'models', 'rewind', 'steer']);
    assert.ok(said?.conversation === null || (said?.conversation ?? '') !== '');
  }),

  contractCase(
    'resumes a conversation by its id, and the conversation holds what was said',
    { prompts: ['answer', 'history'], abilities: ['resumes'] },
    async ({ ready, say }) => {
      await using first = await ready();
      await takesTurn(first, 1, say.answer);
      const conversation = first.of('ready')[0]?.conversation ?? null;
      assert.notEqual(conversation, null);
      first.close();
      await first.exited();
      await using second = await ready(conversation);
      assert.equal(second.of('ready')[0]?.conversation, conversation);
      assert.equal(second.of('ready')[0]?.conversationReset, false);
      await takesTurn(second, 2, say.history);
      assert.ok(second.text(2).includes(say.answer));
    },
  ),

  contractCase(
    'S12: an unknown conversation is reported as lost, and a fresh one begins',
    { prompts: ['answer'], abilities: ['loses'] },
    async ({ ready, say }) => {
      await using agent = await ready('no-such-conversation');
      const [said] = agent.of('ready');
      assert.equal(said?.conversationReset, true);
      assert.notEqual(said?.conversation, 'no-such-conversation');
      await takesTurn(agent, 1, say.answer);
    },
  ),

  contractCase(
    'takes a turn out of the conversation where it can rewind',
    { prompts: ['answer', 'history'], abilities: ['rewinds'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      await takesTurn(agent, 1, `${say.answer} keep`);
      await takesTurn(agent, 2, `${say.answer} drop`);
      agent.prompt(3, say.history, 2);
      await agent.result(3);
      assert.ok(agent.text(3).includes('keep'));
      assert.ok(!agent.text(3).includes('drop'));
    },
  ),

  contractCase(
    'agent-port/10: takes later turns out of the conversation also where the turn that a rewind names is gone',
    { prompts: ['answer', 'history'], abilities: ['rewinds'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      await takesTurn(agent, 1, `${say.answer} keep`);
      await takesTurn(agent, 3, `${say.answer} drop`);
      await takesTurn(agent, 4, `${say.answer} lost`);
      agent.prompt(5, say.history, 2);
      await agent.result(5);
      assert.ok(agent.text(5).includes('keep'));
      assert.ok(!agent.text(5).includes('drop') && !agent.text(5).includes('lost'));
      agent.prompt(6, say.history, 8);
      await agent.result(6);
      assert.ok(agent.text(6).includes('keep'));
    },
  ),
];

const plainTurns: readonly ContractCase[] = [
  contractCase(
    'a turn is confirmed, gives its output and brings its result, in this order, each once',
    { prompts: ['answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      await takesTurn(agent, 1, say.answer);
      // A real program may say something of itself beside: that is of no turn.
      const kinds = agent.events.filter((event) => 'turn' in event && event.turn === 1).map((event) => event.type);
      assert.equal(kinds[0], 'started');
      assert.equal(kinds.at(-1), 'result');
      assert.ok(kinds.length > 3, 'several pieces');
      assert.deepEqual(new Set(kinds.slice(1, -1).filter((kind) => kind !== 'spent')), new Set(['output']));
    },
  ),

  contractCase('takes many turns one after the other', { prompts: ['answer'] }, async ({ ready, say }) => {
    await using agent = await ready();
    for (let turn = 1; turn <= 20; turn += 1) {
      await takesTurn(agent, turn, say.answer);
    }
    assert.equal(agent.of('result').length, 20);
  }),

  contractCase(
    'a failed turn is reported as failed, and the next one is taken',
    { prompts: ['fail', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.fail);
      const { result } = await agent.result(1);
      assert.equal(result.outcome, 'failed');
      assert.ok(result.report.error !== undefined || result.failure !== null);
      await takesTurn(agent, 2, say.answer);
    },
  ),

  contractCase('C13: an empty result is marked as empty', { prompts: ['empty'] }, async ({ ready, say }) => {
    await using agent = await ready();
    agent.prompt(1, say.empty);
    assert.equal((await agent.result(1)).result.empty, true);
  }),

  ...(['split-result', 'merged', 'stderr'] as const).map((behaviour) =>
    contractCase(
      `a turn arrives whole, however its bytes are split: ${behaviour}`,
      { prompts: [behaviour, 'answer'] },
      async ({ ready, say }) => {
        await using agent = await ready();
        await takesTurn(agent, 1, say[behaviour]);
        assert.equal(agent.of('started').length, 1);
        assert.equal(agent.of('result').length, 1);
        await takesTurn(agent, 2, say.answer);
      },
    ),
  ),

  contractCase(
    'agent-port/11: a command that continues after its turn is announced, and its end is too',
    { prompts: ['background', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.background);
      const { work } = await agent.first('background', ({ work: titles }) => titles.length > 0);
      assert.equal(work.length, 1);
      assert.notEqual(work[0], '');
      await agent.result(1);
      await agent.until('the end of the command', () => agent.of('background').at(-1)?.work.length === 0);
      await takesTurn(agent, 2, say.answer);
    },
  ),

  contractCase(
    'a turn without a prompt is unsolicited',
    { prompts: ['unsolicited', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.unsolicited);
      await agent.first('unsolicited', (event) => event.phase === 'ended');
      assert.deepEqual(
        agent.of('unsolicited').map((event) => event.phase),
        ['began', 'ended'],
      );
      await takesTurn(agent, 2, say.answer);
    },
  ),
];

/** How the ack of an interrupted turn stands to its result. */
interface AckRow {
  readonly behaviour: Behaviour;
  readonly acks: number;
  readonly order: 'ack-first' | 'result-first' | null;
}

const ackRows: readonly AckRow[] = [
  { behaviour: 'forever', acks: 1, order: 'ack-first' },
  { behaviour: 'ack-late', acks: 1, order: 'ack-first' },
  { behaviour: 'ack-before-result', acks: 1, order: 'ack-first' },
  { behaviour: 'ack-with-result', acks: 1, order: 'ack-first' },
  { behaviour: 'ack-after-result', acks: 1, order: 'result-first' },
  { behaviour: 'ack-twice', acks: 2, order: 'ack-first' },
  { behaviour: 'ack-never', acks: 0, order: null },
];

const acknowledges = (agent: AgentProbe): boolean => agent.of('ready')[0]?.caps.acks === true;

const interrupts: readonly ContractCase[] = [
  ...ackRows.map(({ behaviour, acks, order }) =>
    contractCase(
      `C10: the report of an interrupted turn is true: ${behaviour}`,
      { prompts: [behaviour, 'answer'] },
      async ({ ready, say }) => {
        await using agent = await ready();
        // Where the protocol has none, the result alone is the boundary.
        const wanted = acknowledges(agent) ? acks : 0;
        agent.prompt(1, say[behaviour]);
        await agent.output(1);
        agent.interrupt(1);
        const { result } = await agent.result(1);
        assert.equal(result.outcome, 'interrupted');
        await agent.until(`${wanted} acks`, () => agent.of('ack').length >= wanted);
        // C11: the next turn begins at a boundary and has only its own output.
        await takesTurn(agent, 2, say.answer);
        const own = agent.events.slice(indexOf(agent, 'started', 2));
        assert.ok(own.every((event) => !('turn' in event) || event.turn === 2));
        assert.equal(agent.of('ack').length, wanted);
        if (order === null || wanted === 0) {
          return;
        }
        assert.equal(indexOf(agent, 'ack', 1) < indexOf(agent, 'result', 1), order === 'ack-first');
      },
    ),
  ),

  contractCase(
    'C10: the receipt of an interrupt may say that no result will come',
    { prompts: ['ack-none', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say['ack-none']);
      await agent.output(1);
      agent.interrupt(1);
      assert.equal((await agent.first('ack', (event) => event.turn === 1)).noResult, true);
      await takesTurn(agent, 2, say.answer);
      assert.equal(agent.of('result').length, 1);
    },
  ),

  contractCase(
    'C10: an agent whose result never comes can be killed',
    { prompts: ['no-result'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say['no-result']);
      await agent.output(1);
      agent.interrupt(1);
      if (acknowledges(agent)) {
        await agent.first('ack', (event) => event.turn === 1);
      }
      agent.kill();
      await agent.exited();
      assert.equal(agent.of('result').length, 0);
    },
  ),

  contractCase('an agent that ignores an interrupt can be killed', { prompts: ['deaf'] }, async ({ ready, say }) => {
    await using agent = await ready();
    agent.prompt(1, say.deaf);
    await agent.output(1);
    agent.interrupt(1);
    agent.kill();
    await agent.exited();
    assert.equal(agent.of('result').length, 0);
  }),

  contractCase(
    'a second result of a turn is passed on and disturbs nothing',
    { prompts: ['result-twice', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      await takesTurn(agent, 1, say['result-twice']);
      await takesTurn(agent, 2, say.answer);
      assert.ok(agent.of('result').filter((event) => event.turn === 1).length <= 2);
    },
  ),

  contractCase(
    'C09: a second interrupt of a turn changes nothing',
    { prompts: ['forever', 'answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.prompt(1, say.forever);
      await agent.output(1);
      agent.interrupt(1);
      agent.interrupt(1);
      assert.equal((await agent.result(1)).result.outcome, 'interrupted');
      await takesTurn(agent, 2, say.answer);
      assert.equal(agent.of('result').length, 2);
    },
  ),

  contractCase(
    'C07: an interrupt of a turn that is over leaves the next one alone',
    { prompts: ['answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      await takesTurn(agent, 1, say.answer);
      agent.prompt(2, say.answer);
      agent.interrupt(1);
      assert.equal((await agent.result(2)).result.outcome, 'completed');
    },
  ),

  contractCase(
    'C08: an interrupt of an idle agent brings no result',
    { prompts: ['answer'] },
    async ({ ready, say }) => {
      await using agent = await ready();
      agent.interrupt(1);
      await takesTurn(agent, 2, say.answer);
      assert.equal(agent.of('result').length, 1);
    },
  ),
];

const steering: readonly ContractCase[] = [
  contractCase(
    'D06: a steer is taken by the running turn, and refused without one',
    { prompts: ['forever', 'answer'], abilities: ['steers'] },
    async ({ ready, say, subject }) => {
      await using agent = await ready();
      agent.prompt(1, subject.steerable ?? say.forever);
      await agent.output(1);
      agent.steer(1, 'one', 'and mind the gap');
      assert.equal((await agent.first('steered', (event) => event.id === 'one')).delivered, true);
      agent.interrupt(1);
      await agent.result(1);
      agent.steer(1, 'two', 'too late');
      assert.equal((await agent.first('steered', (event) => event.id === 'two')).delivered, false);
      await takesTurn(agent, 2, say.answer);
    },
  ),

  contractCase(
    'agent-port/1: interrupts before the first prompt is confirmed do not break the order',
    { prompts: ['answer', 'forever'] },
    async ({ begin, say }) => {
      await using agent = begin();
      // Not even ready: what is written waits in the channel, in order.
      agent.prompt(1, say.forever);
      agent.interrupt(1);
      assert.equal((await agent.result(1)).result.outcome, 'interrupted');
      await takesTurn(agent, 2, say.answer);
    },
  ),
];

export const turnCases: readonly ContractCase[] = [...conversations, ...plainTurns, ...interrupts, ...steering];
