/** What an agent's silence means, from what its runtime and the system know of it. Pure: the one place where it is decided. */
import type { HangClass } from '../../core/model/hang.ts';

/** Milliseconds. */
export interface AgentPatience {
  /** Silence in a turn after which the agent is looked at. */
  readonly quietMs: number;
  /** How long an answer may take that a living program gives at once, by what was asked. */
  readonly answers: { readonly [what: string]: number };
  /** How long a process may be gone before its end has been told. */
  readonly goneMs: number;
}

export interface AgentSight {
  readonly inTurn: boolean;
  readonly ending: boolean;
  readonly permissionRequests: number;
  readonly quietMs: number | null;
  readonly pending: readonly { readonly what: string; readonly id: string; readonly ageMs: number }[];
  /** Since its process was first seen to be gone, though its end was not told; null: it lives, or there is none. */
  readonly goneMs: number | null;
  /**
   * CPU of its own process over the last window, got or waited for, as a part of one core; null: not measured, or no process
   * of its own.
   */
  readonly ownCpu: number | null;
  /** The same with all its descendants. */
  readonly treeCpu: number | null;
}

export interface AgentVerdict {
  readonly class: HangClass;
  readonly why: string;
}

/**
 * From here on it does nothing but that. Below 1, since the kernel counts a wait for a processor once it is over: on a busy
 * machine a window ends within one.
 */
const spinningCpu = 0.9;
/** A program that waits for the network uses less; a tool that works uses more. */
const silentCpu = 0.05;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;

/** Null: nothing is wrong with it. A wait for a person is no hang, however long it takes. */
export function classify(sight: AgentSight, patience: AgentPatience): AgentVerdict | null {
  const { goneMs, permissionRequests, inTurn, quietMs, ownCpu, treeCpu } = sight;
  if (goneMs !== null && goneMs >= patience.goneMs) {
    return { class: 'channel-orphaned', why: `its process is gone for ${seconds(goneMs)}, its pipes are still held` };
  }
  if (permissionRequests > 0) {
    return {
      class: 'waiting-for-person',
      why: `${permissionRequests} permission request${permissionRequests === 1 ? '' : 's'}`,
    };
  }
  const quiet = inTurn && quietMs !== null && quietMs >= patience.quietMs ? quietMs : null;
  const late = sight.pending.find(({ what, ageMs }) => ageMs >= (patience.answers[what] ?? Number.POSITIVE_INFINITY));
  const mute = quiet ?? late?.ageMs ?? null;
  if (mute !== null && ownCpu !== null && ownCpu > spinningCpu) {
    return { class: 'agent-spinning', why: `it says nothing for ${seconds(mute)} and uses all of a core` };
  }
  if (late !== undefined) {
    const why = `it lives and has not answered ${late.what} ${late.id} for ${seconds(late.ageMs)}`;
    return { class: 'protocol-stuck', why };
  }
  if (quiet !== null && (treeCpu === null || treeCpu < silentCpu)) {
    const cpu = treeCpu === null ? '' : ' and uses no CPU, nor do its tools';
    return { class: 'agent-silent', why: `it says nothing for ${seconds(quiet)}${cpu}` };
  }
  return null;
}
