/**
 * Everybody outside the daemon: those who send, change and cancel tasks, operators, and readers. One operation at a time is
 * drawn and sent; answers come when they come.
 */
import { taskId } from '../src/core/model/ids.ts';
import { type Lane, whenBusyPolicies } from '../src/core/model/task.ts';
import { person } from './actors.ts';
import type { Signalbox, SubmitRequest } from '../src/runtime/api.ts';
import { markerOf, type Submission } from './ledger.ts';
import { decide, resume } from './persons.ts';
import type { Random } from './random.ts';
import { drawScript } from './runners.ts';
import type { WorldApi } from './world-api.ts';

const policies: readonly NonNullable<SubmitRequest['permissions']>[] = [
  { mode: 'ask' },
  { mode: 'ask', allow: ['Bash(git *)'] },
  { mode: 'allow', deny: ['fetch'] },
  { mode: 'read-only' },
];

/** The runtime takes 256 steps of a session in a pass. */
const floodSize = 300;

type Operation =
  | 'submit'
  | 'burst'
  | 'flood'
  | 'follow-up'
  | 'again'
  | 'cancel'
  | 'cancel-twice'
  | 'edit'
  | 'move'
  | 'stop'
  | 'evict'
  | 'park'
  | 'unpark'
  | 'restart'
  | 'follow'
  | 'look'
  | 'decide'
  | 'resume'
  | 'jump'
  | 'crash'
  | 'close';

const operations: readonly (readonly [number, Operation])[] = [
  [36, 'submit'],
  [6, 'burst'],
  [0.15, 'flood'],
  [8, 'follow-up'],
  [6, 'again'],
  [10, 'cancel'],
  [4, 'cancel-twice'],
  [5, 'edit'],
  [6, 'move'],
  [3, 'stop'],
  [4, 'evict'],
  [3, 'park'],
  [3, 'unpark'],
  [3, 'restart'],
  [10, 'follow'],
  [5, 'look'],
  [14, 'decide'],
  [2, 'resume'],
  [3, 'jump'],
  [1.5, 'crash'],
  [1.5, 'close'],
];

export class Callers {
  readonly #world: WorldApi;
  readonly #random: Random;
  readonly #sessions: readonly string[];
  readonly #keys: string[] = [];

  constructor(world: WorldApi, random: Random, sessions: readonly string[]) {
    this.#world = world;
    this.#random = random;
    this.#sessions = sessions;
  }

  act(): void {
    const operation = this.#random.weighted(operations);
    switch (operation) {
      case 'submit':
        this.#submit();
        return;
      case 'burst':
        this.#burst();
        return;
      case 'follow-up':
        this.#followUp();
        return;
      case 'flood':
        this.#flood(this.#random.pick(this.#sessions));
        return;
      case 'again':
        this.#again();
        return;
      case 'cancel':
        this.#cancel(this.#task());
        return;
      case 'cancel-twice':
        this.#cancelTwice();
        return;
      case 'follow':
        this.#withTask((task) =>
          this.#world.readers.follow(task, this.#random.chance(0.7) ? 0 : this.#random.int(1, 6)),
        );
        return;
      case 'look':
        this.#look();
        return;
      case 'decide':
        decide(this.#world, this.#random);
        return;
      case 'resume':
        resume(this.#world);
        return;
      case 'jump':
        this.#world.jump((this.#random.chance(0.5) ? -1 : 1) * this.#random.pick([1, 1000, 3_600_000]));
        return;
      case 'crash':
        this.#world.crash('a random moment');
        return;
      case 'close':
        this.#world.close(this.#random.pick([0, 100, 2000]));
        return;
      case 'edit':
      case 'move':
        this.#withTask((task) => this.#change(operation, task));
        return;
      case 'stop':
      case 'evict':
      case 'park':
      case 'unpark':
      case 'restart':
        this.#operate(operation, this.#random.pick(this.#sessions));
        return;
    }
  }

  #request(): SubmitRequest {
    const random = this.#random;
    const lane: Lane = random.chance(0.5) ? 'interactive' : 'background';
    const code = random.chance(0.25);
    return {
      session: random.pick(this.#sessions),
      prompt: 'do it',
      lane,
      ...(random.chance(0.6) ? { whenBusy: random.pick(whenBusyPolicies) } : {}),
      ...(lane === 'background' ? { priority: random.int(0, 2) } : {}),
      ...(code ? { runner: random.chance(0.95) ? 'worker' : 'nobody' } : {}),
      source: random.pick(['api', 'api', 'api', 'github']),
      rights: random.chance(0.85) ? 'default' : 'admin',
      author: random.pick([null, 'ann', 'bob']),
      onLost: random.chance(0.8) ? 'retry' : 'fail',
      maxAttempts: random.int(1, 4),
      ...(random.chance(0.3) ? { model: random.pick(['small', 'large'] as const) } : {}),
      ...(random.chance(0.5) ? { permissions: random.pick(policies) } : {}),
    };
  }

  #submit(): void {
    const request = this.#request();
    const random = this.#random;
    if (!random.chance(0.35)) {
      this.#send(request);
      return;
    }
    const key = random.chance(0.75) || this.#keys.length === 0 ? `key-${this.#keys.length}` : random.pick(this.#keys);
    this.#keys.push(key);
    // Each of its requests differs in a label.
    const requestDigest = random.chance(0.9) ? 'the same' : 'another';
    const keyed = { ...request, idempotencyKey: key, requestDigest };
    this.#send(keyed);
    if (random.chance(0.3)) {
      this.#send(keyed);
    }
  }

