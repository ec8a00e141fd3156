/** Judges every step of the running core by its tasks alone (never by its indexes), and puts it into the story. */
import type { Input } from '../src/core/model/inputs.ts';
import type { Session } from '../src/core/model/session.ts';
import type { Task } from '../src/core/model/task.ts';
import type { StepResult } from '../src/core/model/replies.ts';
import { treeEntries, treeGet } from '../src/core/index.ts';
import type { Stage } from './stage.ts';

/** Rule 2 of the design: interactive, then preempted, then background by priority; oldest first. */
function rank(task: Task): readonly [number, number, number] {
  if (task.lane === 'interactive') {
    return [0, 0, task.position];
  }
  return task.status === 'running' ? [1, 0, task.position] : [2, -task.priority, task.position];
}

const goesBefore = (a: Task, b: Task): boolean => {
  const [x, y] = [rank(a), rank(b)];
  return (x[0] - y[0] || x[1] - y[1] || x[2] - y[2]) < 0;
};

function* waitingIn(session: Session): Generator<Task> {
  for (const [, task] of treeEntries(session.tasks)) {
    if (task.stage === 'waiting') {
      yield task;
    }
  }
}

/** What a throttle keeps from being granted or sent. */
const heldBack = ({ throttle }: Session, task: Task): boolean =>
  throttle !== null && (throttle.level === 'all' || task.lane === 'background');

export class StepJudge {
  readonly #stage: Stage;
  readonly #known = new WeakSet<Session>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  step(before: Session, input: Input, result: StepResult): void {
    const after = result.session;
    if (before.fenced) {
      return;
    }
    if (!this.#known.has(before) && !this.#stage.facts.isRebuilt(before)) {
      this.#stage.violate('records alone give the session back', `${before.key} was not taken up as it was left`);
    }
    this.#known.add(before).add(after);
    if (after.hold !== null && after.epoch !== before.epoch) {
      this.#granted(before, input, after);
    }
    if (after.hold === null && after.parked === null && !after.fenced) {
      for (const waiter of waitingIn(after)) {
        if (!heldBack(after, waiter)) {
          this.#stage.violate('no free window', `${after.key} is free while ${waiter.id} waits, after ${input.type}`);
          break;
        }
      }
    }
    if (after.epoch < before.epoch || after.turns < before.turns) {
      this.#stage.violate('tokens only grow', `${after.key} after ${input.type}`);
    }
    this.#sent(after, result);
  }

  #granted(before: Session, input: Input, after: Session): void {
    const owner = after.hold === null ? undefined : treeGet(after.tasks, after.hold.task);
    if (owner === undefined) {
      this.#stage.violate('one owner', `the owner of ${after.key} is not open`);
      return;
    }
    if (heldBack(after, owner)) {
      this.#stage.violate('a throttle holds back', `${owner.id} is granted ${after.key}, on ${input.type}`);
    }
    const { passedOver } = after;
    if (passedOver?.task === owner.id && passedOver.times >= after.limits.maxPassedOver) {
      // Others were granted before it too often: it comes before all of them.
      return;
    }
    const was = treeGet(before.tasks, owner.id);
    // A task that was running before this step waited in its last state; one that is new or queued waited as queued.
    const asWaiter: Task = { ...owner, status: was?.status ?? 'queued' };
    for (const task of waitingIn(after)) {
      if (goesBefore(task, asWaiter)) {
        this.#stage.violate('order', `${owner.id} is granted ${after.key} before ${task.id}, on ${input.type}`);
      }
    }
  }

  #sent(after: Session, result: StepResult): void {
    for (const effect of result.effects) {
      const turn = after.hold?.turn ?? null;
      if (effect.type !== 'prompt' || turn?.id !== effect.turn || turn.protected) {
        continue;
      }
      const owner = treeGet(after.tasks, effect.task);
      if (owner !== undefined && heldBack(after, owner)) {
        this.#stage.violate('a throttle holds back', `turn ${turn.id} of ${owner.id} is sent`);
      }
      for (const task of waitingIn(after)) {
        if (owner?.lane === 'background' && task.lane === 'interactive') {
          this.#stage.violate('turn admission', `turn ${turn.id} of ${owner.id} is sent while ${task.id} waits`);
        }
      }
    }
  }

  tell(input: Input, result: StepResult): string {
    const { hold, agent } = result.session;
    const of = 'task' in input ? ` ${typeof input.task === 'string' ? input.task : input.task.id}` : '';
    const turn = 'turn' in input ? ` turn ${input.turn}` : '';
    const name = input.type === 'timer' ? ` ${input.name} ${input.subject}` : '';
    const answer =
      'code' in result.reply ? ` ${result.reply.code}` : 'what' in result.reply ? ` ${result.reply.what}` : '';
    const owner =
      hold === null
        ? 'free'
        : `${hold.task}@${hold.epoch}${hold.turn === null ? '' : ` ${hold.turn.phase} ${hold.turn.id}`}`;
    const effects = result.effects.map((effect) => effect.type).join(',');
    return `${input.type}${of}${turn}${name}: ${result.reply.kind}${answer}; ${owner}; agent ${agent.kind}; ${result.records.length} records; ${effects}`;
  }
}
