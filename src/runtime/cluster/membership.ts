/**
 * The life of this node among others: it joins, beats, watches the others, and learns that it has been declared dead.
 *
 * Owned by one cluster.
 *  cluster-member/1 The lease counts from the sending of the last renewal that was answered. The guard of the agents learns each one.
 *  cluster-member/2 Another node is declared dead only when this node has looked at its beat again and again for its whole time-to-live and
 *               has not seen it move (`silence.ts`); the beat is compared once more.
 *  cluster-member/3 What a commit brings about happens only under a lease that is known to last: behind a pause the next renewal tells
 *               whether this node is still alive.
 *  cluster-member/4 A node that is declared dead stays dead; the daemon goes on as a new node.
 *  cluster-member/5 In another era of the store a lease is given when the sessions have been compared with what is there. One that has lapsed
 *               is given again when the era is settled: until then an agent may work whose claim is lost.
 */
import { AppError } from '../../core/errors.ts';
import type { LeaseTimes } from '../../protocol/lease-times.ts';
import type { Era, EraState, NodeFacts, NodeId, NodeLoad, Nodes, Renewal, StoredNode } from '../../store/nodes.ts';
import type { Context } from '../options.ts';
import type { LeaseGuard } from './options.ts';
import { Silence } from './silence.ts';

export interface MembershipParts {
  readonly context: Context;
  readonly nodes: Nodes;
  readonly times: LeaseTimes;
  readonly facts: Omit<NodeFacts, 'address' | 'ttlMs'>;
  readonly address: () => string | null;
  readonly load: () => NodeLoad;
  readonly guard: LeaseGuard | null;
  readonly note?: (text: string) => void;
  /** Ends what is not this node's any more, as the store tells. Before the lease of a renewal that found another era, or came late. */
  readonly verify: (isOtherEra: boolean) => Promise<void>;
  /** After each renewal that gave a lease. */
  readonly renewed: () => void;
  /** The store is in an era that it was not in before, or that is settled since: sessions may be claimed. */
  readonly settled: (isSettled: boolean) => void;
  readonly died: () => void;
  /** After a look at the nodes. */
  readonly seen: (nodes: readonly StoredNode[]) => void;
  /** Another node was declared dead. */
  readonly freed: () => void;
}

/** `out`: it has not joined yet. */
type MemberState = 'out' | 'up' | 'draining' | 'dead' | 'left';

const isLocked = (error: unknown): error is AppError => error instanceof AppError && error.code === 'store_locked';

/** 2 to the 48th: as many as a Postgres bigint and a JavaScript number both hold. */
const idsBelow = 281_474_976_710_656;

export class Membership {
  readonly #parts: MembershipParts;
  readonly #others: Silence;
  readonly #held: (() => void)[] = [];
  #id: NodeId = 0;
  #state: MemberState = 'out';
  /** When the last renewal that gave a lease was sent. */
  #renewedAt = 0;
  /** In which that was. */
  #leaseEra: Era = '';
  /** The era of the last answer, and since when it is known. */
  #met: EraState & { readonly at: number } = { era: '', settled: false, at: 0 };
  #cancel: (() => void) | null = null;
  #renewing = false;
  #cancelLook: (() => void) | null = null;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#others = new Silence(parts.times.renewMs);
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

  /** Sessions may be claimed. */
  get isSettled(): boolean {
    return this.#met.settled;
  }

  /** As far as the last look tells, which is no older than a few renewals. */
  get isAlone(): boolean {
    return this.#others.isAlone;
  }

  /** As a new node. Throws `store_locked` beside a living node that leaves no room for it, after a look at whether it lives; `store_*`. */
  async join(): Promise<void> {
    const { context, times, note } = this.#parts;
    const silence = new Silence(times.renewMs);
    let isTold = false;
    for (;;) {
      try {
        await this.#enter();
        return;
      } catch (error) {
        if (!isLocked(error)) {
          throw error;
        }
        // One that has crashed, of this node's name or alone on the store, is in the way until it is declared dead.
        await this.#bury(silence);
        if (silence.allLive) {
          throw error;
        }
        if (!isTold) {
          isTold = true;
          note?.(`it joins when that daemon was silent for its whole time-to-live: ${error.message}`);
        }
        await new Promise<void>((resolve) => {
          context.clock.timer(times.renewMs, resolve);
        });
      }
    }
  }

