/** Messages that go out: seen and decided on through the client, on the outbox of a real store. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sessionKey } from '../../src/core/model/ids.ts';
import type { OutboxIntent, OutboxOutcome } from '../../src/store/outbox.ts';
import { type Door, openDoor, refusalOf } from '../support/door.ts';

let door: Door;
beforeEach(async () => {
  door = await openDoor();
});
afterEach(() => door[Symbol.asyncDispose]());

const at = 1_790_000_000_000;
const intent = (id: string, session: string): OutboxIntent => ({
  id,
  door: 'push:ops',
  address: `push:ops ${session}`,
  scope: 'push:ops',
  session: sessionKey(session),
  task: null,
  seq: 1,
  type: 'hang',
  at,
  data: null,
});

/** One row that has come to this, and one that is due. */
async function fill(outcome: OutboxOutcome): Promise<void> {
  const { outbox } = door.box.box.store;
  await outbox.start('test', null);
  await outbox.advance('test', null, '1', [intent('m1', 'a'), intent('m2', 'b')]);
  const row = await outbox.begin('m1', 1, at, at);
  await outbox.settle('m1', row?.version ?? 0, outcome);
}

describe('replies', () => {
  test('are listed by state and session, and counted', async () => {
    await fill({ state: 'unclear', at, heldUntil: null, problem: 'the answer was lost' });
    const { client } = door;
    expect((await client.replies()).items.map(({ id, state }) => [id, state])).toEqual([
      ['m2', 'due'],
      ['m1', 'unclear'],
    ]);
    expect((await client.replies({ state: ['unclear', 'failed'] })).items).toEqual([
      {
        id: 'm1',
        door: 'push:ops',
        address: 'push:ops a',
        session: 'a',
        task: null,
        type: 'hang',
        at,
        state: 'unclear',
        attempts: 1,
        nextAt: null,
        reference: null,
        problem: 'the answer was lost',
        changedAt: at,
      },
    ]);
    expect((await client.replies({ session: 'b' })).items.map(({ id }) => id)).toEqual(['m2']);
    const first = await client.replies({ limit: 1 });
    expect((await client.replies({ limit: 1, cursor: first.cursor ?? '' })).items.map(({ id }) => id)).toEqual(['m1']);
    const metrics = await client.metrics();
    expect(metrics).toContain('signalbox_replies{state="unclear"} 1');
    expect(metrics).toContain('signalbox_replies{state="due"} 1');
    expect(metrics).toContain(`signalbox_replies_oldest_due_seconds `);
  });

  test('are sent again or given up, and refused in a state that does not allow it', async () => {
    await fill({ state: 'posted', at, reference: null });
    const { client } = door;
    expect(await client.dropReply('m2')).toMatchObject({ id: 'm2', state: 'dropped' });
    expect(await client.resendReply('m2')).toMatchObject({ id: 'm2', state: 'due' });
    expect(await refusalOf(client.resendReply('m2'))).toBe('reply_state');
    expect(await refusalOf(client.resendReply('m1'))).toBe('reply_state');
    expect(await refusalOf(client.dropReply('m1'))).toBe('reply_state');
    expect(await refusalOf(client.dropReply('m3'))).toBe('unknown_reply');
  });
});
