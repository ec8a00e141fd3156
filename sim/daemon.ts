/**
 * One life of the real runtime on the simulated machine: from its opening to its crash or close.
 *
 * Owns its scheduler owner (all timers of this life) and its view of the store. Called by the world.
 *  sim-daemon/1 After a crash nothing of it runs, and what it still tries goes nowhere.
 *  sim-daemon/2 What it publishes is the feed from its first event on, each once, in order.
 */
import type { AgentHandle, AgentStart } from '../src/agents/port.ts';
import { taskId } from '../src/core/model/ids.ts';
import type { Signalbox } from '../src/runtime/api.ts';
import { createSignalbox, type RuntimeLimits } from '../src/runtime/index.ts';
import type { CommitOutcome, FeedEvent, SessionCommit, Store, StoredTask } from '../src/store/index.ts';
import { lateStore } from '../src/testing/store/late.ts';
import type { Trace } from '../test/support/trace.ts';
import type { AgentFleet } from './agents.ts';
import { type Medium, WatchedStore } from './disk.ts';
import { coreFailure, Crashed, type FaultPlan, isSimulated, storeFailure } from './faults.ts';
import { StepJudge } from './judge.ts';
import { Random } from './random.ts';
import { workerOf } from './runners.ts';
import { Owner } from './scheduler.ts';
import type { Stage } from './stage.ts';

/** Between the daemon and its store. */
export interface Network {
  /** How long a request or an answer takes, ms. */
  delay(): number;
  /** Whether this request or answer of a commit gets lost. */
  loses(): boolean;
}

interface DaemonParts {
  readonly stage: Stage & { crash(where: string): void };
  readonly medium: Medium;
  /** What the store's answers wait for, where they come late. Null: they come at once. */
  readonly network: Network | null;
  readonly fleet: AgentFleet;
  readonly faults: FaultPlan;
  readonly limits: RuntimeLimits;
  readonly trace: Trace | null;
  readonly ids: () => string;
  /** How far the wall clock is off, ms. */
  readonly skew: () => number;
  readonly number: number;
  /** Ends what the daemon before left, by the list it kept. */
  readonly sweep: (recorded: readonly number[]) => void;
}

/** What the tapes show; an hour and more can be taken off. */
const wallMs = 1_700_000_000_000;

export class Daemon {
  readonly owner: Owner;
  readonly box: Signalbox;
  readonly published: FeedEvent[] = [];
  /** Events on the disk when it was opened. */
  readonly from: number;
  closing = false;
  readonly #parts: DaemonParts;
  readonly #raw: Store;
  /** What runners wait for is theirs, not the daemon's. */
  readonly #runners = new Owner('runners');
  readonly #runs = new Map<string, number>();
  #committing: readonly SessionCommit[] = [];
  /** Commits that the runtime waits for. */
  #unanswered = 0;

