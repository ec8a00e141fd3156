/** How an agent is ended. It starts again when the next turn needs it: see `arrange`. */
import type { Actor } from '../model/actor.ts';
import type { AgentEndReason } from '../model/reasons.ts';
import type { Agent } from '../model/session.ts';
import { type Draft, sessionEvent } from '../draft.ts';

/** Names the process it ends. Its turn, if one is on the wire, is the caller's to settle in the same step. `by`: who asked for it. */
export function killAgent(d: Draft, reason: AgentEndReason, by: Actor | null = null): void {
  const agent = d.s.agent;
  if (agent.kind === 'none' || agent.kind === 'ending') {
    return;
  }
  d.s.agent = { kind: 'ending', incarnation: agent.incarnation };
  d.effects.push({ type: 'kill', incarnation: agent.incarnation });
  sessionEvent(d, 'agent-ending', { incarnation: agent.incarnation, reason, by });
}

/** The agent is up, and takes neither a turn of ours nor one of its own. */
export const atRest = (agent: Agent): boolean =>
  agent.kind === 'up' && agent.activity === 'boundary' && !agent.unsolicited;

/** Lets an agent in no turn of ours leave by itself; the next turn starts another with the conversation resumed. `by`: who gets its place. */
export function closeAgent(d: Draft, reason: AgentEndReason, by: Actor | null = null): void {
  const agent = d.s.agent;
  if (agent.kind === 'up') {
    d.s.agent = { kind: 'ending', incarnation: agent.incarnation };
    d.effects.push({ type: 'close', incarnation: agent.incarnation });
    sessionEvent(d, 'agent-ending', { incarnation: agent.incarnation, reason, by });
  }
}
