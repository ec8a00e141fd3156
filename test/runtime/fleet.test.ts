/** Several agents by name: which one takes the turns of a session, what its provider throttles, and what is left when it is not there. */
import { describe, expect, it } from 'vitest';
import { functionDriver } from '../../src/agents/index.ts';
import type { FleetOptions } from '../../src/runtime/fleet.ts';
import { type Box, openBox } from '../support/box.ts';

const ada = { kind: 'person', name: 'ada' } as const;

/** Both answer with their names; `claude` has the usual sessions, `codex` those of the gateway `cx`. */
function fleet(prompts: string[] = []): FleetOptions {
  const named = (name: string) =>
    functionDriver(
      async function* answers(prompt) {
        prompts.push(`${name}: ${prompt}`);
        yield name;
        return { text: name };
      },
      { name, provider: `provider of ${name}` },
    );
  return {
    drivers: { claude: named('claude'), codex: named('codex') },
    usual: (session) => ({ agent: session.startsWith('cx:') ? 'codex' : 'claude', model: null }),
  };
}

async function answerOf(one: Box, request: Parameters<Box['send']>[0]): Promise<unknown> {
  const task = await one.send(request);
  return (await one.ended(task)).final?.answer?.text;
}

const ofSession = async ({ box }: Box, session: string, type: string): Promise<readonly unknown[]> =>
  (await box.tape(session, null, 0, 1_000)).flatMap((event) => (event.type === type ? [event.data] : []));

describe('a fleet', () => {
  it('gives a session the agent that its first sender names, else that of its rule, and keeps it', async () => {
    await using one = await openBox({ agent: fleet() });
    expect(await answerOf(one, { session: 'a' })).toBe('claude');
    expect(await answerOf(one, { session: 'cx:a' })).toBe('codex');
    expect(await answerOf(one, { session: 'b', agent: 'codex' })).toBe('codex');
    expect(await answerOf(one, { session: 'b' })).toBe('codex');
    expect(await ofSession(one, 'b', 'agent-starting')).toMatchObject([{ agent: 'codex' }]);
    await using again = await one.reopen();
    expect(await answerOf(again, { session: 'b' })).toBe('codex');
  });

  it('refuses a message for another agent than the session has, and for one that is not there', async () => {
    await using one = await openBox({ agent: fleet() });
    await answerOf(one, { session: 'a' });
    expect(await one.box.submit({ session: 'a', prompt: 'p', agent: 'codex' })).toMatchObject({
      code: 'agent_differs',
    });
    expect(await one.box.submit({ session: 'a', prompt: 'p', agent: 'gemini' })).toMatchObject({
      code: 'unknown_agent',
    });
    expect(await one.box.assignAgent('a', { agent: 'gemini', model: null })).toMatchObject({ code: 'unknown_agent' });
  });

  it('changes the agent by command, and tells the new one and the tape that the conversation is lost', async () => {
    const prompts: string[] = [];
    await using one = await openBox({ agent: fleet(prompts) });
    await answerOf(one, { session: 'a', prompt: 'first' });
    expect(await one.box.assignAgent('a', { agent: 'codex', model: null }, ada)).toMatchObject({
      kind: 'assigned',
      state: 'applied',
      conversationLost: true,
    });
    expect(await answerOf(one, { session: 'a', prompt: 'second' })).toBe('codex');
    expect(prompts[0]).toBe('claude: first');
    expect(prompts[1]).toContain('codex: [signalbox] Another agent had the earlier conversation of this session');
    expect(await ofSession(one, 'a', 'agent-assigned')).toEqual([
      { agent: 'codex', model: null, from: 'claude', conversationLost: true, by: ada },
    ]);
  });

  it('throttles by the provider of the agent: another agent of the daemon continues', async () => {
    const failing = functionDriver(
      // oxlint-disable-next-line require-yield
      async function* fails() {
        return {
          outcome: 'failed' as const,
          failure: { class: 'rate_limit' as const, retryAfterMs: 60_000, status: 429, message: 'slow down' },
        };
      },
      { name: 'codex', provider: 'openai' },
    );
    const { drivers, usual } = fleet();
    await using one = await openBox({ agent: { drivers: { ...drivers, codex: failing }, usual } });
    const waits = await one.send({ session: 'cx:a' });
    await one.event(waits, 'turn-retried');
    expect(await answerOf(one, { session: 'a' })).toBe('claude');
    expect(await one.box.providers()).toMatchObject([
      { name: 'provider of claude', agents: ['claude'], state: 'free' },
      { name: 'openai', agents: ['codex'], state: 'throttled' },
    ]);
    // With another agent the session waits for that one's provider.
    await one.box.assignAgent('cx:a', { agent: 'claude', model: null });
    await one.box.restartAgent('cx:a');
    expect(await one.ended(waits)).toMatchObject({ status: 'completed' });
  });

  it('starts no agent that is not there any more, and says how to give the session another', async () => {
    const first = await openBox({ agent: fleet() });
    await answerOf(first, { session: 'a', agent: 'codex' });
    const { drivers, usual } = fleet();
    const { codex: _, ...left } = drivers;
    await using one = await first.reopen({ agent: { drivers: left, usual } });
    const task = await one.send({ session: 'a' });
    await one.quiet();
    const explained = await one.box.explain(task);
    expect(JSON.stringify(explained)).toContain('signalbox assign a AGENT');
    await one.box.assignAgent('a', { agent: 'claude', model: null });
    await one.box.restartAgent('a');
    expect(await one.ended(task)).toMatchObject({ status: 'completed' });
  });

  it('of one agent has all sessions follow it, as its tape says', async () => {
    const { drivers } = fleet();
    const { claude, codex } = drivers;
    const first = await openBox({ agent: claude! });
    await answerOf(first, { session: 'a' });
    await using one = await first.reopen({ agent: codex! });
    expect(await answerOf(one, { session: 'a' })).toBe('codex');
    expect(await ofSession(one, 'a', 'agent-assigned')).toMatchObject([
      { agent: 'codex', from: 'claude', conversationLost: true, by: { kind: 'daemon', name: 'configuration' } },
    ]);
  });
});
