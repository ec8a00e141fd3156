/** Sessions: look at, and what an operator does to one. */
import type { SessionView as RuntimeSession, Signalbox } from '../../runtime/api.ts';
import { actorOf } from '../caller.ts';
import { absent, type Handlers, okOrRefuse, refuse } from '../context.ts';
import { sessionSummary, sessionView } from '../views.ts';

type SessionOperation =
  | 'listSessions'
  | 'getSession'
  | 'stopSession'
  | 'evictSession'
  | 'parkSession'
  | 'unparkSession'
  | 'restartAgent'
  | 'newConversation'
  | 'assignAgent';

/** Throws `unknown_session`. */
export async function sessionOf(signalbox: Signalbox, key: string): Promise<RuntimeSession> {
  const session = await signalbox.session(key);
  if (session === null) {
    throw absent('unknown_session', key);
  }
  return session;
}

export const sessionHandlers: Handlers<SessionOperation> = {
  async listSessions({ query }, { signalbox }) {
    const page = await signalbox.sessions(query.cursor ?? null, query.limit ?? 50);
    const items = page.items.map((session) => sessionSummary(session, signalbox.sessionNow(session)));
    return { status: 200, body: { items, cursor: page.cursor } };
  },

  async getSession({ params }, { signalbox }) {
    return { status: 200, body: sessionView(await sessionOf(signalbox, params.key)) };
  },

  async stopSession({ params, body, caller }, { signalbox }) {
    const answer = await signalbox.stop(params.key, body.scope, actorOf(caller, body.by));
    if (answer.kind === 'refused') {
      return refuse(answer, params.key);
    }
    return { status: 200, body: { session: params.key, scope: body.scope, receipts: answer.receipts } };
  },

  evictSession: async ({ params, body, caller }, { signalbox }) =>
    okOrRefuse(await signalbox.evict(params.key, { ...body, by: actorOf(caller, body.by) }), params.key),
  parkSession: async ({ params, body, caller }, { signalbox }) =>
    okOrRefuse(await signalbox.park(params.key, body.reason, actorOf(caller, body.by)), params.key),
  unparkSession: async ({ params, body, caller }, { signalbox }) =>
    okOrRefuse(await signalbox.unpark(params.key, actorOf(caller, body.by)), params.key),
  restartAgent: async ({ params, body, caller }, { signalbox }) =>
    okOrRefuse(await signalbox.restartAgent(params.key, actorOf(caller, body.by)), params.key),

  async newConversation({ params, body, caller }, { signalbox }) {
    const answer = await signalbox.newConversation(params.key, actorOf(caller, body.by));
    if (answer.kind === 'refused') {
      return refuse(answer, params.key);
    }
    return { status: 200, body: { session: params.key, state: answer.state, turn: answer.turn } };
  },

  async assignAgent({ params, body, caller }, { signalbox }) {
    const { agent, model = null } = body;
    const answer = await signalbox.assignAgent(params.key, { agent, model }, actorOf(caller, body.by));
    if (answer.kind === 'refused') {
      return refuse(answer, answer.code === 'unknown_agent' ? agent : params.key);
    }
    const { state, turn, conversationLost } = answer;
    return { status: 200, body: { session: params.key, agent, model, state, turn, conversationLost } };
  },
};
