/**
 * One run: a machine with a disk, one daemon at a time, agents, callers and readers, all under one scheduler.
 *
 * Owns everything of the run; `run` takes it from the first opening to the last word of the oracles.
 *  sim-world/1 The run is a function of its options: no clock, no randomness, no environment comes in.
 *  sim-world/2 At most one daemon is alive; a crash or close is followed by another opening on the same disk.
 *  sim-world/3 First chaos, then calm: no more faults or bad manners, operators unpark, and everything must come to rest.
 */
import type { SessionKey } from '../src/core/model/ids.ts';
import type { Signalbox } from '../src/runtime/api.ts';
import type { RuntimeLimits } from '../src/runtime/index.ts';
import type { Store, StoredTask } from '../src/store/index.ts';
import { partsPerStep } from '../src/runtime/options.ts';
import { recordTrace, replayTrace, type Trace } from '../test/support/trace.ts';
import { AgentFleet } from './agents.ts';
import { Calls, mayFail } from './calls.ts';
import { Callers } from './callers.ts';
import { Daemon, type Network } from './daemon.ts';
import { type Medium, openMedium } from './disk.ts';
import { FaultPlan, isSimulated } from './faults.ts';
import { Facts } from './facts.ts';
import { Ledger } from './ledger.ts';
import { judgeTapes, leftBehind } from './oracles.ts';
import { Random } from './random.ts';
import { Readers } from './readers.ts';
import { Owner, quiet, Scheduler } from './scheduler.ts';
import { calmSteps, closeMs, drawLimits, type Outcome, type Violation, type WorldOptions } from './setup.ts';
import { Story } from './story.ts';
import type { WorldApi } from './world-api.ts';

/** Most answers come in the same millisecond, in any order; some take long; few get lost. */
const networkOf = (random: Random): Network => ({
  delay: () => (random.chance(0.6) ? 0 : random.chance(0.9) ? random.int(1, 5) : random.int(5, 100)),
  loses: () => random.chance(0.02),
});

export class World implements WorldApi {
  readonly scheduler: Scheduler;
  readonly story: Story;
  readonly facts: Facts;
  readonly ledger: Ledger;
  readonly readers: Readers;
  readonly fleet: AgentFleet;
  readonly sessions: readonly string[];
  readonly limits: RuntimeLimits;
  readonly daemons: Daemon[] = [];
  daemon: Daemon | null = null;
  calm = false;
  violation: Violation | null = null;
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #callers: Callers;
  readonly #outside = new Owner('outside');
  readonly #faults: FaultPlan;
  readonly #medium: Medium;
  readonly #network: Network | null;
  readonly #trace: Trace | null;
  readonly #calls: Calls;
  #skew = 0;
  #ids = 0;
  #raw: Store | null = null;
  /** Closed, and looked at once more before it is forgotten. */
  #closing: Daemon | null = null;
  #resting = false;

  constructor(options: WorldOptions) {
    this.#options = options;
    const random = new Random(options.seed, 0);
    this.#random = random;
    const { workload } = options;
    this.limits = { ...drawLimits(random), ...workload?.limits };
    this.scheduler = new Scheduler(options.seed);
    this.story = new Story(() => this.scheduler.now);
    const violate = this.violate.bind(this);
    this.facts = new Facts({ ...this.limits, partsPerStep, freshWhenFull: true }, violate, this.#silent.bind(this));
    this.ledger = new Ledger(violate);
    this.fleet = new AgentFleet(this, options.seed);
    this.#faults = new FaultPlan(options.seed, workload?.profile);
    this.sessions = workload?.sessions ?? ['a', 'b', 'c', 'd'].slice(0, random.int(1, 4));
    this.#callers = new Callers(this, new Random(options.seed, 5), this.sessions);
    this.readers = new Readers(this);
    this.#calls = new Calls(this);
    this.#trace = options.judge ? recordTrace() : null;
    this.#medium = openMedium(options.store);
    this.#network = options.store === 'late' ? networkOf(new Random(options.seed, 10)) : null;
  }

  violate(rule: string, what: string): void {
    this.story.say(`VIOLATION of "${rule}": ${what}`);
    this.violation ??= { rule, what };
  }

  late(): number {
    return this.#random.chance(0.1) ? this.#random.int(1, 400) : 0;
  }

  later(delay: number, label: string, run: () => void): void {
    this.scheduler.after(this.#outside, delay, label, run);
  }

  jump(by: number): void {
    this.#skew += by;
    this.story.say(`the wall clock jumps by ${by} ms`);
  }

  stored(id: string): StoredTask | null {
    return this.daemon?.stored(id) ?? null;
  }

  call<T>(
    what: string,
    ask: (box: Signalbox) => Promise<T>,
    answered: (answer: T) => string,
    failed?: () => void,
  ): void {
    this.#calls.call(this.daemon, { what, ask, answered, failed: failed ?? (() => {}) });
  }

  /** Errors that a caller has to live with. */
  mayFail(error: unknown): boolean {
    return mayFail(this.daemon, error);
  }

  #open(): void {
    const daemon = new Daemon({
      stage: this,
      medium: this.#medium,
      network: this.#network,
      fleet: this.fleet,
      faults: this.#faults,
      limits: this.limits,
      trace: this.#trace,
      ids: () => `t${(this.#ids += 1)}`,
      skew: () => this.#skew,
      number: this.daemons.length + 1,
      sweep: (recorded) => this.#sweep(recorded),
    });
    this.story.say(`daemon ${this.daemons.length + 1} opens`);
    this.daemons.push(daemon);
    this.daemon = daemon;
    this.#options.workload?.opened(daemon);
    this.readers.reopened();
    daemon.box.ready.then(
      () => daemon.alive && this.#isReady(),
      (error: unknown) => {
        if (daemon.alive && isSimulated(error)) {
          this.crash('its start');
        } else if (daemon.alive) {
          this.violate('a daemon starts', String(error));
        }
      },
    );
  }

  #sweep(recorded: readonly number[]): void {
    for (const missed of this.fleet.sweep(recorded)) {
      if (missed.prompted) {
        this.violate('a process is recorded before its first prompt', `${missed.name} is left and on no list`);
      }
    }
  }

