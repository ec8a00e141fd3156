/**
 * The guard of a lease: freezes what a daemon started when the lease was not renewed in time, thaws it by a newer lease, and kills it
 * where the daemon does not live either. It needs nothing of the daemon: not its loop, not its memory.
 *
 * Owned by the launcher, or by a daemon without one. Owns: the newest lease, at most one freeze, one timer.
 *
 *             ┌────────────── a newer lease ──────────────┐
 *             ▼                                           │
 *   over ─► kept ── freezeAt ─► frozen ── killAt, and the main loop is silent ─► killed
 *             ▲                   │                                                 │
 *             └── a newer lease ──┘◄──────── what it starts now is found ───────────┘
 *
 * Invariants:
 *  guard/1 Past `freezeAt` nothing of the daemon runs, however late the guard itself was, and whatever the daemon starts then.
 *  guard/2 Only a lease whose `freezeAt` is still to come thaws, and `over`.
 *  guard/3 Past `killAt` everything is killed as soon as the main loop has been silent for `killAt - freezeAt`. What it said before
 *          the guard itself was held up counts by when it was said.
 *  guard/4 Time in which the machine was suspended counts, for the lease and for the silence.
 */
import { SuspensionClock, monotonicMs } from './clock.ts';
import { Freeze } from './freeze.ts';
import type { FreezeListener, Lease } from './lease.ts';

interface LeaseGuardOptions extends FreezeListener {
  readonly daemonId: string;
  readonly daemonPid: number;
  /** Asks the main loop of the daemon for a sign of life. */
  readonly ping: () => void;
  /** Something for the person at the terminal. */
  readonly say: (text: string) => void;
  readonly clock?: SuspensionClock;
}

/** So often it is looked whether the machine was suspended, while a lease is kept. */
const keptLookMs = 250;
/** So often it is looked for whatever was started, while the rest is frozen. */
const frozenLookMs = 100;
/** Should an answer be lost. */
const pingAgainMs = 1_000;
/** A look that found somebody is repeated soon. */
const againMs = 5;

interface Frozen {
  readonly freeze: Freeze;
  readonly since: number;
  killed: boolean;
}

export class LeaseGuard {
  readonly #options: LeaseGuardOptions;
  readonly #clock: SuspensionClock;
  #lease: Lease | null = null;
  #frozen: Frozen | null = null;
  /** When the main loop last gave a sign of life, of the monotonic clock. */
  #alive = -Infinity;
  #pingedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LeaseGuardOptions) {
    this.#options = options;
    this.#clock = options.clock ?? new SuspensionClock();
  }

  lease(lease: Lease): void {
    const { sentAt, freezeAt, killAt } = lease;
    if (![sentAt, freezeAt, killAt].every(Number.isFinite) || sentAt <= (this.#lease?.sentAt ?? -Infinity)) {
      return;
    }
    this.#lease = lease;
    this.alive(sentAt);
    this.#turn();
  }

  over(): void {
    this.#lease = null;
    clearTimeout(this.#timer);
    this.#thaw();
  }

  /** The main loop of the daemon ran at this moment of the monotonic clock. */
  alive(at: number): void {
    this.#alive = Math.max(this.#alive, at);
  }

  /** The daemon has ended. What is frozen stays so: whoever closes the guard ends it. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #turn(): void {
    const lease = this.#lease;
    if (lease === null || this.#closed) {
      return;
    }
    const leftMs = lease.freezeAt - lease.sentAt - this.#clock.since(lease.sentAt);
    if (leftMs > 0) {
      this.#thaw();
      this.#after(Math.min(leftMs, keptLookMs));
      return;
    }
    this.#ping();
    const { frozen, isComplete } = this.#freeze(lease);
    // The daemon may have said something while this process was held up: the loop reads that before the judgement. It does not
    // before the first immediate where it is reading just now.
    setImmediate(() => setImmediate(() => this.#judge(lease, frozen, isComplete)));
  }

  /** One at a time: a daemon that is stopped reads none, and answers one when it wakes. */
  #ping(): void {
    const now = monotonicMs();
    if (this.#alive >= this.#pingedAt || now - this.#pingedAt > pingAgainMs) {
      this.#pingedAt = now;
      this.#options.ping();
    }
  }

  /** Below 0: since then its end is overdue. */
  #killInMs({ sentAt, killAt }: Lease): number {
    return killAt - sentAt - this.#clock.since(sentAt);
  }

  #isSilent({ freezeAt, killAt }: Lease): boolean {
    return this.#clock.since(this.#alive) >= killAt - freezeAt;
  }

  #freeze(lease: Lease): { readonly frozen: Frozen; readonly isComplete: boolean } {
    if (this.#frozen !== null) {
      // A look at all processes is left to the kill, where that is due.
      const isDue = this.#killInMs(lease) <= 0 && this.#isSilent(lease);
      return { frozen: this.#frozen, isComplete: isDue || this.#frozen.freeze.stop() };
    }
    const { daemonId, daemonPid, say, onFrozen } = this.#options;
    const since = monotonicMs();
    const frozen = { freeze: new Freeze(daemonId, daemonPid), since, killed: false };
    this.#frozen = frozen;
    const isComplete = frozen.freeze.stop();
    say(
      `signalbox: the lease was not renewed in time: ${frozen.freeze.count} processes of agents stand still until it is`,
    );
    onFrozen(since);
    return { frozen, isComplete };
  }

  #thaw(): void {
    const frozen = this.#frozen;
    if (frozen === null) {
      return;
    }
    this.#frozen = null;
    frozen.freeze.thaw();
    const ms = monotonicMs() - frozen.since;
    this.#options.say(`signalbox: the lease is kept again: agents continue after ${Math.round(ms)} ms`);
    this.#options.onThawed(ms);
  }

  /** Ends what is frozen, if that is due. */
  #judge(lease: Lease, frozen: Frozen, isComplete: boolean): void {
    if (this.#closed || this.#lease !== lease || this.#frozen !== frozen) {
      return;
    }
    // A main loop that is its own guard's lives.
    this.#ping();
    const lookMs = Math.min(frozenLookMs, (lease.killAt - lease.freezeAt) / 3);
    const killInMs = this.#killInMs(lease);
    if (killInMs > 0 || !this.#isSilent(lease)) {
      const nextMs = killInMs > 0 ? Math.min(lookMs, killInMs) : lookMs;
      this.#after(isComplete ? nextMs : againMs);
      return;
    }
    const killed = frozen.freeze.kill();
    const isFirst = killed > 0 && !frozen.killed;
    if (isFirst) {
      frozen.killed = true;
      this.#options.say(
        `signalbox: the daemon does not answer, and its lease is over: ${killed} of its processes are killed`,
      );
    }
    // Not again and again in no time: somebody may be out of reach, such as on a dead mount.
    this.#after(isFirst ? againMs : lookMs);
  }

  #after(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), ms);
    this.#timer.unref();
  }
}
