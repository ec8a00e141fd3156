/**
 * Permission requests of the agent: decided by the task's policy, or waiting for a person. A wait for a
 * person is not a hang: the `permission` deadline replaces the silence deadline, and an interrupt withdraws the request.
 */
import { actorDeadline, agentActor, openRequests, policyActor, type Actor } from '../model/actor.ts';
import { type Draft, mustHold, noRequests, taskEvent } from '../draft.ts';
import { invariant } from '../errors.ts';
import type { InputOf } from '../model/inputs.ts';
import type { Turn } from '../model/session.ts';
import type { Reply } from '../model/replies.ts';
import { treeGet, treePut } from '../tree.ts';
import { setTurn } from './turn.ts';

const okReply: Reply = { kind: 'ok' };

/** More than a person could answer: any further request is denied. */
const maxOpenRequests = 32;

export function permissionRequested(d: Draft, live: Turn, input: InputOf<'permission-requested'>): Reply {
  const { request } = input;
  if (treeGet(live.requested, request) !== undefined) {
    return { kind: 'stale', what: 'unexpected' };
  }
  const turn: Turn = { ...live, requested: treePut(live.requested, request, true) };
  setTurn(d, turn);
  taskEvent(d, mustHold(d).task, 'permission-requested', { turn: turn.id, request, action: input.action });
  if (turn.interrupt !== null) {
    answer(d, turn, request, { allow: false, decision: 'withdrawn', by: turn.interrupt.by, note: null });
    return okReply;
  }
  const { policyDecision: decision, policyNote: note } = input;
  if (decision !== null) {
    answer(d, turn, request, { allow: decision === 'allow', decision, by: policyActor, note });
    return okReply;
  }
  if (turn.permissionRequests.length >= maxOpenRequests) {
    answer(d, turn, request, { allow: false, decision: 'deny', by: openRequests, note: null });
    return okReply;
  }
  setRequests(d, turn, [...turn.permissionRequests, request]);
  return okReply;
}

export function permissionWithdrawn(d: Draft, turn: Turn, input: InputOf<'permission-withdrawn'>): Reply {
  const { request } = input;
  if (!turn.permissionRequests.includes(request)) {
    return { kind: 'stale', what: 'unexpected' };
  }
  const resolved = { turn: turn.id, request, decision: 'withdrawn', by: agentActor, note: null } as const;
  taskEvent(d, mustHold(d).task, 'permission-resolved', resolved);
  setRequests(d, turn, without(turn, request));
  return okReply;
}

export function respond(d: Draft, input: InputOf<'respond'>): Reply {
  const turn = d.s.hold?.turn ?? null;
  if (turn === null || turn.id !== input.turn || !turn.permissionRequests.includes(input.request)) {
    return { kind: 'refused', code: 'no_permission_request' };
  }
  const decision = input.allow ? 'allow' : 'deny';
  answer(d, turn, input.request, { allow: input.allow, decision, by: input.by, note: input.note });
  setRequests(d, turn, without(turn, input.request));
  return okReply;
}

/** No person has answered in time: all open requests are denied, and the turn continues. */
export function denyOpenRequests(d: Draft, turn: Turn): void {
  for (const request of turn.permissionRequests) {
    answer(d, turn, request, { allow: false, decision: 'deny', by: actorDeadline('permission'), note: null });
  }
  setRequests(d, turn, noRequests);
}

const without = (turn: Turn, request: string): readonly string[] =>
  turn.permissionRequests.filter((one) => one !== request);

interface Decision {
  readonly allow: boolean;
  readonly decision: 'allow' | 'deny' | 'withdrawn';
  readonly by: Actor | null;
  readonly note: string | null;
}

function answer(d: Draft, turn: Turn, request: string, decided: Decision): void {
  const agent = d.s.agent;
  const { allow, decision, by, note } = decided;
  taskEvent(d, mustHold(d).task, 'permission-resolved', { turn: turn.id, request, decision, by, note });
  invariant(agent.kind === 'up', 'an answer goes to a running agent');
  d.effects.push({ type: 'respond', incarnation: agent.incarnation, turn: turn.id, request, allow, note });
}

const setRequests = (d: Draft, turn: Turn, requests: readonly string[]): void =>
  setTurn(d, { ...turn, permissionRequests: requests });
