/** The live sessions of a runtime at a glance, for hang reports: synchronous, bounded, without I/O. Reads, never decides. */
import { treeSize } from '../../core/tree.ts';
import type { Actor } from '../session/actor.ts';
import type { LiveSession } from '../api.ts';
import { agentOf, ownerOf } from './explain.ts';

/** A longer report does not help a reader. */
export const liveMax = 200;

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
