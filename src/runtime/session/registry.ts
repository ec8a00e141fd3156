/**
 * Which sessions are live in this process, and how one becomes so.
 *
 * Owned by one runtime. Invariants:
 *  registry/1 At most one actor per resolved session key; two callers that load the same session wait for one load.
 *  registry/2 A session is claimed before it is rebuilt, so that an older owner's writes are refused from then on.
 *  registry/3 A rebuilt session with open tasks gets `recovered` as its first input.
 *  registry/4 An idle actor is removed: it costs no memory.
 *  registry/5 Once sealed it opens no session, also none whose claim is answered only then.
 */
import { AppError, invariant } from '../../core/errors.ts';
import type { SessionKey } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { Reply } from '../../core/model/replies.ts';
import { newSession } from '../../core/queue.ts';
import type { SessionRow } from '../../core/model/records.ts';
import { rebuild } from '../../core/rebuild.ts';
import type { HeldSession, StoredSession } from '../../store/port.ts';
import { SessionActor, type Batch } from './actor.ts';
import { Crashes } from '../throttle/crashes.ts';
import { closing } from '../refusals.ts';
import { Committer } from './committer.ts';
import type { Hub } from '../queries/hub.ts';
import type { Fleet } from '../fleet.ts';
import { type Context, partsPerStep } from '../options.ts';
import { AgentPool } from '../agent/pool.ts';
import { ProcessRows } from '../agent/process-rows.ts';
import { Providers } from '../throttle/providers.ts';
import type { ClusterLink } from '../cluster/options.ts';
import { Shares } from '../shares.ts';
import { Holders } from './holders.ts';
import { Runners } from './runners.ts';
import type { Stats } from '../queries/stats.ts';

/** Another node owns the session, or is to own it. */
export interface Elsewhere {
  readonly elsewhere: true;
}

const elsewhere: Elsewhere = { elsewhere: true };

/** A session that had an agent before sessions remembered theirs had the usual one. */
const withAgent = (row: SessionRow, fleet: Fleet): SessionRow =>
  row.incarnations === 0 || (row.assigned ?? null) !== null ? row : { ...row, assigned: fleet.usual(row.key) };

export class Registry {
  readonly pool: AgentPool;
  readonly processRows: ProcessRows;
  readonly runners: Runners;
  readonly holders = new Holders();
  readonly providers: Providers;
  readonly shares: Shares;
  readonly #context: Context;
  readonly #stats: Stats;
  readonly #cluster: ClusterLink | null;
  readonly #crashes: Crashes;
  readonly #committer: Committer;
  readonly #actors = new Map<SessionKey, SessionActor>();
  readonly #loading = new Map<SessionKey, Promise<SessionActor | Elsewhere>>();
  readonly #watchers = new Set<() => void>();
  /** Sessions to be stopped by a fault as soon as they are open again, with the reason. */
  readonly #faults = new Map<SessionKey, string>();
  #sealed = false;

