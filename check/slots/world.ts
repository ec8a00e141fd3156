/**
 * The slots of a daemon and what is around them: sessions with agents, another process of the machine, the daemon's shell.
 * A state has the real `Slots` of the core; what the sessions really do may differ from what the slots were told, until they are told.
 */
import type { ClaimId, SessionKey } from '../../src/core/model/ids.ts';
import { sessionKey } from '../../src/core/model/ids.ts';
import type { Ask, Slots, SlotsInput, SlotsResult, SlotLimits, Use } from '../../src/core/slots/model.ts';
import { treeGet } from '../../src/core/tree.ts';

/** The functions that the checker drives, so that a mutated copy of them can be driven as well. */
export interface SlotsCore {
  readonly newSlots: (limits: SlotLimits) => Slots;
  readonly stepSlots: (slots: Slots, input: SlotsInput) => SlotsResult;
}

export interface SlotsConfig {
  readonly name: string;
  readonly about: string;
  readonly deep: boolean;
  /** One for each session: whether it works in the folder that they share. */
  readonly inFolder: readonly boolean[];
  readonly limits: SlotLimits;
  /** The slots learn late what an agent does: it may do the next thing by then. */
  readonly lags: boolean;
  /** Agents die, sessions withdraw what they wait for, and change their urgency meanwhile. */
  readonly restless: boolean;
  /** Agents work in the background after a turn, and sessions protect turns of their own. */
  readonly keeping: boolean;
  /** An agent may be ready and have no turn yet: its session is held back, or the agent takes a turn of its own. */
  readonly waitsReady: boolean;
  /** Another process takes the folder now and then. */
  readonly foreign: boolean;
  /** The daemon may close. */
  readonly closes: boolean;
}

export const folder = '/shared';

/** What was asked of a session and has not reached it. */
export interface Asked {
  readonly what: Ask;
  readonly turn: number;
}

/** A session as it really is. */
export interface Party {
  readonly key: SessionKey;
  readonly folder: string | null;
  readonly claim: ClaimId | null;
  readonly urgent: boolean;
  /** Null: its claim waits, or it has none. */
  readonly use: Use | null;
  readonly turn: number;
  /** Its agent is closed at the end of its turn. */
  readonly leaves: boolean;
  readonly inbox: Asked | null;
}

export interface World {
  readonly slots: Slots;
  readonly parties: readonly Party[];
  /** Another process has the folder. */
  readonly other: boolean;
  readonly claims: number;
  /** The `wait` and `protected` deadlines that are armed. */
  readonly waits: ReadonlySet<ClaimId>;
  readonly windows: ReadonlySet<ClaimId>;
}

export interface Action {
  readonly who: string;
  readonly does: string;
  readonly inputs: readonly SlotsInput[];
  readonly effects: SlotsResult['effects'];
}

export const initialWorld = (config: SlotsConfig, core: SlotsCore): World => ({
  slots: core.newSlots(config.limits),
  parties: config.inFolder.map((isIn, at) => ({
    key: sessionKey('ABC'[at] ?? '?'),
    folder: isIn ? folder : null,
    claim: null,
    urgent: false,
    use: null,
    turn: 0,
    leaves: false,
    inbox: null,
  })),
  other: false,
  claims: 0,
  waits: new Set(),
  windows: new Set(),
});

export const claimOf = (world: World, { claim }: Party) =>
  claim === null ? null : (treeGet(world.slots.claims, claim) ?? null);

export const isWaiting = (party: Party): boolean => party.claim !== null && party.use === null;

/** What went wrong while effects were carried out. */
export type Found = (property: string, detail: string) => void;
