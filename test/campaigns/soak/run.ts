/**
 * The soak: hours of everything at once. Callers use every verb, agents misbehave in every known way, the provider fails, few slots and one folder
 * are fought for. In the first half the daemon lives, and its memory is measured; in the second it is killed, closed and stopped.
 * Afterwards every accepted task must have ended once, by an end of the closed list.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { seeded } from '../../support/random.ts';
import type { DaemonCensus } from '../harness/census.ts';
import { judgeEnd } from '../harness/judge-end.ts';
import { readTape, wrongOrder } from '../harness/judge-tape.ts';
import { Load } from './load.ts';
import { World } from './world.ts';

interface SoakPlan {
  readonly minutes: number;
  readonly sessions: number;
  readonly callers: number;
  readonly maxAgents: number;
  readonly seed: number;
  readonly tell: (progress: SoakProgress) => void;
}

interface SoakProgress {
  readonly seconds: number;
  readonly sent: number;
  readonly disturbed: number;
  readonly heapBytes: number;
}

interface SoakReport {
  readonly accepted: number;
  readonly byEnd: { readonly [end: string]: number };
  readonly byVerb: { readonly [verb: string]: number };
  readonly disturbances: { readonly [what: string]: number };
  /** Of the daemon that lived for the first half: after a warm-up, and at its end. */
  readonly before: DaemonCensus;
  readonly after: DaemonCensus;
  readonly wrong: readonly string[];
}

/** What the heap may grow by between the warm-up and the end of the first half: caches that are bounded and have been filled. */
const heapSlackBytes = 32 * 1024 * 1024;
/** A task that nothing lets run ends by its own time; the last of them begins with the end of the load. */
const endsWithinMs = 120_000;

export async function soakRun(plan: SoakPlan): Promise<SoakReport> {
  await using world = await World.begin(plan.maxAgents);
  const soak = new Soak(world, plan);
  // Awaited here: the world ends with this scope.
  return await soak.play();
}

class Soak {
  readonly #world: World;
  readonly #plan: SoakPlan;
  readonly #random: () => number;
  readonly #load: Load;
  readonly #began = performance.now();
  readonly #disturbances: { [what: string]: number } = {};
  #heapBytes = 0;

  constructor(world: World, plan: SoakPlan) {
    this.#world = world;
    this.#plan = plan;
    this.#random = seeded(plan.seed);
    this.#load = new Load(() => world.client, this.#random, plan.sessions);
  }

  async play(): Promise<SoakReport> {
    const wholeMs = this.#plan.minutes * 60_000;
    const callers = Array.from({ length: this.#plan.callers }, () => this.#load.call());
    const before = await this.#lives(wholeMs / 6);
    const after = await this.#lives(wholeMs / 2);
    await this.#isDisturbed(wholeMs);
    this.#load.over = true;
    await Promise.all(callers);
    await this.#load.askAgain();
    const wrong = [...this.#load.wrong, ...(await this.#everythingEnds())];
    if (after.heapBytes > before.heapBytes + heapSlackBytes) {
      wrong.push(`the heap grew from ${before.heapBytes} to ${after.heapBytes} bytes`);
    }
    const { byEnd, wrong: ends } = await this.#judge();
    wrong.push(...ends, ...this.#world.overlaps());
    const accepted = this.#load.sent.filter(({ task }) => task !== null).length;
    return { accepted, byEnd, byVerb: this.#load.done, disturbances: this.#disturbances, before, after, wrong };
  }

  get #elapsedMs(): number {
    return performance.now() - this.#began;
  }

  /** Until so much time of the soak has passed; then what the daemon holds. */
  async #lives(untilMs: number): Promise<DaemonCensus> {
    for (;;) {
      const left = untilMs - this.#elapsedMs;
      await pause(Math.max(0, Math.min(left, 5_000)));
      const census = await this.#world.census();
      this.#heapBytes = census.heapBytes;
      this.#tell();
      if (left <= 0) {
        return census;
      }
    }
  }

  async #isDisturbed(untilMs: number): Promise<void> {
    while (this.#elapsedMs < untilMs) {
      await pause(Math.min(3_000 + this.#random() * 12_000, Math.max(0, untilMs - this.#elapsedMs)));
      await this.#disturb();
      this.#tell();
    }
  }

  async #disturb(): Promise<void> {
    const world = this.#world;
    const how = this.#random();
    const what = how < 0.4 ? 'killed' : how < 0.75 ? 'closed' : 'stopped for a while';
    this.#disturbances[what] = (this.#disturbances[what] ?? 0) + 1;
    if (what === 'stopped for a while') {
      world.kill('SIGSTOP');
      await pause(2_000 + this.#random() * 6_000);
      world.kill('SIGCONT');
      return;
    }
    world.kill(what === 'killed' ? 'SIGKILL' : 'SIGTERM');
    await world.gone();
    await pause(this.#random() * 1_000);
    await world.start();
  }

  #tell(): void {
    const disturbed = Object.values(this.#disturbances).reduce((sum, times) => sum + times, 0);
    this.#plan.tell({
      seconds: this.#elapsedMs / 1_000,
      sent: this.#load.sent.length,
      disturbed,
      heapBytes: this.#heapBytes,
    });
  }

  /** Nothing is parked or throttled by this run any more: all that is open ends, at the latest by its own time. */
  async #everythingEnds(): Promise<string[]> {
    const { client } = this.#world;
    const since = performance.now();
    for (;;) {
      for (const { key } of (await client.sessions({ limit: 200 })).items) {
        await client.unpark(key).catch(() => {});
      }
      const open = [
        ...(await client.tasks({ status: ['queued'], limit: 200 })).items,
        ...(await client.tasks({ status: ['running'], limit: 200 })).items,
      ];
      if (open.length === 0) {
        return [];
      }
      if (performance.now() - since > endsWithinMs) {
        const told = await Promise.all(open.slice(0, 5).map(async ({ id }) => (await client.explain(id)).summary));
        return [`${open.length} tasks do not end: ${open.map(({ id }) => id).join(', ')}; ${told.join(' ')}`];
      }
      await pause(500);
    }
  }

  async #judge(): Promise<{ byEnd: { [end: string]: number }; wrong: string[] }> {
    const { client } = this.#world;
    const byEnd: { [end: string]: number } = {};
    const wrong: string[] = [];
    const keys = new Map<string, string>();
    for (const { key, task, request } of this.#load.sent) {
      if (task === null) {
        continue;
      }
      if (keys.has(task)) {
        wrong.push(`task ${task} answers for ${keys.get(task)} and ${key}`);
      }
      keys.set(task, key);
      const tape = await readTape(client, task);
      wrong.push(...wrongOrder(task, tape));
      const end = judgeEnd(tape, request);
      if ('wrong' in end) {
        wrong.push(`task ${task} (${request.prompt}) ends ${end.wrong}`);
      } else {
        byEnd[end.just] = (byEnd[end.just] ?? 0) + 1;
      }
    }
    return { byEnd, wrong };
  }
}