  constructor(context: Context, stats: Stats, hub: Hub, cluster: ClusterLink | null) {
    this.#context = context;
    this.#stats = stats;
    this.#cluster = cluster;
    this.pool = new AgentPool(context);
    this.processRows = new ProcessRows(context);
    this.runners = new Runners(context);
    this.shares = new Shares(context);
    this.#crashes = new Crashes(context.limits.maxCrashes, context.limits.crashThrottleMs);
    this.providers = new Providers({
      clock: context.clock,
      random: context.random,
      nodes: cluster?.providers ?? null,
      changed: () => this.#actors.forEach((actor) => actor.throttle.tell()),
    });
    this.#committer = new Committer({
      context,
      stats,
      hub,
      shares: this.shares,
      cluster,
      settled: (actor) => this.#settled(actor),
      rejected: (batch, error) => this.#rejected(batch, error),
    });
  }

  get sealed(): boolean {
    return this.#sealed;
  }

  /** A commit is under way. */
  get writing(): boolean {
    return this.#committer.writing;
  }

  live(key: SessionKey): SessionActor | null {
    return this.#actors.get(key) ?? null;
  }

  /** It is live here, or is being opened. */
  isOpen(key: SessionKey): boolean {
    return this.#actors.get(key)?.detached === false || this.#loading.has(key);
  }

  /** A fenced session whose agent is gone by now. */
  left(actor: SessionActor): void {
    this.#settled(actor);
  }

  actors(): readonly SessionActor[] {
    return [...this.#actors.values()];
  }

  /** Synchronous if it is live or the store answers synchronously. A detached one is awaited, then opened again. */
  actor(key: SessionKey): SessionActor | Elsewhere | Promise<SessionActor | Elsewhere> {
    const live = this.#actors.get(key);
    if (live !== undefined && (!live.detached || this.#sealed)) {
      return live;
    }
    const loading = this.#loading.get(key);
    if (loading !== undefined) {
      return loading;
    }
    if (this.#sealed) {
      throw closing();
    }
    if (this.#cluster?.claimsNothing === true) {
      return elsewhere;
    }
    const stored = live?.host.running === true ? this.#afterwards(live) : this.#context.store.claim(key);
    if (!(stored instanceof Promise)) {
      return this.#open(key, stored);
    }
    const opening = stored
      .then(
        (claimed) => this.#open(key, claimed),
        (error: unknown) => {
          this.#cluster?.unsure(key);
          throw error;
        },
      )
      .finally(() => this.#loading.delete(key));
    this.#loading.set(key, opening);
    return opening;
  }

  /** For a caller who asked this node: a free session may be for another one. Else as `actor`. */
  placed(key: SessionKey): SessionActor | Elsewhere | Promise<SessionActor | Elsewhere> {
    const isElsewhere = !this.#sealed && !this.isOpen(key) && this.#cluster?.belongsElsewhere(key) === true;
    return isElsewhere ? elsewhere : this.actor(key);
  }

  /** The agent of a detached actor is gone before its session is opened again: two agents never share a conversation. */
  async #afterwards(detached: SessionActor): Promise<StoredSession | HeldSession> {
    await detached.host.gone();
    this.#settled(detached);
    if (this.#sealed) {
      throw closing();
    }
    return this.#context.store.claim(detached.key);
  }

  #open(key: SessionKey, stored: StoredSession | HeldSession): SessionActor | Elsewhere {
    // Claimed by a node that has been declared dead since.
    if ('held' in stored || this.#cluster?.isDead === true) {
      return elsewhere;
    }
    if (this.#sealed) {
      throw closing();
    }
    const { limits, clock } = this.#context;
    const { maxPassedOver, maxOpen } = limits;
    const core = { maxPassedOver, maxOpen, partsPerStep, freshWhenFull: this.#context.freshWhenFull };
    const { row, open, seq, lease } = stored;
    // A session without tasks may have its own events: a throttle, a hang report.
    const session =
      row === null
        ? { ...newSession(key, core), seq }
        : rebuild({ row: withAgent(row, this.#context.fleet), seq, open }, core);
    const actor = new SessionActor(
      {
        context: this.#context,
        pool: this.pool,
        processRows: this.processRows,
        runners: this.runners,
        holders: this.holders,
        stats: this.#stats,
        providers: this.providers,
        crashes: this.#crashes.of(key),
        cluster: this.#cluster,
        ready: (ready, urgent) => this.#committer.ready(ready, urgent),
      },
      session,
      lease,
    );
    if (this.#cluster?.isFrozen === true) {
      actor.deadlines.freeze();
    }
    this.#actors.set(key, actor);
    this.shares.opened(
      key,
      open.map(({ row: task }) => task),
    );
    const fault = this.#faults.get(key);
    if (fault !== undefined) {
      this.#faults.delete(key);
      actor.post({ type: 'fault', at: clock.wall(), reason: fault });
    }
    if (open.length > 0 || (row !== null && row.hold !== null)) {
      actor.post({ type: 'recovered', at: clock.wall() });
    }
    const successor = this.#context.fleet.successorOf(session);
    if (successor !== null) {
      actor.post({
        type: 'assign-agent',
        at: clock.wall(),
        ...successor,
        by: { kind: 'daemon', name: 'configuration' },
      });
    }
    if (row?.parked?.kind === 'closing') {
      actor.post({ type: 'unpark', at: clock.wall(), by: { kind: 'daemon', name: 'start' } });
    }
    // After `recovered`, which is the first that a rebuilt session learns; before whatever it was opened for.
    actor.throttle.open();
    return actor;
  }

  async ask(key: SessionKey, input: Input): Promise<Reply> {
    if (this.#sealed && !this.#actors.has(key)) {
      return { kind: 'stale', what: 'fenced' };
    }
    const found = this.placed(key);
    const actor = found instanceof Promise ? await found : found;
    const cluster = this.#cluster;
    if (!('elsewhere' in actor)) {
      return cluster === null ? actor.ask(input) : this.#askOwn(cluster, actor, input);
    }
    invariant(cluster !== null, 'only another node owns a session that is not ours');
    return cluster.command(key, input);
  }

  /** A command of a session that has moved while it waited was not applied: its new owner is asked. */
  async #askOwn(cluster: ClusterLink, actor: SessionActor, input: Input): Promise<Reply> {
    try {
      return await actor.ask(input);
    } catch (error) {
      if (error instanceof AppError && error.code === 'session_moved' && !this.#sealed) {
        return cluster.command(actor.key, input);
      }
      throw error;
    }
  }

  /** An operator's command: failed turns of the provider are retried at once, too. False: it was not throttled. */
  resumeProvider(name: string): boolean {
    if (!this.providers.resume(name)) {
      return false;
    }
    for (const actor of this.#actors.values()) {
      actor.throttle.lift('retry');
    }
    return true;
  }

  /** The session in memory disagrees with the store: it is dropped, rebuilt from the store, and stopped by a fault. */
  #rejected(batch: Batch, error: unknown): void {
    const { actor } = batch;
    const reason = error instanceof Error ? error.message : String(error);
    this.#faults.set(actor.key, reason);
    this.#stats.count('faults');
    actor.fence(batch, error instanceof AppError ? error : new AppError({ code: 'store_failed', message: reason }));
    const reopen = async (): Promise<void> => {
      await this.actor(actor.key);
    };
    if (!this.#sealed) {
      reopen().catch((failed: unknown) => this.#context.onError(failed, 'reopen'));
    }
  }

  #settled(actor: SessionActor): void {
    if ((actor.atRest || (actor.detached && !actor.host.running)) && this.#actors.get(actor.key) === actor) {
      actor.stop();
      this.#actors.delete(actor.key);
      this.shares.forget(actor.key);
      this.pool.forget(actor.key);
      if (!actor.detached) {
        this.#cluster?.rests(actor.key, actor.lease);
      }
    }
    for (const watcher of this.#watchers) {
      watcher();
    }
  }

  /** From now on no session is opened: a session that is opened during a close would outlive it. */
  seal(): void {
    this.#sealed = true;
    this.pool.close();
  }

  /** Ends the timers that belong to no session. */
  close(): void {
    this.#committer.close();
    this.providers.close();
  }

  /** Resolves when none of these actors is busy. Few are looked at after a settled batch, however many there are. */
  async untilNone(actors: readonly SessionActor[], isBusy: (actor: SessionActor) => boolean): Promise<void> {
    let at = 0;
    await this.until(() => {
      const from = at;
      for (let seen = 0; seen < actors.length; seen += 1) {
        const actor = actors[(from + seen) % actors.length];
        if (actor !== undefined && isBusy(actor)) {
          // The next look begins with it: as long as it is busy, nobody else matters.
          at = (from + seen) % actors.length;
          return false;
        }
      }
      return true;
    });
  }

  /** Resolves as soon as `test` holds, looked at after every settled batch. */
  until(test: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (test()) {
          this.#watchers.delete(look);
          resolve();
        }
      };
      this.#watchers.add(look);
      look();
    });
  }
}
