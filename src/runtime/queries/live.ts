/** The live sessions of a runtime at a glance, for hang reports: synchronous, bounded, without I/O. Reads, never decides. */
import { treeSize } from '../../core/tree.ts';
import type { Actor } from '../session/actor.ts';
import type { PendingView } from '../agent/unanswered-requests.ts';
import { agentOf, ownerOf } from './explain.ts';

/** A longer report does not help a reader. */
export const liveMax = 200;

export interface LiveSession {
  readonly session: string;
  /** For a person: `in a turn (draining)`. */
  readonly phase: string;
  readonly task: string | null;
  readonly turn: number | null;
  /** The agent has a prompt of ours and has not ended it. */
  readonly inTurn: boolean;
  readonly queued: number;
  readonly incarnation: number | null;
  readonly process: { readonly pid: number; readonly startTime: string } | null;
  /** The beginning of its thread's name, where it is a thread of ours. */
  readonly threadName: string | null;
  /** It has got the request to end. */
  readonly ending: boolean;
  /** Since the agent's last word, or since it was given the word; null: there is no agent. */
  readonly quietMs: number | null;
  /** Written to the agent and not answered, oldest first. */
  readonly pending: readonly PendingView[];
  /** Permission requests that wait for a person. */
  readonly permissionRequests: number;
}

export function liveSession(actor: Actor): LiveSession {
  const { committed: session, host } = actor;
  const owner = ownerOf(actor);
  const agent = host.facts();
  const turn = session.hold?.turn ?? null;
  return {
    session: actor.key,
    phase: `${agentOf(actor)}${owner === null ? '' : ` (${owner.phase})`}`,
    task: owner?.task ?? null,
    turn: owner?.turn ?? null,
    inTurn: turn !== null && turn.phase !== 'pending',
    queued: treeSize(session.queue),
    incarnation: agent?.incarnation ?? null,
    process: agent?.process ?? null,
    threadName: agent?.threadName ?? null,
    ending: agent?.ending ?? false,
    quietMs: agent?.quietMs ?? null,
    pending: agent?.pending ?? [],
    permissionRequests: turn?.permissionRequests.length ?? 0,
  };
}