  async #enter(): Promise<void> {
    const { context, nodes, facts, address, times } = this.#parts;
    const id = Math.floor(context.random() * idsBelow);
    const sent = context.clock.now();
    const met = await nodes.join(id, { ...facts, address: address(), ttlMs: times.ttlMs });
    if (this.#state === 'left') {
      await nodes.leave();
      throw new AppError({ code: 'closing', message: 'the daemon closes before it has joined the others' });
    }
    this.#id = id;
    this.#state = 'up';
    this.#meet(met);
    this.#answered(sent);
    this.#arm();
    this.#armLook();
  }

  /** Looks at the others, and declares dead who has been silent for too long. True: somebody was. */
  async #bury(silence: Silence): Promise<boolean> {
    const { context, nodes, seen } = this.#parts;
    const sent = context.clock.now();
    const { era, nodes: all } = await nodes.look();
    seen(all);
    const others = all.filter(({ id }) => id !== this.#id);
    let freed = false;
    for (const { id, beat } of silence.look({ era, nodes: others }, sent, context.clock.now())) {
      freed = (era !== null && (await nodes.declareDead(id, beat, era))) || freed;
    }
    return freed;
  }

  async leave(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#cancelLook?.();
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
      // The store gives a renewal up after `statementMs`, so that the next one can be sent.
      this.#arm();
      void this.#renew();
    });
  }

  /** One look at a time: the next one is set when the last one is over. */
  #armLook(): void {
    const { context, times } = this.#parts;
    this.#cancelLook?.();
    const waitMs = this.#others.untilNext(context.clock.now(), times.lookMs);
    this.#cancelLook = context.clock.timer(waitMs, () => void this.#watch());
  }

  async #renew(): Promise<void> {
    if (this.#renewing || !this.#isIn()) {
      return;
    }
    this.#renewing = true;
    const { context, nodes, load, address, died } = this.#parts;
    const { id } = this;
    const sent = context.clock.now();
    try {
      const renewal = await nodes.renew(load(), address(), this.#settles());
      if (!this.#isIn() || this.#id !== id) {
        return;
      }
      if (renewal === null) {
        this.#state = 'dead';
        this.#cancel?.();
        this.#cancelLook?.();
        died();
        this.#runHeld();
        return;
      }
      await this.#renewed(renewal, sent);
    } catch (error) {
      // The next one comes; the deadline stands.
      context.onError(error, 'renewal');
    } finally {
      this.#renewing = false;
    }
  }

  async #renewed(renewal: Renewal, sent: number): Promise<void> {
    const { context, times, verify, renewed } = this.#parts;
    const { id } = this;
    this.#state = renewal.state;
    this.#meet(renewal);
    const isOther = renewal.era !== this.#leaseEra;
    // Late: the store may be another one by now, whatever it says of itself.
    if (isOther || sent - this.#renewedAt >= times.freezeMs) {
      await verify(isOther);
      if (!this.#isIn() || this.#id !== id) {
        return;
      }
    }
    const hasLapsed = context.clock.now() - this.#renewedAt >= times.freezeMs;
    if (isOther && hasLapsed && !renewal.settled) {
      return;
    }
    this.#answered(sent);
    renewed();
    if (!this.isSuspended) {
      this.#runHeld();
    }
  }

  #meet({ era, settled }: EraState): void {
    const isKnown = era === this.#met.era;
    const isNews = !isKnown || settled !== this.#met.settled;
    this.#met = { era, settled, at: isKnown ? this.#met.at : this.#parts.context.clock.now() };
    if (isNews) {
      this.#parts.settled(settled);
    }
  }

  /** The era that this node knows for long enough: leases of the one before are over, on all nodes. */
  #settles(): Era | null {
    const { context, times } = this.#parts;
    const { era, settled, at } = this.#met;
    const longestMs = Math.max(times.ttlMs, this.#others.longestTtlMs);
    return !settled && context.clock.now() - at >= longestMs ? era : null;
  }

  /** A lease of the era that was met last. */
  #answered(sent: number): void {
    const { times, guard } = this.#parts;
    this.#renewedAt = sent;
    this.#leaseEra = this.#met.era;
    guard?.lease({ sentAt: sent, freezeAt: sent + times.freezeMs, killAt: sent + times.killMs });
  }

  #runHeld(): void {
    for (const run of this.#held.splice(0)) {
      run();
    }
  }

  async #watch(): Promise<void> {
    const { context, freed } = this.#parts;
    try {
      if (await this.#bury(this.#others)) {
        freed();
      }
    } catch (error) {
      context.onError(error, 'watch');
    } finally {
      if (this.#isIn()) {
        this.#armLook();
      }
    }
  }
}
