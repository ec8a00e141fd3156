/**
 * Which node a session is for: one that has the labels that the session needs, and an agent slot for it.
 *
 * Owned by one cluster. It decides who claims a free session and which waiting starts are given away; who owns a session is decided by the
 * claim alone.
 *  placement/1 A free session is for the node that is asked, unless another one suits it better: a node that has the labels suits better than one
 *              that lacks them, and of those that have them one with a free slot better than a full one.
 *  placement/2 Only a session whose start waits is given away, to a node that suits it better. One that has an agent stays where it is.
 *  placement/3 What others have is what they said with their last renewals. A wrong guess costs a wait until the next look, never an owner too
 *              many.
 *  placement/4 A free session that the node which suits better has not taken in time is taken by any.
 */
import type { SessionKey } from '../../core/model/ids.ts';
import type { NodeId, NodeLoad, Nodes, StoredNode } from '../../store/nodes.ts';

interface PlacementParts {
  readonly nodes: Nodes;
  readonly id: () => NodeId;
  readonly labels: readonly string[];
  /** Labels that the agent of a session needs. */
  readonly needs: (session: SessionKey) => readonly string[];
  /** `leaving`: agents whose slots are free in a moment, for starts that wait. */
  readonly load: () => NodeLoad & { readonly leaving: number };
  /** Monotonic ms. */
  readonly now: () => number;
  /** After so long in vain a free session is for any node, ms. */
  readonly patienceMs: number;
}

/** `lacks`: it has not the labels. Else `full`: it has no slot; `idle`: an agent makes room for another; `room`: a slot is free. */
type Suits = 'lacks' | 'full' | 'idle' | 'room';
const ranks: { readonly [S in Suits]: number } = { lacks: 0, full: 1, idle: 2, room: 3 };

/** What a session can be placed by. */
interface Candidate {
  readonly labels: readonly string[];
  /** Agents that make room. */
  readonly idle: number;
  /** Slots that are free, without those that starts wait for. Below 0: more wait. */
  room: number;
}

const candidate = (labels: readonly string[], { agents, idle, maxAgents, waiting }: NodeLoad): Candidate => ({
  labels,
  idle,
  room: maxAgents - agents - waiting,
});

function suits({ labels, idle, room }: Candidate, needs: readonly string[]): Suits {
  if (!needs.every((label) => labels.includes(label))) {
    return 'lacks';
  }
  return room > 0 ? 'room' : room + idle > 0 ? 'idle' : 'full';
}

const best = (candidates: readonly Candidate[], needs: readonly string[]): number =>
  Math.max(-1, ...candidates.map((one) => ranks[suits(one, needs)]));

/** For a person: `the label gpu`, `the labels gpu and eu`. */
const labelText = (labels: readonly string[]): string =>
  labels.length === 1 ? `the label ${labels[0]}` : `the labels ${labels.slice(0, -1).join(', ')} and ${labels.at(-1)}`;

export class Placement {
  readonly #parts: PlacementParts;
  #others: readonly StoredNode[] = [];
  /** Free sessions that were left to others, and since when. */
  #left = new Map<SessionKey, number>();

  constructor(parts: PlacementParts) {
    this.#parts = parts;
  }

  /** Takes down who is there. */
  see(nodes: readonly StoredNode[]): void {
    this.#others = nodes.filter(({ id, state }) => id !== this.#parts.id() && state === 'up');
  }

  async look(): Promise<void> {
    this.see((await this.#parts.nodes.look()).nodes);
  }

  /** Another node suits a free session better. By the last look. */
  belongsElsewhere(session: SessionKey): boolean {
    const needs = this.#parts.needs(session);
    return best(this.#candidates(), needs) > ranks[suits(this.#self(), needs)];
  }

  /** Those of the free sessions that are for this node, as far as its slots last. By the last look. */
  choose(free: readonly SessionKey[]): readonly SessionKey[] {
    const { needs, now, patienceMs } = this.#parts;
    const [self, others] = [this.#self(), this.#candidates()];
    const left = new Map<SessionKey, number>();
    const chosen = free.filter((session) => {
      const needed = needs(session);
      const since = this.#left.get(session) ?? now();
      if (best(others, needed) > ranks[suits(self, needed)] && now() - since < patienceMs) {
        left.set(session, since);
        return false;
      }
      self.room -= 1;
      return true;
    });
    this.#left = left;
    return chosen;
  }

  /** Those of the sessions with a waiting start that another node suits better, as far as the slots of others last. By the last look. */
  better(waiting: readonly SessionKey[]): readonly SessionKey[] {
    const others = this.#candidates();
    const { labels, needs: needsOf, load } = this.#parts;
    let { leaving } = load();
    return waiting.filter((session) => {
      const needs = needsOf(session);
      const own = suits({ labels, idle: 0, room: 0 }, needs);
      if (own !== 'lacks' && leaving > 0) {
        leaving -= 1;
        return false;
      }
      const to = others.toSorted((a, b) => ranks[suits(b, needs)] - ranks[suits(a, needs)]).at(0);
      if (to === undefined || ranks[suits(to, needs)] <= ranks[own]) {
        return false;
      }
      to.room -= 1;
      return true;
    });
  }

  /** Why the session's agent cannot run on this node, for a person; null: it can. */
  lacks(session: SessionKey): string | null {
    const { labels, needs } = this.#parts;
    const needed = needs(session);
    if (needed.every((label) => labels.includes(label))) {
      return null;
    }
    return best(this.#candidates(), needed) > ranks.lacks
      ? `another node has ${labelText(needed)}, and is to take the session`
      : `no node has ${labelText(needed)}`;
  }

  /** Why no other node takes a session that waits for a slot of this one, for a person; null: there is none, or one takes it. */
  noneBetter(session: SessionKey): string | null {
    const needs = this.#parts.needs(session);
    const others = best(this.#candidates(), needs);
    if (this.#others.length === 0 || others > ranks.full) {
      return null;
    }
    return others === ranks.full ? 'all nodes are full' : `no other node has ${labelText(needs)}`;
  }

  #self(): Candidate {
    return candidate(this.#parts.labels, this.#parts.load());
  }

  #candidates(): Candidate[] {
    return this.#others.map((node) => candidate(node.labels, node));
  }
}
