/**
 * Which nodes have given no sign of life for their whole time-to-live, as far as this node has looked.
 *
 * Owned by one membership, or by one try to join.
 *  silence/1 The silence of a node is counted from the answer to one look to the sending of another, by this node's own clock.
 *  silence/2 A time in which this node could not look counts for nothing: an outage of the store kills no node.
 *  silence/3 In another era of the store it begins to count again: a beat may have been there that is lost.
 */
import type { Era, Look, NodeId, StoredNode } from '../../store/nodes.ts';

type Watched = Pick<StoredNode, 'id' | 'beat' | 'ttlMs'>;
type LookAt<N> = Pick<Look, 'era'> & { readonly nodes: readonly N[] };

interface Seen {
  readonly beat: number;
  readonly since: number;
  /** Its beat has moved since the first look. */
  readonly moved: boolean;
}

/** So that 100 nodes look twice a second, and 500 nodes at each renewal of 2.5 s. */
const perNodeMs = 5;
/** Looks come with the renewals or more often. Longer without one: what was seen before says nothing. */
const looksMissed = 2;

export class Silence {
  readonly #renewMs: number;
  #seen = new Map<NodeId, Seen>();
  /** When the last look that was answered was sent. */
  #lookedAt = 0;
  #era: Era | null = null;
  #longestTtlMs = 0;
  /** When each node will have been silent for its time-to-live. */
  #dues: readonly number[] = [];

  constructor(renewMs: number) {
    this.#renewMs = renewMs;
  }

  /** Of the nodes of the last look. */
  get longestTtlMs(): number {
    return this.#longestTtlMs;
  }

  /**
   * How long to wait for the next look, ms: `usual`, or until a node that did not move has been silent for its time-to-live. Many nodes are looked
   * at less often: each look reads all of them.
   */
  untilNext(now: number, usual: number): number {
    const due = this.#dues.filter((at) => at > now).map((at) => at - now);
    return Math.min(Math.max(usual, perNodeMs * this.#seen.size), this.#renewMs, ...due);
  }

  /** There was no other node at the last look. */
  get isAlone(): boolean {
    return this.#seen.size === 0;
  }

  /** Every node of the last look has given a sign of life since the first. */
  get allLive(): boolean {
    return [...this.#seen.values()].every(({ moved }) => moved);
  }

  /** Takes a look down, with when it was sent and answered (ms), and gives those that have been silent for too long. */
  look<N extends Watched>({ era, nodes }: LookAt<N>, sent: number, answered: number): readonly N[] {
    const isNew = sent - this.#lookedAt > looksMissed * this.#renewMs || era !== this.#era;
    const before = isNew ? new Map<NodeId, Seen>() : this.#seen;
    this.#lookedAt = sent;
    this.#era = era;
    this.#longestTtlMs = Math.max(0, ...nodes.map(({ ttlMs }) => ttlMs));
    this.#seen = new Map(
      nodes.map(({ id, beat }) => {
        const seen = before.get(id);
        return [id, seen?.beat === beat ? seen : { beat, since: answered, moved: seen !== undefined }];
      }),
    );
    this.#dues = nodes.map(({ id, ttlMs }) => (this.#seen.get(id)?.since ?? sent) + ttlMs);
    return nodes.filter(({ id, ttlMs }) => sent - (this.#seen.get(id)?.since ?? sent) >= ttlMs);
  }
}
