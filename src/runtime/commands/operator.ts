/** Commands of an operator for one session or one provider. Each becomes an input of the session's actor; `step` decides. */
import { epoch as epochOf, turnId } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { Reply } from '../../core/model/replies.ts';
import type { CommandAnswer, OperatorCommands, Refused } from '../api.ts';
import { stopsPerStep } from '../options.ts';
import type { RuntimeParts } from '../parts.ts';
import { providerViews } from '../queries/live.ts';
import { refusal, refused } from '../refusals.ts';

type MakeInput = (at: number) => Input;

export function operatorCommands(parts: RuntimeParts): OperatorCommands {
  const { context, registry, key, ready } = parts;
  const command = async (session: string, make: MakeInput): Promise<CommandAnswer> => {
    const reply = await ask(parts, session, make);
    return reply.kind === 'ok' ? { kind: 'ok' } : refusal(reply);
  };
  return {
    async stop(session, scope, by) {
      const reply = await ask(parts, session, (at) => ({
        type: 'stop',
        at,
        scope,
        by: by ?? null,
        atMost: stopsPerStep,
      }));
      return reply.kind === 'receipts' ? { kind: 'receipts', receipts: reply.receipts } : refusal(reply);
    },
    async evict(session, { epoch, by } = {}) {
      const held = epoch === undefined ? null : epochOf(epoch);
      return command(session, (at) => ({ type: 'evict', at, epoch: held, by: by ?? null }));
    },
    async park(session, reason, by) {
      return command(session, (at) => ({ type: 'park', at, kind: 'operator', reason, by: by ?? null }));
    },
    async unpark(session, by) {
      return command(session, (at) => ({ type: 'unpark', at, by: by ?? null }));
    },
    async restartAgent(session, by) {
      return command(session, (at) => ({ type: 'restart-agent', at, by: by ?? null }));
    },
    async newConversation(session, by) {
      const reply = await ask(parts, session, (at) => ({ type: 'new-conversation', at, by: by ?? null }));
      return reply.kind === 'conversation' ? reply : refusal(reply);
    },
    async assignAgent(session, { agent, model }, by) {
      if (!parts.context.fleet.has(agent)) {
        return refused('unknown_agent');
      }
      const reply = await ask(parts, session, (at) => ({ type: 'assign-agent', at, agent, model, by: by ?? null }));
      return reply.kind === 'assigned' ? reply : refusal(reply);
    },
    async respond(session, { turn, request, allow, note, by }) {
      const response = { turn: turnId(turn), request, allow, note: note ?? null, by: by ?? null };
      return command(session, (at) => ({ type: 'respond', at, ...response }));
    },
    async resumeProvider(name) {
      await ready;
      if (!providerViews(parts).some((provider) => provider.name === name)) {
        return refused('unknown_provider');
      }
      const others = (await parts.cluster?.askAll('resumeProvider', name)) ?? [];
      return registry.resumeProvider(name) || others.includes(true) ? { kind: 'ok' } : refused('not_throttled');
    },
    noteHang(session, note) {
      const actor = registry.live(key(session));
      actor?.post({ type: 'report', at: context.clock.wall(), note });
      return actor !== null;
    },
  };
}

async function ask(
  { context, registry, key: keyOf, ready }: RuntimeParts,
  session: string,
  make: MakeInput,
): Promise<Reply | Refused> {
  await ready;
  const key = keyOf(session);
  if (registry.live(key) === null && (await context.store.session(key)) === null) {
    return refused('unknown_session');
  }
  return registry.ask(key, make(context.clock.wall()));
}
