/**
 * Virtual time, and the order of everything that happens in it.
 *
 * Owns all callbacks of a run: the runtime's timers and `soon`s, the wires to and from agents, the callers, the faults.
 *  sim-scheduler/1 Nothing runs but what `step` takes: the due job with the smallest time; among those of one instant the
 *                  seed decides.
 *  sim-scheduler/2 After each job all promise reactions run before the next one is taken. Only jobs start them, so their
 *                  order is fixed.
 *  sim-scheduler/3 A dead owner's jobs never run.
 *  sim-scheduler/4 Time moves only when nothing is due.
 */
import { Random } from './random.ts';

/** On whose behalf a job runs; when it dies, its jobs are dropped. */
export class Owner {
  readonly name: string;
  alive = true;
  /** Jobs scheduled and not yet run or cancelled. */
  jobs = 0;

  constructor(name: string) {
    this.name = name;
  }
}

interface Job {
  readonly at: number;
  readonly tie: number;
  readonly owner: Owner;
  readonly label: string;
  readonly run: () => void;
  done: boolean;
}

const before = (a: Job, b: Job): boolean => a.at < b.at || (a.at === b.at && a.tie < b.tie);

/** Runs when no promise reaction is left: microtasks all run before the next macrotask. */
export const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Scheduler {
  now = 0;
  steps = 0;
  /** The job that runs, for the log. */
  label = '';
  readonly #heap: Job[] = [];
  readonly #ties: Random;

  constructor(seed: number) {
    this.#ties = new Random(seed, 1);
  }

  /** `delay` in virtual milliseconds. The returned function cancels the job. */
  after(owner: Owner, delay: number, label: string, run: () => void): () => void {
    const job: Job = { at: this.now + Math.max(0, delay), tie: this.#ties.next(), owner, label, run, done: false };
    owner.jobs += 1;
    this.#push(job);
    return () => this.#end(job);
  }

  /** Runs one job and what it sets off; false if there is none. */
  async step(): Promise<boolean> {
    for (let job = this.#pop(); job !== undefined; job = this.#pop()) {
      if (job.done || !job.owner.alive) {
        continue;
      }
      this.#end(job);
      this.now = Math.max(this.now, job.at);
      this.steps += 1;
      this.label = job.label;
      job.run();
      await quiet();
      return true;
    }
    return false;
  }

  /** What the owner's jobs are, and when they are due. */
  pending(owner: Owner): readonly string[] {
    return this.#heap
      .filter((job) => job.owner === owner && !job.done)
      .map((job) => `${job.label} at ${job.at.toFixed(1)}`);
  }

  #end(job: Job): void {
    if (!job.done) {
      job.done = true;
      job.owner.jobs -= 1;
    }
  }

  #push(job: Job): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(job);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !before(job, parent)) {
        break;
      }
      heap[at] = parent;
      at = up;
    }
    heap[at] = job;
  }

  #pop(): Job | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) {
      return top;
    }
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      const [left, right] = [heap[down], heap[down + 1]];
      if (left === undefined) {
        break;
      }
      if (right !== undefined && before(right, left)) {
        down += 1;
      }
      const child = heap[down];
      if (child === undefined || !before(child, last)) {
        break;
      }
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
    return top;
  }
}
