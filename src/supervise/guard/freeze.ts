/**
 * Stops everything that a daemon started with SIGSTOP, wherever it went, and lets it continue.
 *
 * Owns: which processes it stopped. Made anew for each freeze. Invariants:
 *  freeze/1 Groups are stopped as a whole, by one system call each, and before all processes are read: nobody forks out of one, and
 *           the time until agents stand still does not grow with what else runs on the machine.
 *  freeze/2 It looks again until it finds nobody new: who forked before he was stopped, or left his group.
 *  freeze/3 Whom somebody else had stopped before is not continued.
 */
import { system } from '../platform/index.ts';
import { isAlive } from '../platform/processes.ts';
import type { ProcessInfo } from '../platform/types.ts';
import { belonging, killTreeNow, newlyBare, signalFound, signalOne, type Selector } from '../process/kill-tree.ts';

/** Who forks faster than it is looked is stopped by a later round. */
const looksMax = 20;

const keyOf = ({ pid, startTime }: ProcessInfo): string => `${pid} ${startTime}`;

export class Freeze {
  readonly #daemonId: string;
  readonly #daemonPid: number;
  readonly #selector: Selector;
  readonly #stopped = new Map<string, ProcessInfo>();
  /** Stopped by somebody else before. */
  readonly #before = new Set<string>();
  /** Groups that were signalled: who is found stopped in one of them was stopped by that. */
  readonly #groups = new Set<number>();
  readonly #bare = new Set<string>();

  constructor(daemonId: string, daemonPid: number) {
    this.#daemonId = daemonId;
    this.#daemonPid = daemonPid;
    this.#selector = { daemonId, exclude: [daemonPid] };
  }

  /** Of processes that were stopped. */
  get count(): number {
    return this.#stopped.size;
  }

  /** Stops all that run. True: the last look found nobody new. To be called again and again while they must stand still. */
  stop(): boolean {
    this.#stopAgents();
    for (let looks = 0; looks < looksMax; looks += 1) {
      const { isNew, isUnsure } = this.#look();
      if (!isNew && !isUnsure) {
        return true;
      }
    }
    return false;
  }

  /** Answers how many of those that it stopped still live. */
  thaw(): number {
    // Children first: a parent that is told of stopped children must not see any.
    const youngestFirst = [...this.#stopped.values()].toSorted(
      (a, b) => Number(b.startTime) - Number(a.startTime) || b.pid - a.pid,
    );
    this.#stopped.clear();
    return youngestFirst.filter((one) => isAlive(one) && signalOne(one, 'SIGCONT')).length;
  }

  /** SIGKILL to everybody, stopped or not. Answers how many lived. To be called again until nobody does. */
  kill(): number {
    // Those that are known first: their end does not wait for a look at all processes.
    const known = [...this.#stopped.values()].filter((one) => isAlive(one) && signalOne(one, 'SIGKILL'));
    const found = killTreeNow(this.#selector);
    return new Set([...known.map(({ pid }) => pid), ...found]).size;
  }

  /** By the parent links below the daemon alone, which costs only as much as it has processes. */
  #stopAgents(): void {
    const found = system.descendants(this.#daemonPid).filter(({ zombie }) => !zombie);
    for (const one of found.filter(({ stopped }) => stopped)) {
      this.#noteStopped(one);
    }
    const agents = found.filter(
      ({ pid, group, stopped }) => pid === group && !stopped && system.marks(pid)?.daemonId === this.#daemonId,
    );
    for (const { pid } of agents) {
      if (system.signalGroup(pid, 'SIGSTOP')) {
        this.#groups.add(pid);
      }
    }
  }

  #look(): { readonly isNew: boolean; readonly isUnsure: boolean } {
    const entries = system.entriesNow();
    const alive = belonging(this.#selector, entries);
    const running = alive.filter(({ stopped }) => !stopped);
    let isNew = false;
    for (const one of alive) {
      isNew = (one.stopped ? this.#noteStopped(one) : this.#noteRunning(one)) || isNew;
    }
    if (running.length > 0) {
      signalFound(alive, entries, 'SIGSTOP');
    }
    for (const { group } of running) {
      this.#groups.add(group);
    }
    return { isNew, isUnsure: newlyBare(entries, this.#bare) };
  }

  /** Answers whether it is one of ours that was not known. */
  #noteStopped(one: ProcessInfo): boolean {
    const key = keyOf(one);
    if (this.#stopped.has(key) || this.#before.has(key)) {
      return false;
    }
    if (!this.#groups.has(one.group)) {
      this.#before.add(key);
      return false;
    }
    this.#stopped.set(key, one);
    return true;
  }

  #noteRunning(one: ProcessInfo): boolean {
    const key = keyOf(one);
    this.#before.delete(key);
    const isNew = !this.#stopped.has(key);
    this.#stopped.set(key, one);
    return isNew;
  }
}
