/**
 * The part of the Store port that several daemons on one store need: who they are, which sessions are whose, and letters between them.
 *
 * Rules every adapter keeps, and the contract suite tests:
 *  nodes/1 A session has at most one owner. Only a node that is up claims, and only what is free: without an owner, its own already, or
 *          of a node that has left or is dead. One that drains claims what it owns; of all else it is told that it holds that itself, so that a
 *          command for it goes by a letter, to whoever is up.
 *  nodes/2 Dead is said once and for ever, by a node that saw no beat for a whole time-to-live on its own clock; the beat is
 *          compared once more where it is said. No wall clock is read.
 *  nodes/3 A command that was sent is accepted: it is applied once, by the commit that takes it out and writes its reply, or withdrawn before.
 *  nodes/4 Of two nodes that replace what the same version said of a provider, one does.
 *  nodes/5 In an era that is not settled nobody claims: an agent may still run whose claim the failover has lost.
 *  nodes/6 Hints may be lost; whoever looks again after a while misses nothing.
 */
import type { SessionKey } from '../core/model/ids.ts';
import type { MaybePromise } from './maybe-promise.ts';

/** One start of a node, a random whole number below 2^48: numbers that a lost tail gives out twice would meet. */
export type NodeId = number;

/**
 * One life of the store: a failover and a restore each begin another, in which the last moments of the one before may be missing. Unique for ever.
 */
export type Era = string;

export interface EraState {
  readonly era: Era;
  /** Some node has seen it for a whole time-to-live: no agent works any more by a lease of the era before. */
  readonly settled: boolean;
}

export interface NodeFacts {
  /** For people; unique among those that are up. */
  readonly name: string;
  readonly host: string;
  /** Whom to signal. */
  readonly pid: number;
  readonly version: string;
  /** Where its HTTP API is; null: not known yet. */
  readonly address: string | null;
  /** How long it may be silent before others declare it dead. */
  readonly ttlMs: number;
  /** What sessions may need of it. */
  readonly labels: readonly string[];
}

export type NodeState = 'up' | 'draining' | 'left' | 'dead';

export interface NodeLoad {
  /** Running agents, those of them that make room for others, and how many may run. */
  readonly agents: number;
  readonly idle: number;
  readonly maxAgents: number;
  /** Starts of agents that wait for a slot. */
  readonly waiting: number;
}

export interface StoredNode extends NodeFacts, NodeLoad {
  readonly id: NodeId;
  readonly state: NodeState;
  /** Counts its signs of life. */
  readonly beat: number;
}

/** What there is at one moment. */
export interface Look {
  /** Null: it begins at this moment. */
  readonly era: Era | null;
  /** Those that are up or draining, by name. */
  readonly nodes: readonly StoredNode[];
}

/** Who has a session that could not be claimed. */
export interface HeldBy {
  readonly node: NodeId;
  readonly name: string;
}

/** `to` a session: a command for its owner, whoever that is by then. `to` a node: a question that it alone can answer. */
export type Letter = {
  /** Unique: the same one sent twice is there once. */
  readonly id: string;
  readonly from: NodeId;
  /** JSON. */
  readonly body: unknown;
} & ({ readonly session: SessionKey } | { readonly node: NodeId });

export interface LetterReply {
  readonly id: string;
  /** JSON. */
  readonly reply: unknown;
}

/** A command that a commit has applied. */
export interface Applied extends LetterReply {
  readonly from: NodeId;
}

/** What is known of a provider. Times in it count from when it was stored: no two clocks are compared. */
export interface StoredThrottle {
  readonly provider: string;
  readonly version: number;
  /** JSON. */
  readonly state: unknown;
  /** Since it was stored, by the store's own clock, ms. */
  readonly ageMs: number;
}

/** Which node had the conversation of a session last, and what is kept of it. */
export interface KeptConversation {
  /** The agent's own id. */
  readonly conversation: string;
  /** The node's name. */
  readonly node: string;
  /** The folder that its files are in, as all see it that share the folder; null: not known. */
  readonly place: string | null;
  /** Its agent may have gone on since: it was not seen to end. */
  readonly open: boolean;
  /** The last turn that is in the files; -1: none. */
  readonly turn: number;
  /** Text; null: `lack` says why there are none, or nothing was kept yet. */
  readonly files: string | null;
  readonly lack: string | null;
}

