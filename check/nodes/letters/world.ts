/**
 * Two nodes and one session, as far as its rows matter: the real `step` decides, the real `rebuild` takes up. There are no clocks: a node may stand still at
 * any point, and then be declared dead. That nothing of it runs by then is what the leases are for (`../world.ts`).
 *
 * A write that nobody waits for any more may still be carried out, at any time.
 */
import type { Effect } from '../../../src/core/model/effects.ts';
import type { Incarnation, TurnId } from '../../../src/core/model/ids.ts';
import type { Input } from '../../../src/core/model/inputs.ts';
import type { Record as StepRecord } from '../../../src/core/model/records.ts';
import type { Session } from '../../../src/core/model/session.ts';
import type { Durable } from '../../../src/core/rebuild.ts';
import { sessionKey, taskId } from '../../../src/core/model/ids.ts';
import type { Core } from '../../model/core.ts';

export type NodeName = 'A' | 'B';
export const nodeNames: readonly NodeName[] = ['A', 'B'];

export interface LettersConfig {
  readonly name: string;
  readonly about: string;
  readonly deep: boolean;
  /** In the order in which they may be sent. */
  readonly letters: readonly ('submit' | 'cancel' | 'interrupt')[];
  /** How often a session may change its owner. */
  readonly maxClaims: number;
}

export interface Letter {
  readonly stage: 'unsent' | 'there' | 'gone';
  readonly isWithdrawn: boolean;
  /** Commits that were taken and applied it, and refusals. */
  readonly applied: number;
}

/** By which a node speaks of its ownership. `claim`: which claim it really is. */
export interface Ticket {
  readonly owner: NodeName;
  readonly lease: number;
  readonly claim: number;
}

export interface Write {
  readonly ticket: Ticket;
  readonly version: number;
  /** Null: the session is given back. */
  readonly step: null | {
    readonly records: readonly StepRecord[];
    readonly effects: readonly Effect[];
    readonly session: Session;
    /** The letter that it applies. */
    readonly letter: number | null;
  };
}

export interface Agent {
  readonly incarnation: Incarnation;
  readonly isReady: boolean;
  readonly isLeaving: boolean;
  readonly turn: TurnId | null;
  readonly isInterrupted: boolean;
  /** Written to it and not read. */
  readonly inbox: readonly { readonly type: 'prompt' | 'interrupt'; readonly turn: TurnId }[];
}

/** What a node holds of a session that it owns. */
export interface Holding {
  readonly ticket: Ticket;
  readonly version: number;
  readonly session: Session;
  readonly agent: Agent | null;
  readonly pending: Write | null;
  /** The store's word on what is pending; null: none yet. */
  readonly outcome: null | 'committed' | 'fenced' | 'withdrawn';
}

export interface World {
  readonly isDead: Readonly<Record<NodeName, boolean>>;
  readonly holds: Readonly<Record<NodeName, Holding | null>>;
  /** The row of the session. `claims`: how often it was claimed. */
  readonly owner: NodeName | null;
  readonly lease: number;
  readonly version: number;
  readonly claims: number;
  readonly durable: Durable;
  readonly letters: readonly Letter[];
  /** Final events, task by task. */
  readonly finals: readonly number[];
  /** Writes that nobody waits for. */
  readonly late: readonly Write[];
  /** Interrupts that were written to an agent whose node has let the session go. */
  readonly lateInterrupts: readonly { readonly incarnation: Incarnation; readonly turn: TurnId }[];
}

export interface Action {
  readonly who: string;
  readonly does: string;
}

export const limits = { maxPassedOver: 2, maxOpen: 9, partsPerStep: 9, freshWhenFull: true } as const;

export const initialWorld = (config: LettersConfig, core: Core): World => ({
  isDead: { A: false, B: false },
  holds: { A: null, B: null },
  owner: null,
  lease: 0,
  version: 0,
  claims: 0,
  durable: core.durableOf(core.newSession(sessionKey('s'), limits)),
  letters: config.letters.map(() => ({ stage: 'unsent', isWithdrawn: false, applied: 0 })),
  finals: config.letters.map(() => 0),
  late: [],
  lateInterrupts: [],
});

const nameOf = (index: number): string => `t${index}`;
export const indexOf = (task: string): number => Number(task.slice(1));

/** The command in a letter. A cancel means the task of the first one. */
export function commandOf(config: LettersConfig, index: number): Input {
  const kind = config.letters[index];
  if (kind === 'cancel') {
    return { at: 1, type: 'cancel', task: taskId(nameOf(0)), reason: 'cancelled', by: null };
  }
  return {
    at: 1,
    type: 'submit',
    about: { title: nameOf(index), source: 'model', author: 'sender' },
    payload: null,
    task: {
      id: taskId(nameOf(index)),
      lane: kind === 'interrupt' ? 'interactive' : 'background',
      mode: 'prompt',
      priority: 0,
      mergeGroup: null,
      whenBusy: kind === 'interrupt' ? 'interrupt' : 'enqueue',
      onLost: 'retry',
      maxAttempts: 2,
      conversation: 'current',
      expiresAt: null,
      model: null,
    },
  };
}
