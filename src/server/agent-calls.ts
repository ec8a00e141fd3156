/**
 * What the agent of a session may ask of its own daemon, in the turn that it has: submit and read, with the rights of the task that it works for and no
 * others, and never wait for its own session.
 */
import { untrustedRights } from '../core/model/permission.ts';
import type { BodyOf, Route } from '../protocol/index.ts';
import type { AgentTurn, Signalbox, SubmitRequest } from '../runtime/api.ts';
import { wantsStream } from './accept.ts';
import type { Call } from './context.ts';
import { ProblemError } from './respond.ts';
import { memberOf } from './rights.ts';
import type { Caller } from './tokens.ts';

/** Agents, one after the other, that may lead to a task. */
export const hopsMax = 4;

/** Throws `forbidden` where its agent has no turn, or one for a stranger's words. */
export async function agentTurn(signalbox: Signalbox, { agentOf, name }: Caller): Promise<AgentTurn | null> {
  if (agentOf === null) {
    return null;
  }
  const turn = await signalbox.turnOf(agentOf);
  if (turn === null || turn.task.payload.rights === untrustedRights) {
    const why = turn === null ? 'it has no turn now' : 'its task has the rights of a stranger';
    throw new ProblemError('forbidden', { detail: `The agent ${JSON.stringify(name)} cannot call the API: ${why}.` });
  }
  return turn;
}

type Parts = Pick<Call<never>, 'request'> & {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
};

/** Holds wait where nothing else is said. */
const waits = (route: Route, { request, query, body }: Parts): boolean =>
  (route.stream === true && wantsStream(request)) ||
  Number(memberOf(query, 'wait') ?? 0) > 0 ||
  ('wait' in (route.body?.properties ?? {}) && Number(memberOf(body, 'wait') ?? 1) > 0);

/** Throws `own_session` for what would wait until the agent's own turn is over. */
export async function checkWait(route: Route, parts: Parts, { agentOf }: Caller, signalbox: Signalbox): Promise<void> {
  const id = memberOf(parts.params, 'id');
  if (agentOf === null || typeof id !== 'string' || !route.path.startsWith('/v1/tasks/') || !waits(route, parts)) {
    return;
  }
  const task = await signalbox.task(id);
  if (task !== null && task.session === agentOf && task.endedAt === null) {
    throw new ProblemError('own_session', {
      detail: `The task ${id} runs in the session ${JSON.stringify(agentOf)} after this turn, which would wait for it.`,
    });
  }
}

/** Throws `forbidden` for more than the task of the agent has, `too_many_hops`. */
export function submitOfAgent(turn: AgentTurn, caller: Caller, body: BodyOf<'submitTask'>): SubmitRequest {
  const { task, lane, policy } = turn;
  const isUrgent = body.lane === 'interactive' && lane === 'background';
  const chosen = [
    ...(['permissions', 'rights'] as const).filter((name) => (body[name] ?? null) !== null),
    ...(isUrgent ? ['lane'] : []),
  ];
  if (chosen.length > 0) {
    throw new ProblemError('forbidden', {
      detail: `The agent ${JSON.stringify(caller.name)} submits with the lane, the rights and the policy of its own task; it cannot choose: ${chosen.join(', ')}.`,
    });
  }
  const hops = (task.payload.sentBy?.hops ?? 0) + 1;
  if (hops > hopsMax) {
    throw new ProblemError('too_many_hops', {
      detail: `It would be the task of agent number ${hops}; ${hopsMax} are the limit.`,
    });
  }
  return {
    ...body,
    lane: body.lane ?? lane,
    source: caller.name,
    rights: task.payload.rights,
    permissions: { mode: policy.mode, allow: [...policy.allow], deny: [...policy.deny] },
    sentBy: { task: task.row.id, session: task.session, hops },
  };
}
