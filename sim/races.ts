/**
 * Races of progress, cancel and completion (bug-corpus T06, and U1, U2, U5 of the stores): every kind of task, cancelled at
 * every kind of moment, with every kind of end of the daemon. Many tasks at a time, each in a session of its own, so that
 * their commits are grouped.
 */
import type { CancelAnswer, SubmitRequest } from '../src/runtime/api.ts';
import type { FeedEvent } from '../src/store/index.ts';
import type { Daemon } from './daemon.ts';
import type { Profile } from './faults.ts';
import { Random } from './random.ts';
import type { RunnerScript } from './runners.ts';
import type { Workload } from './setup.ts';
import type { WorldApi } from './world-api.ts';

const kinds = ['prompt', 'background prompt', 'runner with progress', 'runner with turns'] as const;

/** When the task is cancelled; those named after an event come within 2 ms of it. */
const moments = [
  'at the answer',
  'queued',
  'granted',
  'turn-started',
  'progress',
  'turn-ended',
  'final',
  'twice',
] as const;

/** What becomes of the daemon meanwhile. */
const ends = ['goes on', 'closes', 'crashes', 'closes at the cancel', 'store fails'] as const;

export const scenariosAWorld = 64;
const quiet: Profile = { crash: 0, storeError: 0, coreError: 0, readError: 0 };

interface Scenario {
  readonly n: number;
  readonly session: string;
  readonly kind: (typeof kinds)[number];
  readonly moment: (typeof moments)[number];
  task: string | null;
  cancelled: boolean;
}

/** World number `index` of the races: its scenarios share one end of the daemon. */
export class Races implements Workload {
  readonly sessions: readonly string[];
  readonly profile: Profile;
  readonly limits: Workload['limits'];
  readonly #scenarios: readonly Scenario[];
  readonly #end: (typeof ends)[number];
  readonly #random: Random;
  #world: WorldApi | null = null;

  constructor(index: number, count: number) {
    const random = new Random(index, 6);
    this.#random = random;
    this.#end = ends[index % ends.length] ?? 'goes on';
    this.#scenarios = Array.from({ length: count }, (_, n) => ({
      n,
      session: `race-${n}`,
      kind: kinds[n % kinds.length] ?? 'prompt',
      moment: moments[Math.floor(n / kinds.length) % moments.length] ?? 'twice',
      task: null,
      cancelled: false,
    }));
    this.sessions = this.#scenarios.map(({ session }) => session);
    this.profile = this.#end === 'store fails' ? { ...quiet, storeError: 0.15 } : quiet;
    this.limits = { maxAgents: random.pick([8, scenariosAWorld]) };
  }

  begin(world: WorldApi): void {
    this.#world = world;
    for (const scenario of this.#scenarios) {
      world.later(this.#random.delay(20), 'race', () => this.#submit(world, scenario));
    }
    if (this.#end === 'closes') {
      world.later(this.#random.int(0, 60), 'close', () => world.close(this.#random.pick([0, 50])));
    } else if (this.#end === 'crashes') {
      world.later(this.#random.int(0, 60), 'crash', () => world.crash('a moment of the race'));
    }
  }

  opened(daemon: Daemon): void {
    daemon.box.listen({ all: true }, (events) => {
      for (const event of events) {
        if (daemon.alive) {
          this.#saw(event);
        }
      }
    });
  }

  #submit(world: WorldApi, scenario: Scenario): void {
    const { session, kind } = scenario;
    const code = kind.startsWith('runner');
    const n = world.ledger.submissions.length;
    const script: RunnerScript = {
      n,
      turns: kind === 'runner with turns' ? 2 : 0,
      progress: 2,
      pause: this.#random.delay(5),
      end: kind === 'runner with progress' ? 'clings' : 'returns',
      tolerant: this.#random.chance(0.5),
      models: [],
    };
    const request: SubmitRequest = {
      session,
      prompt: kind,
      lane: kind === 'prompt' ? 'interactive' : 'background',
      ...(code ? { runner: 'worker', input: script } : {}),
    };
    const submission = world.ledger.submission(session, request);
    world.call(
      `submit ${n} to ${session}, ${kind}, to be cancelled ${scenario.moment}`,
      (box) => box.submit(submission.request),
      (answer) => {
        world.ledger.answered(submission, answer);
        scenario.task = answer.kind === 'accepted' ? answer.task : null;
        if (scenario.moment === 'at the answer' || scenario.moment === 'twice') {
          this.#cancel(scenario);
        }
        return answer.kind;
      },
      () => {
        submission.state = 'error';
      },
    );
  }

  #saw(event: FeedEvent): void {
    const scenario = this.#scenarios[Number(event.session.slice('race-'.length))];
    const { moment = 'final', cancelled = true } = scenario ?? {};
    const isIt =
      event.type === moment ||
      (moment === 'progress' && event.type === 'output') ||
      (moment === 'twice' && event.type === 'turn-ended');
    if (scenario === undefined || event.task === null || !isIt || (cancelled && moment !== 'twice')) {
      return;
    }
    scenario.task = event.task;
    this.#world?.later(this.#random.int(0, 2), 'cancel', () => this.#cancel(scenario));
  }

  #cancel(scenario: Scenario): void {
    const world = this.#world;
    const { task } = scenario;
    if (world === null || task === null) {
      return;
    }
    scenario.cancelled = true;
    world.ledger.deeds.push({ what: 'cancel', of: task });
    const ask = (): void =>
      world.call(
        `cancel ${task}`,
        (box) => box.cancel(task),
        (answer) => this.#receipt(world, task, answer),
      );
    ask();
    if (scenario.moment === 'twice') {
      ask();
    }
    if (this.#end === 'closes at the cancel' && this.#random.chance(0.1)) {
      world.close(0);
    }
  }

  #receipt(world: WorldApi, task: string, answer: CancelAnswer): string {
    const ended =
      answer.kind === 'already-terminal' || (answer.kind === 'receipt' && answer.receipt.state === 'acknowledged');
    if (ended && world.stored(task)?.endedAt === null) {
      world.violate('receipts are true', `${task} is said to have ended`);
    }
    return answer.kind;
  }
}
