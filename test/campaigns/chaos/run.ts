/**
 * The chaos run: many sessions whose agents misbehave, beside healthy ones whose delays are measured. What must hold after it
 * is judged from the tapes, from the process table and from the daemon's own census.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ReadEvent } from '../../../src/protocol/index.ts';
import { seeded } from '../../support/random.ts';
import { judgeTape } from '../harness/judge-tape.ts';
import { type Misdeed, misdeeds, sessionFor } from './misdeeds.ts';
import { type Census, startWorld, type World } from './world.ts';

interface ChaosPlan {
  readonly sessions: number;
  readonly healthy: number;
  readonly seconds: number;
  readonly seed: number;
  readonly tell: (progress: ChaosProgress) => void;
}

interface ChaosProgress {
  readonly seconds: number;
  readonly misdeeds: number;
  readonly ended: number;
  readonly healthyTurns: number;
  readonly processes: number;
}

/** Milliseconds from the request to the agent's own word that it has begun. */
export interface Delays {
  readonly turns: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export type { Census } from './world.ts';

interface ChaosReport {
  readonly before: Census;
  readonly after: Census;
  readonly alone: Delays;
  readonly beside: Delays;
  readonly tasks: number;
  readonly byMisdeed: { readonly [name: string]: number };
  readonly wrong: readonly string[];
}

/** A healthy session's turn may begin so much later beside the chaos: the machine has few cores and starts processes all along. */
export const boundMs = { p99: 500, max: 1_500 };
/** What a heap may differ by after a collection: caches that are bounded and have been filled. */
const heapSlackBytes = 24 * 1024 * 1024;

/** None of these may be more after the run than before it. */
const counted = ['descriptors', 'threads', 'timers'] as const;

const healthyProbes = 40;
/** The agents of ended sessions are closed when they have rested. */
const settleMs = 60_000;

export async function chaosRun(plan: ChaosPlan): Promise<ChaosReport> {
  await using world = await startWorld(plan.sessions + plan.healthy, `chaos-${process.pid}-${plan.seed}`);
  const run = new Run(world, plan);
  // Awaited here: the world ends with this scope.
  return await run.play();
}

class Run {
  readonly #world: World;
  readonly #plan: ChaosPlan;
  readonly #random: () => number;
  readonly #tasks: string[] = [];
  readonly #ended = new Set<string>();
  readonly #byMisdeed: { [name: string]: number } = {};
  readonly #wrong: string[] = [];
  #over = false;

  constructor(world: World, plan: ChaosPlan) {
    this.#world = world;
    this.#plan = plan;
    this.#random = seeded(plan.seed);
  }

  async play(): Promise<ChaosReport> {
    const { healthy, sessions } = this.#plan;
    const numbers = Array.from({ length: healthy }, (_, number) => number);
    const alone: number[] = [];
    for (let round = 0; round * healthy < healthyProbes; round += 1) {
      for (const number of numbers) {
        alone.push(await this.#probe(number));
      }
    }
    await this.#rest();
    const before = await this.#world.census();
    const beside: number[] = [];
    const stop = this.#clock(beside);
    await Promise.all([
      ...numbers.map((number) => this.#healthy(number, beside)),
      ...Array.from({ length: sessions }, (_, number) => this.#chaotic(number)),
    ]);
    stop();
    await this.#rest();
    const after = await this.#settled(before);
    await this.#judge(before, after, delaysOf(beside));
    return {
      before,
      after,
      alone: delaysOf(alone.slice(healthy)),
      beside: delaysOf(beside),
      tasks: this.#tasks.length,
      byMisdeed: this.#byMisdeed,
      wrong: this.#wrong,
    };
  }

  /** Ends the load when its time is over, and tells how far it is. */
  #clock(beside: readonly number[]): () => void {
    const began = performance.now();
    const timer = setInterval(() => {
      const seconds = (performance.now() - began) / 1000;
      this.#over ||= seconds >= this.#plan.seconds;
      if (Math.round(seconds) % 5 !== 0) {
        return;
      }
      this.#plan.tell({
        seconds,
        misdeeds: Object.values(this.#byMisdeed).reduce((sum, times) => sum + times, 0),
        ended: this.#ended.size,
        healthyTurns: beside.length,
        processes: this.#world.processes().length,
      });
    }, 1_000);
    return () => clearInterval(timer);
  }

  async #submit(session: string, lane: 'interactive' | 'background', prompt: string): Promise<string> {
    const { task } = await this.#world.client.submit({ session, lane, prompt, maxAttempts: 1, expiresIn: 20_000 });
    this.#tasks.push(task);
    return task;
  }

