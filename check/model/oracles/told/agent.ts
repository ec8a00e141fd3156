/** What the session's tape says of its agent: that it is started, asked for another model, or ended, by whom and why. */
import type { Effect } from '../../../../src/core/model/effects.ts';
import type { SessionEventData } from '../../../../src/core/model/events.ts';
import type { TimerName } from '../../../../src/core/model/timers.ts';
import { assignedBy, changesAgent, endedConversation } from './conversation.ts';
import type { Facts } from './facts.ts';
import type { Told } from './told.ts';
import { nothing, ofSession } from './told.ts';

type Ending = Pick<SessionEventData['agent-ending'], 'reason' | 'by'>;

/** The deadlines that end an agent: those of a wait for the agent itself. */
const killers: ReadonlySet<TimerName> = new Set(['start', 'switch', 'unsolicited', 'drain']);

/** Why an agent may be killed (rules 9, 18); null: an honest agent that nobody wants to end lives on. */
function whyKilled({ input }: Facts): Ending | null {
  if (input.type === 'timer') {
    return killers.has(input.name) ? { reason: `${input.name}_deadline`, by: null } : null;
  }
  if (input.type === 'evict') {
    return { reason: 'evicted', by: input.by };
  }
  if (input.type === 'restart-agent') {
    return { reason: 'restart', by: input.by };
  }
  return input.type === 'fault' ? { reason: 'fault', by: null } : null;
}

/** Why an agent may be let go: it rests, another session needs its place, or the next turn is for another model. */
function whyClosed(facts: Facts): Ending | null {
  const { input, after, before } = facts;
  if (input.type === 'timer' && input.name === 'idle') {
    return { reason: 'idle', by: null };
  }
  if (input.type === 'make-room') {
    return { reason: 'make_room', by: null };
  }
  if (input.type === 'switched' && !input.ok) {
    return { reason: 'model_switch', by: null };
  }
  const leavesFor = before.agent.kind === 'up' ? before.agent.leavesFor : null;
  if (input.type === 'give-way' || leavesFor !== null) {
    return { reason: 'give_way', by: input.type === 'give-way' ? input.by : leavesFor };
  }
  if (changesAgent(facts)) {
    return { reason: 'agent_assigned', by: assignedBy(facts) };
  }
  if (endedConversation(facts) !== null) {
    return { reason: 'fresh_conversation', by: null };
  }
  const model = before.agent.kind === 'up' || before.agent.kind === 'starting' ? before.agent.model : null;
  const turn = after.hold?.turn ?? null;
  return turn !== null && turn.phase === 'pending' && turn.model !== model
    ? { reason: 'model_switch', by: null }
    : null;
}

function toldByEffect(effect: Effect, facts: Facts): readonly Told[] {
  const { before } = facts;
  switch (effect.type) {
    case 'start': {
      const { incarnation, model } = effect;
      const named = facts.after.assigned === null ? {} : { agent: facts.after.assigned.agent };
      return [ofSession('agent-starting', { incarnation, resume: effect.conversation !== null, model, ...named })];
    }
    case 'kill':
    case 'close': {
      const why = effect.type === 'kill' ? whyKilled(facts) : whyClosed(facts);
      const { incarnation } = effect;
      return [ofSession('agent-ending', { incarnation, ...(why ?? { reason: 'no cause', by: null }) })];
    }
    case 'switch': {
      const from = before.agent.kind === 'up' || before.agent.kind === 'starting' ? before.agent.model : null;
      return [ofSession('model-switching', { incarnation: effect.incarnation, from, to: effect.model })];
    }
    case 'prompt':
    case 'interrupt':
    case 'steer':
    case 'respond':
    case 'run':
    case 'abort':
    case 'settle':
    case 'continue':
    case 'arm':
    case 'disarm':
      return nothing;
  }
}

export function toldOfAgent(facts: Facts): readonly Told[] {
  const told: Told[] = [];
  for (const effect of facts.result.effects) {
    const one = toldByEffect(effect, facts);
    if (one.length > 0) {
      told.push(...one);
    }
  }
  return told;
}
