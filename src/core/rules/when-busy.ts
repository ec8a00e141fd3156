/**
 * What each `whenBusy` does. The table is total: a new policy does not compile until each question is answered for it, and
 * admission and the queue ask nothing else of a policy.
 */
import type { WhenBusy } from '../model/task.ts';

/**
 * The tasks that a message ends: those that are still queued; or the owner, which ends with the reason given, and with it an interactive
 * task that waits to go on, and an earlier message that waits to interrupt.
 */
export type Ends =
  | { readonly whom: 'queued' }
  | { readonly whom: 'owner'; readonly reason: 'interrupted' | 'rolled_back' };

interface BusyPolicy {
  /** While it waits in the interactive lane, a running background turn is interrupted for it. */
  readonly preempts: boolean;
  /**
   * The turn of another task that takes its text, where there is one: a turn that is still queued and open for further parts
   * (without one, it opens itself for a while), or the turn that runs (without one, it is queued).
   */
  readonly joins: 'queued-turn' | 'running-turn' | null;
  readonly ends: Ends | null;
  /** The turn of the owner that it ends is taken out of the conversation; refused where the agent cannot. */
  readonly rewinds: boolean;
  /** It is refused where anything is open. */
  readonly refusedWhenBusy: boolean;
}

/** All but `preempts` and `refusedWhenBusy` is about tasks of the same merge group. */
export const busyPolicies: { readonly [W in WhenBusy]: BusyPolicy } = {
  preempt: { preempts: true, joins: null, ends: null, rewinds: false, refusedWhenBusy: false },
  enqueue: { preempts: false, joins: null, ends: null, rewinds: false, refusedWhenBusy: false },
  steer: { preempts: false, joins: 'running-turn', ends: null, rewinds: false, refusedWhenBusy: false },
  collect: { preempts: true, joins: 'queued-turn', ends: null, rewinds: false, refusedWhenBusy: false },
  replace: {
    preempts: true,
    joins: null,
    ends: { whom: 'queued' },
    rewinds: false,
    refusedWhenBusy: false,
  },
  interrupt: {
    preempts: true,
    joins: null,
    ends: { whom: 'owner', reason: 'interrupted' },
    rewinds: false,
    refusedWhenBusy: false,
  },
  rollback: {
    preempts: true,
    joins: null,
    ends: { whom: 'owner', reason: 'rolled_back' },
    rewinds: true,
    refusedWhenBusy: false,
  },
  reject: { preempts: true, joins: null, ends: null, rewinds: false, refusedWhenBusy: true },
};
