/**
 * Random stories. Each step is audited by the driver (see `core-audit.ts`): what follows is what the audit cannot see from
 * one step alone.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epoch, incarnation, turnId } from '../../src/core/model/ids.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Session } from '../../src/core/model/session.ts';
import { durableOf, foldRecords, rebuild } from '../../src/core/rebuild.ts';
import { step } from '../../src/core/step.ts';
import { audit, freeze, ordered, tasksOf } from '../support/core-audit.ts';
import { Chaos, type Choice, choices, plainNames } from '../support/core-chaos.ts';
import { action, Box } from '../support/core-driver.ts';

const few = { maxPassedOver: 2, maxOpen: 12, partsPerStep: 2, freshWhenFull: true };

function story(told: readonly Choice[], each: (box: Box, chaos: Chaos, choice: Choice) => void): Box {
  const chaos = new Chaos(new Box(few));
  for (const choice of told) {
    each(chaos.box, chaos, choice);
  }
  return chaos.box;
}

const play = (told: readonly Choice[]): Box => story(told, (box, chaos, choice) => void box.do(chaos.said(choice)));

/** Inputs that name what is not there: each must change nothing. */
function strangers(session: Session): readonly Input[] {
  const at = 0;
  const agent = incarnation(session.incarnations + 1);
  const inc = session.incarnations;
  const later = turnId(session.turns + 1);
  const earlier = turnId(session.turns - 1);
  const result = { outcome: 'completed', empty: false, report: { text: '' } } as const;
  const tasks = tasksOf(session);
  return [
    {
      at,
      type: 'agent-ready',
      incarnation: agent,
      caps: { acks: true, steer: true, rewind: true, models: true, keepsPrompts: false },
      conversation: 'x',
      conversationReset: true,
    },
    { at, type: 'agent-exited', incarnation: agent, reason: 'x', data: null },
    { at, type: 'unsolicited', incarnation: agent, phase: 'began', data: null },
    ...[later, earlier].flatMap((turn): Input[] => [
      { at, type: 'turn-started', incarnation: inc, turn },
      { at, type: 'output', incarnation: inc, turn, part: { kind: 'text', text: '' } },
      { at, type: 'ack', incarnation: inc, turn, noResult: true },
      { at, type: 'result', incarnation: inc, turn, result },
      {
        at,
        type: 'permission-requested',
        incarnation: inc,
        turn,
        request: 'q',
        policyDecision: 'allow',
        policyNote: null,
        action: action,
      },
      { at, type: 'permission-withdrawn', incarnation: inc, turn, request: 'q' },
      { at, type: 'timer', name: 'permission', subject: turn },
      { at, type: 'timer', name: 'drain', subject: turn },
      { at, type: 'timer', name: 'silence', subject: turn },
    ]),
    { at, type: 'result', incarnation: agent, turn: session.turns, result },
    { at, type: 'switched', incarnation: agent, model: null, ok: false },
    { at, type: 'timer', name: 'switch', subject: agent },
    { at, type: 'timer', name: 'hold', subject: session.epoch + 1 },
    { at, type: 'timer', name: 'start', subject: agent },
    { at, type: 'evict', epoch: epoch(session.epoch + 1), by: null },
    ...tasks.flatMap((task): Input[] => [
      { at, type: 'call', task: task.id, run: epoch(session.epoch + 1), call: 1, model: null },
      { at, type: 'finish', task: task.id, run: epoch(-1), status: 'failed', reason: 'x', result: null },
    ]),
  ];
}