  constructor(parts: DaemonParts) {
    const { stage, limits } = parts;
    this.#parts = parts;
    this.owner = new Owner(`daemon ${parts.number}`);
    this.from = stage.facts.events;
    this.#raw = parts.medium.open({ at: (point) => this.#pass(point) });
    const rows = this.#raw.processes();
    parts.sweep(rows instanceof Promise ? [] : rows.map((row) => row.pid));
    const judge = new StepJudge(stage);
    const chance = new Random(parts.number, 9);
    this.box = createSignalbox({
      store: this.#watched(),
      agent: { name: parts.fleet.name, provider: parts.fleet.provider, start: (start) => this.#start(start) },
      runners: {
        worker: workerOf({
          sleep: (ms) => this.#sleep(ms),
          violate: stage.violate.bind(stage),
          running: (...of) => this.#count(...of),
        }),
      },
      limits,
      clock: {
        now: () => stage.scheduler.now,
        wall: () => Math.round(wallMs + stage.scheduler.now + parts.skew()),
        // As the platform's: a millisecond at least, so that what is left of a fraction does not stop the clock.
        timer: (ms, fire) =>
          stage.scheduler.after(this.owner, Math.max(1, ms) + this.#lateness(), `timer of ${ms} ms`, fire),
        soon: (run) => void stage.scheduler.after(this.owner, 0, 'soon', run),
      },
      ids: parts.ids,
      random: () => chance.float(),
      faults: { at: (point) => this.#pass(point) },
      onError: (error, where) => this.#onError(error, where),
      observe: (before, input, result) => {
        if (this.owner.alive) {
          parts.trace?.observe(before, input, result);
          judge.step(before, input, result);
          stage.story.say(`${before.key} ${judge.tell(input, result)}`);
        }
      },
      endLeftovers: false,
    });
    this.box.listen({ all: true }, (events) => this.published.push(...events));
  }

  /** The store as the runtime sees it. */
  #watched(): Store {
    const { stage, network } = this.#parts;
    const watched = new WatchedStore(this.#raw, {
      enter: (method) => this.#enter(method),
      committing: (commits) => (this.#committing = commits),
      committed: (commits, outcomes) => {
        if (!this.owner.alive) {
          throw new Crashed('store.after-commit');
        }
        stage.facts.commit(commits.filter((_, at) => outcomes[at]?.kind === 'committed'));
      },
    });
    if (network === null) {
      return watched;
    }
    const late = lateStore(watched, (run) => void stage.scheduler.after(this.owner, network.delay(), 'store', run), {
      loses: () => network.loses(),
    });
    const commit = async (commits: readonly SessionCommit[]): Promise<readonly CommitOutcome[]> => {
      this.#unanswered += 1;
      try {
        return await late.commit(commits);
      } finally {
        this.#unanswered -= 1;
      }
    };
    return new Proxy(late, {
      get: (target, name): unknown => (name === 'commit' ? commit : Reflect.get(target, name)),
    });
  }

  /** The runtime waits for the answer to a commit, so what that orders has not left yet. */
  get commits(): boolean {
    return this.#unanswered > 0;
  }

  get alive(): boolean {
    return this.owner.alive;
  }

  /** What the disk has of a task, whatever the daemon is made to believe. */
  stored(id: string): StoredTask | null {
    const stored = this.#raw.task(taskId(id));
    return stored instanceof Promise ? null : stored;
  }

  /** The process is gone: nothing of it runs any more. */
  die(): void {
    this.owner.alive = false;
    this.#runners.alive = false;
  }

  /** The disk is let go; it keeps what was committed. */
  end(): void {
    this.die();
    void this.#raw.close();
  }

  /** Timers are late, never early. */
  #lateness(): number {
    return this.#parts.stage.calm ? 0 : this.#parts.stage.late();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.stage.scheduler.after(this.#runners, ms, 'runner', resolve);
    });
  }

  #count(task: string, change: 1 | -1): void {
    const runs = (this.#runs.get(task) ?? 0) + change;
    this.#runs.set(task, runs);
    if (runs > 1) {
      this.#parts.stage.violate('one runner a task', `${task} has ${runs} live runs`);
    }
  }

  #start(start: AgentStart): AgentHandle {
    if (!this.owner.alive) {
      throw new Crashed('a dead daemon starts an agent');
    }
    return this.#parts.fleet.start(start);
  }

  #enter(method: keyof Store): void {
    if (!this.owner.alive) {
      throw new Crashed(`a dead daemon calls ${method}`);
    }
    const { stage, faults } = this.#parts;
    if (!stage.calm && method !== 'commit' && method !== 'close' && faults.readFails(method)) {
      stage.story.say(`fault: ${method} fails`);
      throw storeFailure(method);
    }
  }

  #pass(point: string): void {
    const { stage, faults } = this.#parts;
    if (!this.owner.alive) {
      throw new Crashed(point);
    }
    const strike = stage.calm ? null : faults.at(point);
    if (strike === null) {
      return;
    }
    stage.story.say(`fault: ${strike} at ${point}`);
    if (strike === 'crash') {
      if (point === 'store.after-commit') {
        stage.facts.commit(this.#committing);
      }
      stage.crash(point);
      throw new Crashed(point);
    }
    throw strike === 'store-error' ? storeFailure(point) : coreFailure();
  }

  #onError(error: unknown, where: string): void {
    if (this.owner.alive && !isSimulated(error)) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#parts.stage.violate('nothing fails but what is made to', `${where}: ${text}`);
    }
  }
}
