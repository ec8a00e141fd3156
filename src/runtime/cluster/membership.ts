/**
 * The life of this node among others: it joins, beats, watches the others, and learns that it has been declared dead.
 *
 * Owned by one cluster.
 *  cluster-member/1 The lease counts from the sending of the last renewal that was answered. The guard of the agents learns each one.
 *  cluster-member/2 Another node is declared dead only when this node has looked at its beat again and again for its whole time-to-live, on
 *               its own clock, and has not seen it move; the beat is compared once more. A time in which it could not look counts for nothing:
 *               an outage of the store kills nobody.
 *  cluster-member/3 What a commit brings about happens only under a lease that is known to last: behind a pause the next renewal tells
 *               whether this node is still alive.
 *  cluster-member/4 A node that is declared dead stays dead; the daemon goes on as a new node.
 */
import { AppError } from '../../core/errors.ts';
import type { LeaseTimes } from '../../protocol/lease-times.ts';
import type { NodeFacts, NodeId, NodeLoad, Nodes, StoredNode } from '../../store/nodes.ts';
import type { Context } from '../options.ts';
import type { LeaseGuard } from './options.ts';

export interface MembershipParts {
  readonly context: Context;
  readonly nodes: Nodes;
  readonly times: LeaseTimes;
  readonly facts: Omit<NodeFacts, 'address' | 'ttlMs'>;
  readonly address: () => string | null;
  readonly load: () => NodeLoad;
  readonly guard: LeaseGuard | null;
  /** After a renewal. `late`: the one before was answered so long ago that the store may be another one by now. */
  readonly renewed: (late: boolean) => void;
  readonly died: () => void;
  /** Another node was declared dead. */
  readonly freed: () => void;
}

/** `out`: it has not joined yet. */
type MemberState = 'out' | 'up' | 'draining' | 'dead' | 'left';

interface Seen {
  readonly beat: number;
  readonly since: number;
}

const isLocked = (error: unknown): boolean => error instanceof AppError && error.code === 'store_locked';

/** Looks come with the renewals. Longer without one: what was seen before says nothing. */
const looksMissed = 2;

/** 2 to the 48th: as many as a Postgres bigint and a JavaScript number both hold. */
const idsBelow = 281_474_976_710_656;