  async #toFinal(task: string, seen: (event: ReadEvent) => void = () => {}): Promise<void> {
    for await (const event of this.#world.client.follow(task)) {
      seen(event);
    }
    this.#ended.add(task);
  }

  /** Looked for now and then: to follow all that 200 agents say would keep this process busy, which also measures delays. */
  async #ends(task: string): Promise<void> {
    while ((await this.#world.client.task(task)).endedAt === null) {
      await pause(1_000);
    }
    this.#ended.add(task);
  }

  async #probe(number: number): Promise<number> {
    const began = performance.now();
    let delay = Number.NaN;
    const task = await this.#submit(`healthy:${number}`, 'interactive', '[[text:all well]]');
    await this.#toFinal(task, (event) => {
      if (event.type === 'turn-started') {
        delay = performance.now() - began;
      }
      if (event.type === 'final' && !JSON.stringify(event.data).includes('all well')) {
        this.#wrong.push(`healthy:${number} answered ${JSON.stringify(event.data)}`);
      }
    });
    return delay;
  }

  /** A background turn that streams, preempted by the probe; as the product is used. */
  async #healthy(number: number, delays: number[]): Promise<void> {
    // Its agent is started by this one: what is measured is a session at work.
    await this.#probe(number);
    while (!this.#over) {
      const background = await this.#submit(`healthy:${number}`, 'background', '[[stream:20,10]]');
      delays.push(await this.#probe(number));
      await this.#toFinal(background);
      await pause(300 + this.#random() * 400);
    }
  }

  async #chaotic(number: number): Promise<void> {
    // Not all at once: a machine of two cores starts some ten agents a second.
    await pause(this.#random() * Math.min(20_000, this.#plan.seconds * 300));
    for (let turn = number; !this.#over; turn += 7) {
      const misdeed = misdeeds[turn % misdeeds.length] as Misdeed;
      await this.#misbehave(misdeed, number);
      if (!this.#over) {
        await pause((2 + this.#random() * 8) * 1_000);
      }
    }
  }

  async #misbehave(misdeed: Misdeed, number: number): Promise<void> {
    const session = sessionFor(misdeed, number);
    this.#byMisdeed[misdeed.name] = (this.#byMisdeed[misdeed.name] ?? 0) + 1;
    const bad = await this.#submit(session, 'background', misdeed.prompt ?? 'hello?');
    const how = this.#random();
    const ends = [this.#ends(bad)];
    if (how < 0.5) {
      // Somebody urgent comes while it misbehaves.
      ends.push(this.#ends(await this.#submit(session, 'interactive', '[[text:urgent]]')));
    }
    // What streams for ever has no end of its own.
    await pause(500 + this.#random() * 1_500);
    await this.#world.client.cancel(bad);
    await Promise.all(ends);
  }

  /** No agent is left: those at rest are closed after their idle time. */
  async #rest(): Promise<void> {
    const deadline = performance.now() + settleMs;
    while (this.#world.processes().length > 0 && performance.now() < deadline) {
      await pause(100);
    }
  }

  /** Connections of the run's own client are kept for some seconds; a store that was just written to is tidied a second later. */
  async #settled(before: Census): Promise<Census> {
    const deadline = performance.now() + settleMs;
    for (;;) {
      const now = await this.#world.census();
      if (counted.every((what) => now[what] <= before[what]) || performance.now() > deadline) {
        return now;
      }
      await pause(500);
    }
  }

  async #judge(before: Census, after: Census, beside: Delays): Promise<void> {
    for (const task of this.#tasks) {
      this.#wrong.push(...(await judgeTape(this.#world.client, task)));
    }
    for (const pid of this.#world.processes()) {
      this.#wrong.push(`process ${pid} is left`);
    }
    for (const what of counted) {
      if (after[what] > before[what]) {
        this.#wrong.push(`${what}: ${before[what]} before, ${after[what]} after`);
      }
    }
    if (after.heapBytes > before.heapBytes + heapSlackBytes) {
      this.#wrong.push(`the heap grew from ${before.heapBytes} to ${after.heapBytes} bytes`);
    }
    if (beside.p99 > boundMs.p99 || beside.max > boundMs.max) {
      this.#wrong.push(`healthy turns began late: p99 ${beside.p99} ms, longest ${beside.max} ms`);
    }
  }
}

function delaysOf(delays: readonly number[]): Delays {
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  return { turns: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
