/**
 * Two nodes at one session, as far as time matters: A has it and may be stopped, silent or cut off; B watches A, and takes the session when A
 * is dead. All clocks count ticks at one rate: in production the margin of `leaseTimes` is there for drift.
 *
 * What is under way may take any time and may be lost: renewals, looks, declarations, and their answers. A failover to an
 * asynchronous standby takes the rows back to what the standby had; each primary is an era.
 */
import type { LeaseTimes } from '../../src/protocol/lease-times.ts';
import type { NodeRules } from './rules.ts';

/** What is driven, so that mutated copies can be driven as well. */
export interface NodesCore {
  readonly leaseTimes: (ttlMs: number) => LeaseTimes;
  readonly nodeRules: NodeRules;
}

export interface LeaseConfig {
  readonly name: string;
  readonly about: string;
  readonly deep: boolean;
  /** The time-to-live. The times are parts of it, rounded up to whole ticks: they are exact where it is 20. */
  readonly ttlTicks: number;
  /** The agent of a daemon that gives no sign is ended after `killMs`; else it stays frozen. */
  readonly kills: boolean;
  /** Nothing is stopped, and no two renewals are lost in a row: the agent has to run on. */
  readonly steady: boolean;
  /** The daemon of A may be stopped, and killed. */
  readonly stops: boolean;
  /** A gives the session back, and claims it again. */
  readonly releases: boolean;
  /** The store fails over once and loses its tail. */
  readonly failover: boolean;
}

/** The row of A, and that of the session. */
export interface Row {
  readonly beat: number;
  readonly state: 'up' | 'dead';
  readonly owner: 'A' | 'B' | null;
  /** Since the beat: as it really is, and by the clock of the database. */
  readonly age: number;
  readonly shown: number;
}

interface Renewal {
  readonly age: number;
  /** Null: the store has not got to it. */
  readonly result: null | {
    readonly state: 'up' | 'dead';
    readonly era: number;
    readonly settled: boolean;
    readonly owns: boolean;
  };
}

interface Look {
  /** Since it was sent. */
  readonly age: number;
  readonly result: null | { readonly beat: number; readonly era: number };
}

export interface World {
  readonly daemon: 'up' | 'stopped' | 'ended';
  /** A knows that it is dead: it does nothing more. */
  readonly isDead: boolean;
  /** A takes the session for its own. */
  readonly has: boolean;
  readonly agent: 'none' | 'runs' | 'frozen';
  /** Since the launcher has begun to end the agent. */
  readonly ending: number | null;
  /** The daemon gave no sign when `killMs` had passed. */
  readonly wasSilent: boolean;
  /** Since the sending of the renewal that the lease is counted from. */
  readonly leaseAge: number;
  readonly leaseEra: number;
  readonly renewal: Renewal | null;
  /** Since a renewal was sent, and answered or lost. Only where the node is steady. */
  readonly pace: { readonly sent: number; readonly answered: number; readonly isLost: boolean };
  /** Since the failover. */
  readonly eraAge: number;

  readonly row: Row;
  readonly rowEra: number;
  /** What a failover would leave. */
  readonly standby: Row;

  /** What B saw of A, and for how long; era -1: nothing. */
  readonly watch: { readonly beat: number; readonly era: number; readonly silence: number };
  readonly look: Look;
  readonly declares: boolean;
  readonly other: 'none' | 'owns' | 'runs' | 'frozen';
  /** Since the failover after which B has not compared what it owns. Its own lease is no younger. */
  readonly unverified: number | null;
}

const firstRow: Row = { beat: 0, state: 'up', owner: 'A', age: 0, shown: 0 };

export const notWatching = { beat: -1, era: -1, silence: 0 } as const;

export const noLook: Look = { age: 0, result: null };

export const initialWorld: World = {
  daemon: 'up',
  isDead: false,
  has: true,
  agent: 'runs',
  ending: null,
  wasSilent: false,
  leaseAge: 0,
  leaseEra: 0,
  renewal: null,
  pace: { sent: 0, answered: 0, isLost: false },
  eraAge: 0,
  row: firstRow,
  rowEra: 0,
  standby: firstRow,
  watch: { beat: 0, era: 0, silence: 0 },
  look: noLook,
  declares: false,
  other: 'none',
  unverified: null,
};

export interface Action {
  readonly who: string;
  readonly does: string;
}
