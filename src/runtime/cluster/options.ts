/** What makes a daemon one of several nodes, and what its sessions need of the others. */
import type { SessionKey } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { Reply } from '../../core/model/replies.ts';
import type { LeaseTimes } from '../../protocol/lease-times.ts';
import type { NodeFacts } from '../../store/nodes.ts';
import type { ConversationKeeper } from './conversation-keeper.ts';
import type { ProviderNodes } from '../throttle/providers.ts';
import type { Guard } from '../../supervise/index.ts';

/** Freezes and ends the agents of a daemon that cannot renew, whatever its threads do. Milliseconds of `Clock.now`. */
export type LeaseGuard = Guard;

export interface ClusterOptions {
  /** Labels that the agent of a session needs. Default: none. */
  readonly needs?: (session: SessionKey) => readonly string[];
  readonly facts: Omit<NodeFacts, 'address' | 'ttlMs'>;
  readonly times: LeaseTimes;
  /** Between two looks at what hints may not have told, ms. */
  readonly pollMs: number;
  /** Where this node's API is; null: not yet. */
  readonly address: () => string | null;
  readonly guard?: LeaseGuard;
  /** Told of what a person may wait for; for the log. */
  readonly note?: (text: string) => void;
  /** The store has begun another life, in which sessions are claimed when it is `settled`. */
  readonly onEra?: (settled: boolean) => void;
}

/** The others, for the sessions of this node. */
export interface ClusterLink {
  /** It claims no session. */
  readonly claimsNothing: boolean;
  /** The agents of this node stand still. */
  readonly isFrozen: boolean;
  /** It has been declared dead, and is not back yet. */
  readonly isDead: boolean;
  /** For a session of another node: the answer once it is stored there. Throws `owner_unreachable`, with nothing done. */
  command(session: SessionKey, input: Input): Promise<Reply>;
  /** Calls at once under a lease that lasts, else after the next renewal, or when it is known that there will be none. */
  whenAlive(run: () => void): void;
  /** This node has committed events. */
  committed(): void;
  /** Its claim has failed, and may have been stored. */
  unsure(session: SessionKey): void;
  /** A commit of a session was refused: another node has it, or a failover has lost what it builds on. */
  fenced(session: SessionKey): void;
  /** A session is at rest. */
  rests(session: SessionKey, lease: number): void;
  /** A session that this node does not own, as far as it knows, is for another one. */
  belongsElsewhere(session: SessionKey): boolean;
  /** Why the session's agent cannot run on this node, for a person; null: it can. */
  lacks(session: SessionKey): string | null;
  /** Why no other node takes a session that waits for a slot, for a person; null: one may, or there is none. */
  noneBetter(session: SessionKey): string | null;
  readonly conversations: ConversationKeeper;
  /** What all nodes know of providers. */
  readonly providers: ProviderNodes;
  /** A start of an agent waits: another node may have a place for it. */
  waits(): void;
}
