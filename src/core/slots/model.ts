/** The shapes of the slots: state, inputs and effects. See SPEC.md. */
import type { ClaimId, SessionKey } from '../model/ids.ts';
import type { Tree } from '../tree.ts';

/**
 * What the agent of a granted claim does. `kept`: it has no turn of ours, and may not be closed (it works in the background, takes a turn of
 * its own, or changes its model). `background`: a turn that may be interrupted. `shielded`: one that may not, since it is interactive,
 * protected in its session, or being interrupted already.
 */
export type Use = 'starting' | 'idle' | 'kept' | 'background' | 'shielded' | 'ending';

/**
 * What the session of a granted claim was asked for: to close its idle agent, to interrupt its background turn and close the agent then, or to
 * close it at the end of the turn that it has, or as soon as it is not kept any more.
 */
export type Ask = 'make-room' | 'give-way' | 'hand-over';

export interface SlotLimits {
  /** Slots. */
  readonly maxAgents: number;
  /** Slots whose agents may be starting. */
  readonly maxStarting: number;
  /** Grants of others after which a claim is due. */
  readonly maxPassedOver: number;
}

export interface Claim {
  readonly id: ClaimId;
  readonly session: SessionKey;
  /** Null: its agent needs none. */
  readonly folder: string | null;
  /** An interactive task waits for it or has its turn. */
  readonly urgent: boolean;
  /** Grants that passed over it, and turns in which its session gave way, up to `maxPassedOver`. */
  readonly passes: number;
  /** Null: it waits. */
  readonly grant: Grant | null;
  /** It waits, and needs nothing but a slot (`ready`), or that and a folder which its holder is about to leave (`soon`). */
  readonly wants: 'ready' | 'soon' | null;
}

export interface Grant {
  /** Numbers of the grant, and of the last change of `use`, in the order of all. */
  readonly at: number;
  readonly since: number;
  readonly use: Use;
  /** Its start counts as one of `maxStarting`. */
  readonly starts: boolean;
  /** Number of the session's last turn on this agent; 0: none yet. */
  readonly turn: number;
  /** It was due when it was granted, and its window is open. */
  readonly protected: boolean;
  readonly asked: Ask | null;
}

/** Place of a claim among those that wait. */
export interface LineKey {
  /** 0: due. 1: urgent. 2: background. */
  readonly rank: 0 | 1 | 2;
  readonly id: ClaimId;
}

/** Place among the turns that may be interrupted. */
export interface VictimKey {
  readonly passes: number;
  readonly since: number;
}

export interface Folder {
  /** The claim that has it. */
  readonly holder: ClaimId | null;
  /** Another process has it. */
  readonly foreign: boolean;
  /** Claims that wait for it. */
  readonly line: Tree<LineKey, ClaimId>;
  /** The first of them. */
  readonly first: ClaimId | null;
  /** Those of them that are urgent, also where they are due. */
  readonly urgent: Tree<ClaimId, true>;
}

/** All but `folders`, `gaveWay` and `waits` are functions of the claims. */
export interface Slots {
  readonly limits: SlotLimits;
  /** Nothing is granted or asked for any more. */
  readonly closed: boolean;
  readonly claims: Tree<ClaimId, Claim>;
  /** Those that a claim names. */
  readonly folders: Tree<string, Folder>;
  readonly ready: Tree<LineKey, ClaimId>;
  readonly soon: Tree<LineKey, ClaimId>;
  /** Of these two: urgent ones, and those that are due. */
  readonly wantUrgently: Tree<ClaimId, true>;
  readonly wantDue: Tree<ClaimId, true>;
  /** Waiting claims that are not due. */
  readonly urgent: Tree<ClaimId, true>;
  readonly background: Tree<ClaimId, true>;
  /** Granted claims, by their grant. */
  readonly granted: Tree<number, ClaimId>;
  /** Of these, if not asked yet: agents that can make room, the longest idle first; turns that can give way; sessions that can hand over, by the grant. */
  readonly idle: Tree<number, ClaimId>;
  readonly victims: Tree<VictimKey, ClaimId>;
  readonly hosts: Tree<number, ClaimId>;
  readonly counts: Counts;
  /** Of sessions that gave way and have had no slot since: their passes. */
  readonly gaveWay: Tree<SessionKey, number>;
  /** The claims whose `wait` deadline is armed. */
  readonly waits: { readonly urgent: ClaimId | null; readonly background: ClaimId | null };
  /** The last number of a grant or change of use. */
  readonly numbers: number;
}

export interface Counts {
  readonly starting: number;
  /** Granted claims whose agents leave: at their end, or asked to make room or to give way. */
  readonly leaving: number;
  /** Asked to hand over. */
  readonly handing: number;
}

export const slotTimers = [
  'wait', // The oldest claim of its lane that waits and is not due.
  'protected', // The window of a claim that was due when it was granted.
] as const;
export type SlotTimer = (typeof slotTimers)[number];

export type SlotsInput =
  /** A session needs an agent. `foreign`: another process was seen to have the folder. */
  | {
      readonly type: 'claim';
      readonly claim: ClaimId;
      readonly session: SessionKey;
      readonly folder: string | null;
      readonly foreign: boolean;
      readonly urgent: boolean;
    }
  | { readonly type: 'urgency'; readonly claim: ClaimId; readonly urgent: boolean }
  /** What the granted agent does now. */
  | { readonly type: 'use'; readonly claim: ClaimId; readonly use: Exclude<Use, 'starting'>; readonly turn: number }
  /** Its start delays others no longer: the agent is ready, or has had its share of time. */
  | { readonly type: 'started'; readonly claim: ClaimId }
  /** The session did not do what it was asked for, since it was in another state by then. */
  | { readonly type: 'declined'; readonly claim: ClaimId }
  /** The claim was granted, and another process has the folder. */
  | { readonly type: 'foreign'; readonly claim: ClaimId }
  /** No other process has the folder. */
  | { readonly type: 'folder-free'; readonly folder: string }
  /** The agent is gone, or no longer wanted. */
  | { readonly type: 'release'; readonly claim: ClaimId }
  | { readonly type: 'timer'; readonly name: SlotTimer; readonly claim: ClaimId }
  /** Nothing of the session is open any more. */
  | { readonly type: 'forget'; readonly session: SessionKey }
  /** The daemon closes. */
  | { readonly type: 'close' };

/** `waiter`: the claim for which it is asked. */
export type SlotsEffect =
  | { readonly type: 'grant'; readonly claim: ClaimId }
  | { readonly type: Exclude<Ask, 'give-way'>; readonly claim: ClaimId; readonly waiter: ClaimId }
  | { readonly type: 'give-way'; readonly claim: ClaimId; readonly turn: number; readonly waiter: ClaimId }
  | { readonly type: 'arm' | 'disarm'; readonly name: SlotTimer; readonly claim: ClaimId };

export interface SlotsResult {
  readonly slots: Slots;
  readonly effects: readonly SlotsEffect[];
}
