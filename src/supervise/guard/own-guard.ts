/**
 * The guard of a daemon without a launcher, as a library makes it: the same rules, as long as this process runs. One that is stopped
 * cannot stop its agents.
 */
import { monotonicMs } from './clock.ts';
import { FreezeListeners, type FreezeListener, type Guard, type Lease } from './lease.ts';
import { LeaseGuard } from './lease-guard.ts';

export class OwnGuard implements Guard {
  readonly #frozen = new FreezeListeners();
  readonly #guard: LeaseGuard;

  /** Of everything that this process starts with the daemon's id in its environment. */
  constructor(daemonId: string, say: (text: string) => void = () => {}) {
    this.#guard = new LeaseGuard({
      daemonId,
      daemonPid: process.pid,
      // It asks itself.
      ping: () => this.#guard.alive(monotonicMs()),
      say,
      onFrozen: (since) => this.#frozen.onFrozen(since),
      onThawed: (ms) => this.#frozen.onThawed(ms),
    });
  }

  lease(lease: Lease): void {
    this.#guard.lease(lease);
  }

  over(): void {
    this.#guard.over();
  }

  listen(listener: FreezeListener): () => void {
    return this.#frozen.listen(listener);
  }

  /** What is frozen stays so: the caller ends its agents, and SIGKILL ends a frozen one. */
  close(): void {
    this.#guard.close();
  }
}