export class Membership {
  readonly #parts: MembershipParts;
  readonly #seen = new Map<NodeId, Seen>();
  readonly #held: (() => void)[] = [];
  #id: NodeId = 0;
  #state: MemberState = 'out';
  /** When the last renewal that was answered was sent. */
  #renewedAt = 0;
  #cancel: (() => void) | null = null;
  #renewing = false;
  /** When the last look at the others that was answered was sent. */
  #lookedAt = 0;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  get id(): NodeId {
    return this.#id;
  }

  get state(): MemberState {
    return this.#state;
  }

  /** It may be declared dead at any moment, or is. */
  get isSuspended(): boolean {
    const { context, times } = this.#parts;
    return this.#state === 'dead' || context.clock.now() - this.#renewedAt >= times.freezeMs;
  }

  /** As far as the last look tells, which is no older than a few renewals. */
  get isAlone(): boolean {
    return this.#seen.size === 0;
  }

  /** As a new node. Throws `store_locked` beside a living node that leaves no room for it, after a look at whether it lives; `store_*`. */
  async join(): Promise<void> {
    const { context } = this.#parts;
    const seen = new Map<NodeId, Seen>();
    for (;;) {
      try {
        await this.#enter();
        return;
      } catch (error) {
        if (!isLocked(error) || !(await this.#mayBeDead(seen))) {
          throw error;
        }
        await new Promise<void>((resolve) => {
          context.clock.timer(this.#parts.times.renewMs, resolve);
        });
      }
    }
  }

  async #enter(): Promise<void> {
    const { context, nodes, facts, address, times } = this.#parts;
    const id = Math.floor(context.random() * idsBelow);
    const sent = context.clock.now();
    await nodes.join(id, { ...facts, address: address(), ttlMs: times.ttlMs });
    if (this.#state === 'left') {
      await nodes.leave();
      throw new AppError({ code: 'closing', message: 'the daemon closes before it has joined the others' });
    }
    this.#id = id;
    this.#state = 'up';
    this.#answered(sent);
    this.#arm();
  }

  /** One that has crashed, of this node's name or alone on the store, is in the way until it is declared dead. False: all of them live. */
  async #mayBeDead(seen: Map<NodeId, Seen>): Promise<boolean> {
    const { context, nodes } = this.#parts;
    const sent = context.clock.now();
    let silent = 0;
    for (const { id, beat, ttlMs } of await nodes.list()) {
      const before = seen.get(id) ?? { beat, since: context.clock.now() };
      seen.set(id, before);
      if (before.beat === beat) {
        silent += 1;
        if (sent - before.since >= ttlMs) {
          await nodes.declareDead(id, beat);
        }
      }
    }
    return silent > 0;
  }

  async leave(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    const isIn = this.#isIn();
    this.#state = 'left';
    this.#runHeld();
    this.#parts.guard?.over();
    if (isIn) {
      await this.#parts.nodes.leave();
    }
  }

  /** Calls at once under a lease that lasts, else after the next renewal, or when it is known that there will be none. */
  whenAlive(run: () => void): void {
    // What belongs to a dead node has been fenced: it has no effects.
    if (!this.#isIn() || !this.isSuspended) {
      run();
    } else {
      this.#held.push(run);
      void this.#renew();
    }
  }

  /** A method, since the state changes while something is waited for. */
  #isIn(): boolean {
    return this.#state === 'up' || this.#state === 'draining';
  }

  #arm(): void {
    const { context, times } = this.#parts;
    this.#cancel = context.clock.timer(times.renewMs, () => {
      // A renewal without an answer must not keep the next one from being sent.
      this.#arm();
      void this.#renew();
      void this.#watch();
    });
  }

  async #renew(): Promise<void> {
    if (this.#renewing || !this.#isIn()) {
      return;
    }
    this.#renewing = true;
    const { context, nodes, load, address, times, renewed, died } = this.#parts;
    const { id } = this;
    const sent = context.clock.now();
    try {
      const state = await nodes.renew(load(), address());
      if (!this.#isIn() || this.#id !== id) {
        return;
      }
      if (state === null) {
        this.#state = 'dead';
        this.#cancel?.();
        died();
        this.#runHeld();
        return;
      }
      // Sent long ago: it is alive, and what the launcher may thaw is decided by when it was sent.
      const late = sent - this.#renewedAt >= times.freezeMs;
      this.#state = state;
      this.#answered(sent);
      renewed(late);
      if (!this.isSuspended) {
        this.#runHeld();
      }
    } catch (error) {
      // The next one comes; the deadline stands.
      context.onError(error, 'renewal');
    } finally {
      this.#renewing = false;
    }
  }

  #answered(sent: number): void {
    const { times, guard } = this.#parts;
    this.#renewedAt = sent;
    guard?.lease({ sentAt: sent, freezeAt: sent + times.freezeMs, killAt: sent + times.killMs });
  }

  #runHeld(): void {
    for (const run of this.#held.splice(0)) {
      run();
    }
  }

  async #watch(): Promise<void> {
    const { context, nodes, times, freed } = this.#parts;
    const sent = context.clock.now();
    try {
      const others = (await nodes.list()).filter(({ id }) => id !== this.#id);
      if (sent - this.#lookedAt > looksMissed * times.renewMs) {
        this.#seen.clear();
      }
      this.#lookedAt = sent;
      const silent = this.#look(others, sent);
      for (const { id, beat } of silent) {
        if (await nodes.declareDead(id, beat)) {
          freed();
        }
      }
    } catch (error) {
      context.onError(error, 'watch');
    }
  }

  /** Those that have been silent for too long. */
  #look(others: readonly StoredNode[], sent: number): readonly StoredNode[] {
    const now = this.#parts.context.clock.now();
    const ids = new Set(others.map(({ id }) => id));
    for (const id of this.#seen.keys()) {
      if (!ids.has(id)) {
        this.#seen.delete(id);
      }
    }
    return others.filter(({ id, beat, ttlMs }) => {
      const seen = this.#seen.get(id);
      if (seen === undefined || seen.beat !== beat) {
        this.#seen.set(id, { beat, since: now });
        return false;
      }
      return sent - seen.since >= ttlMs;
    });
  }
}