  #isReady(): void {
    this.story.say('ready');
    if (this.calm) {
      this.#unparkAll();
    }
  }

  crash(where: string): void {
    const daemon = this.daemon ?? this.#closing;
    if (daemon === null) {
      return;
    }
    this.story.say(`the daemon crashes at ${where}`);
    this.#gone(daemon);
    this.fleet.orphan();
    // The file is closed when what runs now has unwound; the next daemon opens it later in any case.
    this.later(0, 'the disk is let go', () => daemon.end());
    this.later(1 + this.#random.delay(3000), 'opens again', () => this.#open());
  }

  #gone(daemon: Daemon): void {
    this.#closing = null;
    daemon.die();
    this.daemon = null;
    this.#calls.forget();
    this.ledger.forgetAsked();
    for (const facts of this.facts.sessions.values()) {
      facts.due = null;
    }
  }

  close(graceMs: number): void {
    const daemon = this.daemon;
    if (daemon === null || daemon.closing) {
      return;
    }
    daemon.closing = true;
    this.story.say(`the daemon is closed, grace ${graceMs}`);
    const unwatch = this.scheduler.after(this.#outside, closeMs, 'watches the close', () => {
      if (daemon.alive) {
        this.violate('a daemon closes', `within ${closeMs} ms: ${[...this.#calls.open()].join('; ')}`);
      }
    });
    daemon.box.close({ graceMs }).then(
      () => {
        unwatch();
        this.story.say('closed');
        this.readers.leave();
        this.#closing = daemon;
        this.daemon = null;
        // What was due in this very pass may still run.
        this.later(1, 'after the close', () => daemon.alive && this.#closed(daemon));
      },
      (error: unknown) => daemon.alive && this.violate('a daemon closes', String(error)),
    );
  }

  #closed(daemon: Daemon): void {
    if (daemon.owner.jobs > 0) {
      this.violate('a closed daemon leaves nothing', this.scheduler.pending(daemon.owner).join(', '));
    }
    for (const agent of this.fleet.alive()) {
      this.violate('a closed daemon leaves nothing', `${agent.name} lives on`);
    }
    if (this.facts.events !== daemon.from + daemon.published.length) {
      this.violate(
        'what is committed is published',
        `${this.facts.events - daemon.from} events, ${daemon.published.length} published`,
      );
    }
    this.#judgeCalls();
    this.#gone(daemon);
    daemon.end();
    if (!this.#resting) {
      this.later(this.#random.delay(2000), 'opens again', () => this.#open());
    }
  }

  #judgeCalls(): void {
    this.#calls.open().forEach((what) => this.violate('every call is answered', what));
  }

  #becomeCalm(): void {
    this.calm = true;
    this.story.say('calm');
    this.#unparkAll();
  }

  #unparkAll(): void {
    for (const session of this.sessions) {
      this.call(
        `is ${session} parked`,
        (box) => box.session(session),
        (view) => {
          const parked = view?.row.parked?.kind ?? 'not parked';
          if (parked !== 'not parked') {
            this.call(
              `unpark ${session}`,
              (box) => box.unpark(session),
              (answer) => answer.kind,
            );
          }
          return parked;
        },
      );
    }
  }

  async run(): Promise<Outcome> {
    try {
      await this.#play();
      if (this.violation === null) {
        await this.#rest();
      }
      if (this.violation === null && this.#options.judge) {
        this.#judge();
      }
    } finally {
      this.daemon?.end();
      this.#closing?.end();
      void this.#raw?.close();
      this.#medium.dispose();
    }
    const { scheduler, ledger, facts } = this;
    const figures = {
      virtualMs: Math.round(scheduler.now),
      tasks: ledger.submissions.filter(({ state }) => state === 'accepted').length,
      events: facts.events,
      open: [...facts.sessions.values()].reduce((sum, { durable }) => sum + durable.open.length, 0),
      inputs: this.#trace?.entries.length ?? 0,
      daemons: this.daemons.length,
      ...Object.fromEntries([...facts.happened].map(([event, times]) => [`event ${event}`, times])),
    };
    return { violation: this.violation, story: this.story, figures, struck: this.#faults.struck };
  }

  async #play(): Promise<void> {
    this.#open();
    if (this.#options.workload === undefined) {
      this.#schedule(this.#random.int(10, 100));
    } else {
      this.#options.workload.begin(this);
    }
    let calmAt = Number.POSITIVE_INFINITY;
    while (this.violation === null) {
      if (!this.calm && this.scheduler.steps >= this.#options.steps) {
        this.#becomeCalm();
      }
      if (this.calm) {
        calmAt = Math.min(calmAt, this.scheduler.steps);
      }
      if (this.scheduler.steps > calmAt + calmSteps) {
        this.#notAtRest();
        return;
      }
      if (!(await this.scheduler.step())) {
        if (this.calm) {
          return;
        }
        this.#becomeCalm();
        await quiet();
      }
      this.#afterStep();
    }
  }

  #schedule(left: number): void {
    const gap = this.#random.delay(this.#random.pick([50, 500, 3000]));
    this.later(gap, 'caller', () => {
      if (this.calm) {
        return;
      }
      this.#callers.act();
      if (left > 0) {
        this.#schedule(left - 1);
      } else {
        this.later(this.#random.int(0, 10_000), 'calm', () => this.calm || this.#becomeCalm());
      }
    });
  }

  /** A deadline that waits for its commit may be overtaken by an answer, so runs with a failing or late store are not judged. */
  #silent(key: SessionKey, turn: number): void {
    const silence = this.scheduler.now - this.fleet.heardAt(key);
    const { storeError, coreError } = this.#faults.profile;
    if (silence < this.limits.silenceMs - 1 && storeError === 0 && coreError === 0 && this.#network === null) {
      this.violate('only silence is silence', `turn ${turn} of ${key}: its agent was heard ${silence} ms ago`);
    }
  }

  /** Rule 5. What a commit orders leaves in the very step in which the runtime gets its answer. */
  #afterStep(): void {
    if (this.daemon?.commits === true) {
      return;
    }
    for (const [key, facts] of this.facts.sessions) {
      if (facts.due !== null) {
        if (this.fleet.listens(key)) {
          this.violate('the interrupt leaves with its commit', `turn ${facts.due} of ${key} was not interrupted`);
        }
        facts.due = null;
      }
    }
  }

  #notAtRest(): void {
    const open = [...this.facts.sessions].map(([key, { durable }]) => {
      const tasks = durable.open.map(({ row }) => `${row.id} ${row.mode} ${row.stage}`);
      return `${key} parked ${durable.row.parked?.reason ?? 'not'}, owner ${durable.row.hold?.task}, open ${tasks.join(', ')}`;
    });
    this.violate('everything comes to rest', open.join('; '));
  }

  /** Nothing is due any more: nothing may be open, running or waiting. */
  async #rest(): Promise<void> {
    this.#judgeCalls();
    const daemon = this.daemon;
    if (daemon === null) {
      this.#notAtRest();
      return;
    }
    for (const left of leftBehind(
      await this.#answer(daemon.box.stats()),
      daemon.owner.jobs,
      this.fleet.alive().length,
    )) {
      this.story.say(left);
      this.#notAtRest();
    }
    for (const follower of this.readers.followers) {
      if (!follower.ended) {
        this.violate(
          'followers end with final',
          `follower ${follower.n} of ${follower.task} waits after ${follower.events.at(-1)?.seq ?? follower.after}`,
        );
      }
    }
    this.#resting = true;
    this.close(0);
    await quiet();
    while ((this.daemon ?? this.#closing) !== null && this.violation === null && (await this.scheduler.step())) {}
  }

  /** What the promise gives, where it takes steps of the scheduler to give it. */
  async #answer<T>(promise: Promise<T>): Promise<T> {
    let open = true;
    const over = (): void => {
      open = false;
    };
    promise.then(over, over);
    await quiet();
    while (open && (await this.scheduler.step())) {}
    return promise;
  }

  #judge(): void {
    this.#raw = this.#medium.open();
    judgeTapes(this, this.#raw);
    if (this.#trace !== null) {
      try {
        replayTrace(this.#trace);
      } catch (error) {
        this.violate('the trace is what step does', error instanceof Error ? error.message : String(error));
      }
    }
  }
}
