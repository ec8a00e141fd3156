/** What operators do to a session, as its own tape tells it; and what an agent that repeats itself gets. */
import { describe, expect, it } from 'vitest';
import type { AgentDriver } from '../../src/agents/index.ts';
import type { Actor } from '../../src/core/model/actor.ts';
import { turnId } from '../../src/core/model/ids.ts';
import { type Box, openBox } from '../support/box.ts';

const ann: Actor = { kind: 'person', name: 'ann' };
const bob: Actor = { kind: 'person', name: 'bob' };

const sessionTape = ({ box }: Box) => box.tape('test:one', null, 0, 100);

describe('a receipt', () => {
  it('says what holds all work of its lane back, and nothing where the task waits for others at most', async () => {
    await using one = await openBox();
    const owner = await one.box.submit({ session: 'test:one', prompt: 'a' });
    expect([owner, await one.box.submit({ session: 'test:one', prompt: 'b' })]).toMatchObject([
      { kind: 'accepted', waitsFor: null },
      { kind: 'accepted', waitsFor: null },
    ]);
    (await one.stage.turn()).refuse({ class: 'overloaded', message: 'busy', retryAfterMs: 60_000 });
    await one.event(owner.kind === 'accepted' ? owner.task : '', 'turn-retried');
    await one.box.park('test:one', 'closed for today', ann);
    const parked = await one.box.submit({ session: 'test:one', prompt: 'c', idempotencyKey: 'k' });
    expect(parked).toMatchObject({ waitsFor: expect.stringContaining('closed for today') as string });
    expect(await one.box.submit({ session: 'test:one', prompt: 'c', idempotencyKey: 'k' })).toMatchObject({
      duplicate: true,
      waitsFor: expect.stringContaining('closed for today') as string,
    });
    await one.box.unpark('test:one', ann);
    expect(await one.box.submit({ session: 'test:one', prompt: 'd' })).toMatchObject({
      waitsFor: expect.stringContaining('overloaded') as string,
    });
    await one.box.stop('test:one', 'session');
  });
});

describe('operators', () => {
  it('are named on the tape when they restart the agent, and when they park a session a second time', async () => {
    await using one = await openBox();
    await one.send({});
    await one.stage.turn();
    await one.box.restartAgent('test:one', ann);
    (await one.stage.turn()).finish();
    await one.box.park('test:one', 'first', ann);
    await one.box.park('test:one', 'second', bob);
    const tape = await sessionTape(one);
    expect(tape.filter(({ type }) => type === 'agent-ending').map(({ data }) => data)).toEqual([
      { incarnation: 1, reason: 'restart', by: ann },
    ]);
    expect(tape.filter(({ type }) => type === 'parked').map(({ data }) => data)).toEqual([
      { kind: 'operator', reason: 'first', by: ann },
      { kind: 'operator', reason: 'second', by: bob },
    ]);
    expect(await one.box.session('test:one')).toMatchObject({ row: { parked: { reason: 'second', by: bob } } });
  });
});

/** An agent that requests the same permission again after each answer. */
function repeating(answers: boolean[]): AgentDriver {
  return {
    name: 'repeating',
    provider: 'none',
    needsFolder: false,
    start: ({ emit }) => {
      const soon = (...events: Parameters<typeof emit>[0][]): void => queueMicrotask(() => events.forEach(emit));
      const action = { kind: 'execute', tool: 'Bash', title: 'make' } as const;
      const exited = (): void => soon({ type: 'exited', reason: 'closed', data: null });
      const caps = { acks: true, steer: false, rewind: false, models: false, keepsPrompts: false };
      soon({ type: 'ready', caps, conversation: null, conversationReset: false });
      return {
        prompt: (turn) => {
          const request = { type: 'permission-requested', turn, request: 'same', action, detail: null } as const;
          soon({ type: 'started', turn }, request, request);
        },
        respond: (turn, request, { allow }) => {
          answers.push(allow);
          const result = { outcome: 'completed', empty: false, failure: null, report: { text: 'done' } } as const;
          soon({ type: 'permission-requested', turn, request, action, detail: null }, { type: 'result', turn, result });
        },
        interrupt: () => {},
        steer: () => {},
        switchModel: () => {},
        close: exited,
        kill: exited,
      };
    },
  };
}

describe('an agent that requests the same permission again', () => {
  it('gets one answer, and the tape has one decision', async () => {
    const answers: boolean[] = [];
    await using one = await openBox({ agent: repeating(answers) });
    const task = await one.send({ permissions: { mode: 'ask' } });
    await one.event(task, 'permission-requested');
    await one.box.respond('test:one', { turn: turnId(1), request: 'same', allow: true, by: ann });
    expect(await one.ended(task)).toMatchObject({ status: 'completed' });
    const types = await one.types(task);
    expect(types.filter((type) => type.startsWith('permission-'))).toEqual([
      'permission-requested',
      'permission-resolved',
    ]);
    expect(answers).toEqual([true]);
  });
});