/** What may have come: `letters` for this node, `events` of other nodes' commits, `nodes` that joined, drain, left, died or
 * gave sessions back, or letters for a session that no node has; `throttles` of providers that have changed. */
export type Hint = 'letters' | 'events' | 'nodes' | 'throttles';

export type Renewal = EraState & { readonly state: 'up' | 'draining' };

export interface Nodes {
  /**
   * From now on this store claims, commits and writes as `id`; who it was before has left. Throws `store_locked` beside a daemon that
   * shares the store with nobody, and beside a node of this name that is up, unless its process is gone on this very machine.
   */
  join(id: NodeId, facts: NodeFacts): MaybePromise<EraState>;
  /**
   * A sign of life, with what it does. The state that others gave this node; null: it is dead, or not there. `settles`: an era that this node has
   * seen for a whole time-to-live; the next renewal tells what has come of it.
   */
  renew(load: NodeLoad, address: string | null, settles: Era | null): MaybePromise<Renewal | null>;
  /** Its sessions are free from now on. */
  leave(): MaybePromise<void>;
  look(): MaybePromise<Look>;
  /** How many sessions each node owns; those that own none may be left out. */
  sessionCounts(): MaybePromise<ReadonlyMap<NodeId, number>>;
  /** False: it has beaten since, is not up any more, or the era is another one. */
  declareDead(id: NodeId, beat: number, era: Era): MaybePromise<boolean>;
  /** It claims nothing more. False: no such node is up or draining. */
  drain(id: NodeId, draining: boolean): MaybePromise<boolean>;
  /** Gives sessions back; of those that have another lease or owner by now nothing changes. */
  release(sessions: readonly { readonly session: SessionKey; readonly lease: number }[]): MaybePromise<void>;
  /** Sessions without an owner alive that have open tasks, are parked, or have a command waiting. Any order. */
  orphans(limit: number): MaybePromise<readonly SessionKey[]>;
  /** Which of these sessions this node does not own with the given lease, or has committed what is not there any more. */
  lost(
    sessions: readonly { readonly session: SessionKey; readonly lease: number }[],
  ): MaybePromise<readonly SessionKey[]>;
  /** Sessions that are this node's and have open tasks, are parked, or have a command waiting. */
  owned(): MaybePromise<readonly SessionKey[]>;

  send(letters: readonly Letter[]): MaybePromise<void>;
  /** Commands for sessions that this node owns and questions to it, oldest first. They stay until they are applied, answered or withdrawn. */
  receive(limit: number): MaybePromise<readonly Letter[]>;
  /** Takes letters out with their replies, outside of a commit: questions, and commands that changed nothing. */
  answer(answers: readonly Applied[]): MaybePromise<void>;
  /** Takes out the replies to these that are there. */
  replies(ids: readonly string[]): MaybePromise<readonly LetterReply[]>;
  /** Takes letters back. Gives those that were still there: they will never be applied. */
  withdraw(ids: readonly string[]): MaybePromise<readonly string[]>;
  /**
   * Removes questions from or to nodes that are gone, and old replies. A reply to a node that is declared dead stays meanwhile: its daemon
   * comes back as another node, and the caller still waits.
   */
  sweep(): MaybePromise<void>;

  /** What nodes know of providers. */
  throttles(): MaybePromise<readonly StoredThrottle[]>;
  /** Replaces what is known of a provider, if that is still the version `seen` (0: nothing). The new version; null: another node was faster. */
  putThrottle(provider: string, seen: number, state: unknown): MaybePromise<number | null>;

  conversation(session: SessionKey): MaybePromise<KeptConversation | null>;
  /** An agent of the node has the conversation. What is kept of the same one stays. False: the session is not this node's under the lease. */
  openConversation(
    session: SessionKey,
    lease: number,
    now: Pick<KeptConversation, 'conversation' | 'node' | 'place'>,
  ): MaybePromise<boolean>;
  /** Replaces what is kept. False: the session is not this node's under the lease. */
  keepConversation(session: SessionKey, lease: number, kept: KeptConversation): MaybePromise<boolean>;

  /** Calls for each hint until it is stopped. */
  onHint(listener: (hint: Hint) => void): () => void;
  /** Never throws. To all other nodes: this one has committed. What else `Hint` names hints by itself. */
  hintEvents(): void;
}
