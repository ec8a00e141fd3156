/** The driver with the real Codex, offline. Left out, and said so, where it is not installed. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contractTests } from './contract-tests.ts';
import type { RequestEvent } from '../../e2e/model/index.ts';
import type { CodexDriverOptions } from '../../src/agents/codex/options.ts';
import { AgentProbe } from '../../src/testing/agents/index.ts';
import { takesTurn } from '../../src/testing/agents/contract.ts';
import { pause, realTimers } from '../../src/supervise/index.ts';
import type { RealCodex } from './real/codex.ts';
import { allowing, codexBinary, exec, missing, realCodex, realCodexSubject } from './real/codex.ts';
import { running } from './players/running.ts';

let codex: RealCodex;

beforeAll(async () => {
  codex = await realCodex();
});
afterAll(() => codex[Symbol.asyncDispose]());

describe('the agent contract holds', () => {
  contractTests('codex', () => realCodexSubject(codex), {
    missing: () => (codexBinary === null ? missing : null),
  });
});

describe('the real Codex', () => {
  const begin = async (options: CodexDriverOptions = {}, conversation: string | null = null): Promise<AgentProbe> => {
    const agent = new AgentProbe(allowing(codex.driver(options), 'sleep'), { conversation, deadlineMs: 40_000 });
    await agent.ready();
    return agent;
  };
  const requestFor = (text: string, from: number): Promise<RequestEvent> =>
    codex.model.log.next('request', ({ cue }) => cue.includes(text), { from, deadlineMs: 40_000 });
  const saidIn = ({ asked }: RequestEvent): readonly string[] =>
    asked.items.filter(({ role, kind }) => role === 'user' && kind === 'text').map(({ text }) => text);

  test('closes the request to the model at an interrupt', async (context) => {
    if (codexBinary === null) {
      context.skip(missing);
    }
    await using agent = await begin();
    const from = codex.model.log.mark();
    agent.prompt(1, '[[slow:5000,10]] to be closed');
    const { no } = await requestFor('to be closed', from);
    await agent.first('output', ({ part }) => part.kind === 'text');
    agent.interrupt(1);
    await codex.model.log.next('closed', (event) => event.no === no, { from });
    await agent.result(1);
  });

  test('C06: continues its conversation in another process after a kill in mid-turn', async (context) => {
    if (codexBinary === null) {
      context.skip(missing);
    }
    await using first = await begin();
    const { conversation } = await first.ready();
    await takesTurn(first, 1, '[[text:kept]] first words');
    first.prompt(2, '[[slow:5000,10]] cut off');
    await first.first('output', ({ turn, part }) => turn === 2 && part.kind === 'text');
    first.kill();
    await first.exited();
    await using second = await begin({}, conversation);
    expect((await second.ready()).conversationReset).toBe(false);
    const from = codex.model.log.mark();
    await takesTurn(second, 3, '[[text:on]] and on');
    const said = saidIn(await requestFor('and on', from));
    expect(said.some((text) => text.includes('first words'))).toBe(true);
  });

  test('rewinds a turn, in the process that ran it and in another', async (context) => {
    if (codexBinary === null) {
      context.skip(missing);
    }
    await using first = await begin();
    const { conversation } = await first.ready();
    await takesTurn(first, 1, '[[text:a]] keep this');
    await takesTurn(first, 2, '[[text:b]] drop this');
    const from = codex.model.log.mark();
    first.prompt(3, '[[text:c]] third words', 2);
    await first.result(3);
    const said = saidIn(await requestFor('third words', from));
    expect([said.some((text) => text.includes('keep this')), said.some((text) => text.includes('drop this'))]).toEqual([
      true,
      false,
    ]);
    first.close();
    await first.exited();
    await using second = await begin({}, conversation);
    const later = codex.model.log.mark();
    second.prompt(4, '[[text:d]] fourth words', 3);
    await second.result(4);
    const after = saidIn(await requestFor('fourth words', later));
    expect([
      after.some((text) => text.includes('keep this')),
      after.some((text) => text.includes('third words')),
    ]).toEqual([true, false]);
  });

  test('C05: loses no interrupt of 200 that come 0 to 5 ms after the prompt', { timeout: 120_000 }, async (context) => {
    if (codexBinary === null) {
      context.skip(missing);
    }
    await using agent = await begin();
    for (let turn = 1; turn <= 200; turn += 1) {
      agent.prompt(turn, '[[slow:500,20]]');
      // Time is what this is about; before `started` the driver holds it.
      await pause(realTimers, turn % 6);
      agent.interrupt(turn);
      expect((await agent.result(turn)).result.outcome).toBe('interrupted');
    }
    expect(agent.of('ack').filter(({ noResult }) => noResult)).toEqual([]);
    await takesTurn(agent, 201, '[[text:well]]');
  });

  test('fails a turn with an unknown model as such', async (context) => {
    if (codexBinary === null) {
      context.skip(missing);
    }
    await using agent = await begin();
    agent.switchModel('no-such-model');
    await agent.first('switched', () => true);
    const from = codex.model.log.mark();
    agent.prompt(1, '[[status:404:model_not_found]] who is it');
    expect((await agent.result(1)).result).toMatchObject({ outcome: 'failed', failure: { class: 'model' } });
    expect((await requestFor('who is it', from)).asked.model).toBe('no-such-model');
  });

  test('has no secret of the daemon, and its tools have none', async (context) => {
    if (codexBinary === null) {
      context.skip(missing);
    }
    const driver = codex.driver({
      ambient: { ...process.env, SIGNALBOX_TOKEN: 'planted-secret', GITHUB_WEBHOOK_SECRET: 'planted-secret' },
    });
    await using agent = new AgentProbe(allowing(driver, 'sleep'), { deadlineMs: 40_000 });
    await agent.ready();
    agent.prompt(1, exec(`sleep 60.${process.pid}`, { yield_time_ms: 60_000 }));
    const [pid] = await until(() => running(`sleep 60.${process.pid}`));
    const seen = [agent.identities[0]?.pid, pid].map((one) => readFileSync(`/proc/${one}/environ`, 'utf8'));
    expect(seen.every((text) => text.includes('CODEX_HOME='))).toBe(true);
    expect(seen.some((text) => text.includes('planted-secret'))).toBe(false);
  });
});

async function until(look: () => readonly number[]): Promise<readonly number[]> {
  for (;;) {
    const found = look();
    if (found.length > 0) {
      return found;
    }
    await pause(realTimers, 10);
  }
}
