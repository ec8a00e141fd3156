/** `step` itself, by its typical inputs. The goal is a rate; the allocation loop says what this machine makes of objects. */
import { sessionKey, taskId } from '../../src/core/model/ids.ts';
import type { Input } from '../../src/core/model/inputs.ts';
import type { Session } from '../../src/core/model/session.ts';
import { newSession } from '../../src/core/queue.ts';
import { step } from '../../src/core/step.ts';
import { partsPerStep } from '../../src/runtime/options.ts';
import type { Figure, Row, Run } from '../harness.ts';
import { compared, inTurns, rate } from '../harness.ts';
import { agentReady, output, result, submitted, turnStarted } from '../support/inputs.ts';

const goal = { of: 'ours', atLeast: 1_000_000 } as const;
const limits = { maxPassedOver: 1_000_000_000, maxOpen: 1_000_000, partsPerStep, freshWhenFull: true };

export const row: Row = {
  name: 'step',
  title: 'the pure step function, inputs per second',
  limit: 'a loop that only allocates what a step must: a session, a task, two records, an effect',
  async measure(run: Run): Promise<readonly Figure[]> {
    const count = run.quick ? 20_000 : 1_000_000;
    const figures: Figure[] = [];
    for (const [measure, cycle] of Object.entries(cycles)) {
      run.say(measure);
      const pairs = await inTurns(run, {
        limit: () => rate(count, () => allocate(count)),
        ours: () => rate(count, () => cycle(count)),
      });
      figures.push(compared(pairs, { measure, unit: '/s', goal }));
    }
    return figures;
  },
};

const ready = (): Session => {
  const first = step(newSession(sessionKey('bench:step'), limits), submitted('first', 'background')).session;
  return step(step(first, agentReady(first)).session, turnStarted(first)).session;
};

/** Each takes about `count` steps and checks that they did what they are named after. */
const cycles: { readonly [name: string]: (count: number) => void } = {
  output(count) {
    let session = ready();
    const chunk = output(session);
    for (let at = 0; at < count; at += 1) {
      session = step(session, chunk).session;
    }
    mustHold(session.hold?.turn?.phase === 'running');
  },

  'submit, started, result'(count) {
    let session = ready();
    session = step(session, result(session, 'completed')).session;
    for (let at = 0; at < count; at += 3) {
      session = step(session, submitted(`task-${at}`, 'interactive')).session;
      session = step(session, turnStarted(session)).session;
      session = step(session, result(session, 'completed')).session;
    }
    mustHold(session.hold === null);
  },

  'preempt: submit, ack, result, started, result, started'(count) {
    let session = ready();
    for (let at = 0; at < count; at += 6) {
      const inputs: readonly ((now: Session) => Input)[] = [
        () => submitted(`task-${at}`, 'interactive'),
        (now) => ({ type: 'ack', at: 1, incarnation: now.incarnations, turn: now.turns, noResult: false }),
        (now) => result(now, 'interrupted'),
        turnStarted,
        (now) => result(now, 'completed'),
        turnStarted,
      ];
      for (const input of inputs) {
        session = step(session, input(session)).session;
      }
    }
    mustHold(session.hold?.task === taskId('first'));
  },
};

function mustHold(condition: boolean): void {
  if (!condition) {
    throw new Error('the cycle did not do what it is named after');
  }
}

/** Kept, so that the loop cannot be optimised away. */
export let kept: unknown = null;

function allocate(count: number): void {
  let session = { ...newSession(sessionKey('bench:allocate'), limits) };
  for (let at = 0; at < count; at += 1) {
    const task = { id: 'a', lane: 'background', mode: 'prompt', priority: 0, ord: at, party: null, status: 'queued' };
    const record = { type: 'event', at, task: task.id, seq: at, event: { type: 'output', data: task } };
    const second = { type: 'task', at, task };
    const effect = { type: 'prompt', inc: 1, turn: at, task: task.id };
    session = {
      key: session.key,
      limits: session.limits,
      epoch: session.epoch,
      admissions: at,
      turns: session.turns,
      incarnations: session.incarnations,
      seq: at,
      parked: null,
      throttle: null,
      conversation: session.conversation,
      assigned: null,
      assigning: null,
      answered: false,
      hold: session.hold,
      agent: session.agent,
      passedOver: session.passedOver,
      settling: session.settling,
      fenced: false,
      tasks: session.tasks,
      indexes: session.indexes,
    };
    kept = { session, records: [record, second], effects: [effect], reply: null };
  }
}
