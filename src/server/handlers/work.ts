/** What keeps agents from working: permissions they ask for, and providers that hold them back. */
import type { CommandAnswer } from '../../runtime/api.ts';
import { callerOf } from '../../runtime/session/callers.ts';
import type { Ok } from '../../protocol/index.ts';
import type { Answer, Handlers } from '../context.ts';
import { refuse } from '../context.ts';

type WorkOperation = 'listAsks' | 'answerAsk' | 'listProviders' | 'resumeProvider';

export const workHandlers: Handlers<WorkOperation> = {
  listAsks: async (_call, { signalbox }) => ({ status: 200, body: { items: await signalbox.asks() } }),
  answerAsk: async ({ params, body }, { signalbox }) =>
    done(await signalbox.answer(params.key, { ...body, by: callerOf(body.by) })),
  listProviders: async (_call, { signalbox }) => ({ status: 200, body: { items: await signalbox.providers() } }),
  resumeProvider: async ({ params }, { signalbox }) => done(await signalbox.resumeProvider(params.name)),
};

function done(answer: CommandAnswer): Answer<Ok> {
  return answer.kind === 'refused' ? refuse(answer) : { status: 200, body: { ok: true } };
}
