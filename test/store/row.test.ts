/** What the file leaves out of a task's row, of its payload and of its end, readers get back. */
import { describe, expect, it } from 'vitest';
import { actorTask } from '../../src/core/model/actor.ts';
import { epoch, taskId, turnId } from '../../src/core/model/ids.ts';
import type { TaskRow } from '../../src/core/model/records.ts';
import { payloadOf, storedPayload } from '../../src/store/rules.ts';
import { finalOf, finalToJson, taskOf, taskToJson } from '../../src/store/row.ts';
import { payload, taskRow } from '../../src/testing/store/records.ts';

const id = taskId('t1');
const written = (row: TaskRow) => taskOf({ id: row.id, lane: row.lane, row: taskToJson(row) });

const unusual = taskRow(id, {
  lane: 'background',
  mode: 'code',
  priority: 7,
  admission: 3,
  position: -65_536,
  mergeGroup: 'g',
  whenBusy: 'collect',
  onLost: 'fail',
  maxAttempts: 1,
  status: 'queued',
  stage: 'steered',
  mergedInto: taskId('t2'),
  leads: taskId('t3'),
  delivered: true,
  attempts: 2,
  started: true,
  interruptedMidTurn: true,
  verdict: { status: 'failed', reason: 'r', by: actorTask(id), result: null, scope: 'turn' },
  model: 'm',
  retries: 4,
});

describe('a stored row of a task', () => {
  it('has every field again, with each value alone and all together', () => {
    const plain = taskRow(id, { status: 'running', maxAttempts: 3 });
    expect(Object.keys(unusual).toSorted()).toEqual(Object.keys(plain).toSorted());
    for (const row of [plain, unusual]) {
      expect(written(row)).toEqual(row);
    }
    for (const field of Object.keys(plain) as (keyof TaskRow)[]) {
      const one = { ...plain, [field]: unusual[field] };
      expect(written(one), field).toEqual(one);
    }
  });

  it('of a file that does not say what its holder knows has a holder that knows of its grant', () => {
    const holder = { name: 'one', leaseMs: 1_000, answered: null };
    const row = taskRow(id, { mode: 'external', run: epoch(1), holder: { ...holder, told: false } });
    expect(written(row)).toEqual(row);
    const older = JSON.stringify({ ...JSON.parse(taskToJson(row)), holder });
    expect(taskOf({ id, lane: row.lane, row: older }).holder).toEqual({ ...holder, told: true });
  });

  it('leaves out what most tasks have', () => {
    const usual = JSON.parse(taskToJson(taskRow(id, { status: 'running', maxAttempts: 3 }))) as object;
    expect(Object.keys(usual).toSorted()).toEqual(['admission', 'position', 'stage', 'whenBusy']);
  });
});

describe('a stored payload and a stored end', () => {
  it('have every field again', () => {
    for (const one of [payload(), payload({ author: 'ada', idempotencyKey: 'k', input: { turn: turnId(1) } })]) {
      expect(payloadOf(JSON.parse(JSON.stringify(storedPayload(one))))).toEqual(one);
    }
    const final = { status: 'failed', reason: 'r', by: null, attempts: 1, answer: null, result: null } as const;
    for (const one of [final, { ...final, by: actorTask(id), answer: { text: 'yes' }, result: { a: 1 } }]) {
      expect(JSON.stringify(finalOf({ result: finalToJson(one) }, 'result'))).toBe(JSON.stringify(one));
    }
  });
});