describe('after any sequence of inputs', () => {
  test('every step passes the audit, and every wait has its deadline (core/1, core/2, core/4, core/19, core/22, core/25, core/28, core/34, core/35, core/36, core/37, core/38)', () => {
    fc.assert(
      fc.property(choices(120), (told) => {
        const box = play(told);
        for (const id of told.keys()) {
          box.final(plainNames.id(id));
        }
      }),
      { numRuns: 400 },
    );
  });

  test('the same session and input give the same result, and neither is touched (core/26)', () => {
    fc.assert(
      fc.property(choices(40), (told) => {
        story(told, (box, chaos, choice) => {
          const said = freeze({ ...chaos.said(choice), at: 1 });
          const once = step(box.session, said);
          expect(step(box.session, said)).toEqual(once);
          box.do(said);
        });
      }),
      { numRuns: 60 },
    );
  });

  test('an input that names another turn, agent, hold or runner changes nothing (core/9, core/15, core/24)', () => {
    fc.assert(
      fc.property(choices(60), (told) => {
        story(told, (box, chaos, choice) => {
          box.do(chaos.said(choice));
          const decide = { type: 'respond', at: 0, turn: turnId(box.turn + 1), request: 'q' } as const;
          const strange = step(box.session, { ...decide, allow: true, by: null, note: null });
          expect(strange.session).toBe(box.session);
          for (const input of strangers(box.session)) {
            expect(step(box.session, input)).toMatchObject({ records: [], effects: [], reply: { kind: 'stale' } });
            expect(step(box.session, input).session).toBe(box.session);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test('a session can be rebuilt from its rows after any step (core/25)', () => {
    fc.assert(
      fc.property(choices(60), (told) => {
        story(told, (box, chaos, choice) => {
          box.do(chaos.said(choice));
          const rows = durableOf(box.session);
          const again = freeze(rebuild(rows, few));
          expect(ordered(durableOf(again))).toEqual(ordered(rows));
          const input: Input = { at: 1, type: 'recovered' };
          const taken = step(again, input);
          expect(audit(again, input, taken)).toEqual([]);
          expect(ordered(foldRecords(rows, taken.records))).toEqual(ordered(durableOf(taken.session)));
        });
      }),
      { numRuns: 60 },
    );
  });

  test('a crash at any point of a story loses no task, and ends no task twice (core/22, core/25, core/27)', () => {
    fc.assert(
      fc.property(choices(80), fc.array(fc.nat(80)), (told, crashes) => {
        let index = 0;
        const admitted = new Set<string>();
        const box = story(told, (each, chaos, choice) => {
          const reply = each.do(chaos.said(choice));
          if (reply.kind === 'admitted') {
            admitted.add(reply.task);
          }
          index += 1;
          if (crashes.includes(index)) {
            each.crash();
          }
        });
        const open = new Set<string>(tasksOf(box.session).map(({ id }) => id));
        for (const id of admitted) {
          expect(open.has(id)).toBe(box.final(id) === null);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('ids and tokens are only compared: other names give the same story (core/26)', () => {
    // The other names keep the order of the first ones, since that order decides the order of receipts.
    const other = { id: (index: number) => `x${plainNames.id(index)}`, mergeGroup: (index: number) => `y${index}` };
    fc.assert(
      fc.property(choices(60), (told) => {
        const one = new Chaos(new Box(few));
        const two = new Chaos(new Box(few), other);
        two.box.session = freeze({
          ...two.box.session,
          epoch: epoch(1000),
          turns: turnId(2000),
          incarnations: incarnation(3000),
        });
        two.box.restart();
        for (const choice of told) {
          one.box.do(one.said(choice));
          two.box.do(two.said(choice));
          expect(shape(two.box).replaceAll(/xt(?=\d)/g, 't')).toEqual(shape(one.box));
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** What a step said and asked for, without its numbers. */
const shape = (box: Box): string =>
  [
    JSON.stringify({ ...box.reply, receipt: null }).replaceAll(/"(turn|run)":\d+/g, '"$1":1'),
    ...box.records.map((record) => ('event' in record ? `${record.task} ${record.event.type}` : record.type)),
    ...box.effects.map(
      (effect) => `${effect.type} ${'timer' in effect ? effect.timer : ''} ${'task' in effect ? effect.task : ''}`,
    ),
  ].join('\n');

describe('at the end of any sequence of inputs', () => {
  const isOver = (box: Box): boolean => tasksOf(box.session).length === 0;

  test('an honest agent and honest runners end every task (core/5, core/19)', () => {
    fc.assert(
      fc.property(choices(100), (told) => {
        const box = play(told);
        for (let steps = 0; !isOver(box); steps += 1) {
          expect(steps, 'it comes to an end').toBeLessThan(400);
          honest(box);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('deadlines alone end every task, if only the end of a killed agent is certain (core/13, core/19, core/20)', () => {
    fc.assert(
      fc.property(choices(100), (told) => {
        const box = play(told);
        for (let steps = 0; !isOver(box); steps += 1) {
          expect(steps, 'it comes to an end').toBeLessThan(2_000);
          silent(box, steps);
        }
      }),
      { numRuns: 150 },
    );
  });

  /** Its runner works without the session. */
  const releasedIn = (box: Box) => tasksOf(box.session).find(({ stage }) => stage === 'released');

  function honest(box: Box): void {
    const { agent, hold, parked, throttle } = box.session;
    const released = releasedIn(box);
    const unclaimed = tasksOf(box.session).find(({ stage }) => stage === 'unclaimed');
    const { state } = box;
    if (parked !== null) {
      box.unpark();
    } else if (throttle !== null) {
      box.throttle(null);
    } else if (agent.kind === 'up' && agent.activity === 'switching') {
      box.switched(agent.model);
    } else if (agent.kind === 'starting') {
      box.ready();
    } else if (agent.kind === 'ending') {
      box.exited();
    } else if (agent.kind === 'up' && agent.unsolicited) {
      box.unsolicited('ended');
    } else if (released !== undefined) {
      box.finish(released.id, Number(released.run));
    } else if (unclaimed !== undefined) {
      box.claim(unclaimed.id);
    } else if (state === 'free') {
      box.passes('collect');
    } else if (state === 'between-turns') {
      box.finish(String(hold?.task), Number(box.task(String(hold?.task)).run));
    } else if (state === 'sent') {
      box.started();
    } else if (state === 'running') {
      box.result('completed');
    } else if (hold?.turn?.interrupt?.acked !== true) {
      box.ack();
    } else {
      box.result('interrupted');
    }
  }

  /** No agent says a word, no runner returns; only where nobody waits for a runner does the operator end it. */
  function silent(box: Box, steps: number): void {
    const { agent, parked, throttle } = box.session;
    const released = releasedIn(box);
    const armed = [...box.armed].filter((name) => !name.startsWith('idle'));
    // The time of a task is long, and is up in the end.
    const isLate = (name: string): boolean => name.startsWith('expiry') === (steps % 5 === 4);
    const timer = armed.find(isLate) ?? armed[0];
    if (parked !== null) {
      box.unpark();
    } else if (throttle !== null) {
      box.throttle(null);
    } else if (agent.kind === 'ending') {
      box.exited();
    } else if (timer !== undefined) {
      box.passes(timer.slice(0, timer.indexOf(':')) as 'drain');
    } else if (released !== undefined) {
      box.cancel(released.id);
    } else {
      expect(box.state).toBe('between-turns');
      box.evict();
    }
  }
});