  /** Several at once; half the time from one sender who means them together. */
  #burst(): void {
    const random = this.#random;
    const { lane = 'interactive', session } = this.#request();
    const together = random.chance(0.5);
    const whenBusy = random.pick(['collect', 'steer', 'replace', 'interrupt'] as const);
    for (let left = random.int(2, 6); left > 0; left -= 1) {
      const { runner: _, ...plain } = this.#request();
      if (together) {
        this.#send({ ...plain, session, lane, whenBusy, source: 'chat', rights: 'default' });
      } else {
        this.#submit();
      }
    }
  }

  /** The sender of a task that may be running has more to say. */
  #followUp(): void {
    const sent = this.#world.ledger.submissions.filter(({ state }) => state === 'accepted').slice(-4);
    if (sent.length > 0) {
      const { session, source = 'api', rights = 'default' } = this.#random.pick(sent).request;
      const whenBusy = this.#random.pick(['steer', 'steer', 'interrupt', 'rollback', 'collect'] as const);
      this.#send({ session, prompt: 'and also', lane: 'interactive', whenBusy, source, rights });
    }
  }

  /** More inputs than one pass takes of a session. */
  #flood(session: string): void {
    for (let at = 0; at < floodSize; at += 1) {
      this.#world.call(
        `${at % 2 === 0 ? 'park' : 'unpark'} ${session}`,
        (box) => (at % 2 === 0 ? box.park(session, 'flood') : box.unpark(session)),
        (answer) => answer.kind,
      );
    }
  }

  /** A sender that did not hear its answer, or does not care, sends the same again. */
  #again(): void {
    const keyed = this.#world.ledger.submissions.filter(({ request }) => (request.idempotencyKey ?? null) !== null);
    if (keyed.length > 0) {
      const { n, request } = this.#random.pick(keyed);
      this.#send({ ...request, prompt: `do it, as ${n} said` });
    }
  }

  #send(request: SubmitRequest): void {
    const { world, n } = { world: this.#world, n: this.#world.ledger.submissions.length };
    const withInput = request.runner === undefined ? request : { ...request, input: drawScript(this.#random, n) };
    const submission = world.ledger.submission(request.session, withInput);
    const { lane, whenBusy = 'default', idempotencyKey = '', runner = '' } = submission.request;
    world.call(
      `submit ${n} to ${request.session} ${lane} ${whenBusy} ${runner} ${idempotencyKey}`,
      (box) => box.submit(submission.request),
      (answer) => {
        world.ledger.answered(submission, answer);
        if (answer.kind === 'accepted' && world.stored(answer.task) === null) {
          world.violate('answered after the commit', `${answer.task} was accepted and is not in the store`);
        }
        return answer.kind === 'accepted' ? `${answer.task} ${answer.duplicate ? 'again' : answer.stage}` : answer.code;
      },
      () => {
        submission.state = 'error';
      },
    );
    this.#maybeCancelAtOnce(submission);
  }

  /** Right behind the submit, before it can have been answered: the next act often cancels what was sent last. */
  #maybeCancelAtOnce(submission: Submission): void {
    if (this.#random.chance(0.08)) {
      this.#world.later(this.#random.delay(3), 'cancel at once', () => {
        if (submission.task !== null) {
          this.#cancel(submission.task);
        }
      });
    }
  }

  #task(): string | null {
    const known = this.#world.ledger.submissions.filter(({ task }) => task !== null);
    const recent = this.#random.chance(0.8) ? known.slice(-8) : known;
    return recent.length === 0 ? null : this.#random.pick(recent).task;
  }

  #withTask(use: (task: string) => void): void {
    const task = this.#task();
    if (task !== null) {
      use(task);
    }
  }

  #cancel(task: string | null): void {
    if (task === null) {
      return;
    }
    const world = this.#world;
    world.ledger.deeds.push({ what: 'cancel', of: task });
    world.call(
      `cancel ${task}`,
      (box) => box.cancel(task, { by: person('caller') }),
      (answer) => {
        const ended =
          answer.kind === 'already-terminal' || (answer.kind === 'receipt' && answer.receipt.state === 'acknowledged');
        if (ended && world.stored(task)?.endedAt === null) {
          world.violate('receipts are true', `${task} is said to have ended`);
        }
        return answer.kind === 'receipt' ? answer.receipt.state : answer.kind === 'refused' ? answer.code : answer.kind;
      },
    );
  }

  #cancelTwice(): void {
    const task = this.#task();
    this.#cancel(task);
    if (this.#random.chance(0.5)) {
      this.#cancel(task);
    } else {
      this.#world.later(this.#random.delay(500), 'cancel again', () => this.#cancel(task));
    }
  }

  #change(operation: 'edit' | 'move', task: string): void {
    const world = this.#world;
    const random = this.#random;
    const submission = world.ledger.submissions.find((one) => one.task === task && one.state === 'accepted');
    if (operation === 'edit') {
      if (submission !== undefined) {
        const prompt = `${markerOf(submission.n)} edited ${random.int(0, 999)}`;
        const over = world.ledger.editing(task, prompt);
        world.call(
          `edit ${task}`,
          (box) => box.edit(task, { prompt, by: person('caller') }),
          (answer) => {
            over(answer.kind === 'ok');
            return answer.kind === 'ok' ? 'ok' : answer.code;
          },
          () => over(false),
        );
      }
      return;
    }
    const other = this.#task() ?? task;
    const where = random.pick(['first', 'last', 'before', null] as const);
    const change = {
      ...(random.chance(0.4) ? { lane: random.pick(['interactive', 'background'] as const) } : {}),
      ...(random.chance(0.3) ? { priority: random.int(0, 2) } : {}),
      ...(where === null ? {} : { where: where === 'before' ? { before: taskId(other) } : where }),
    };
    world.call(
      `move ${task} ${JSON.stringify(change)}`,
      (box) => box.move(task, change),
      (answer) => (answer.kind === 'ok' ? 'ok' : answer.code),
    );
  }

  #operate(operation: 'stop' | 'evict' | 'park' | 'unpark' | 'restart', session: string): void {
    const world = this.#world;
    const random = this.#random;
    const ask = (box: Signalbox): Promise<{ readonly kind: string; readonly code?: string }> => {
      switch (operation) {
        case 'stop':
          world.ledger.deeds.push({ what: 'stop', of: session });
          return box.stop(session, random.pick(['turn', 'turn', 'queue', 'session'] as const), person('operator'));
        case 'evict':
          world.ledger.deeds.push({ what: 'evict', of: session });
          return box.evict(session, random.chance(0.2) ? { epoch: random.int(0, 20) } : { by: person('operator') });
        case 'park':
          world.later(random.delay(4000), 'unpark', () => this.#operate('unpark', session));
          return box.park(session, 'lunch', person('operator'));
        case 'unpark':
          return box.unpark(session, person('operator'));
        case 'restart':
          return box.restartAgent(session, person('operator'));
      }
    };
    world.call(`${operation} ${session}`, ask, (answer) => answer.code ?? answer.kind);
  }

  #look(): void {
    const session = this.#random.pick(this.#sessions);
    this.#withTask((task) => {
      this.#world.call(
        `explain ${task}`,
        (box) => box.explain(task),
        (answer) => {
          if (answer === null) {
            this.#world.violate('nothing accepted is lost', `${task} cannot be explained`);
          }
          return answer?.summary ?? 'null';
        },
      );
    });
    this.#world.call(
      `session ${session}`,
      (box) => box.session(session),
      (view) => `${view?.agent} ${view?.queue.length}`,
    );
    this.#world.call(
      'stats',
      (box) => box.stats(),
      (stats) => `${stats.agentsRunning} agents, ${stats.holds} holds`,
    );
  }
}
