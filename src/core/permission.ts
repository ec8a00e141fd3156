/**
 * Permission requests of the agent (design, section 6): decided by the task's policy, or waiting for a person. A wait for a
 * person is no hang: it has a deadline of its own in place of the silence deadline, and an interrupt withdraws it.
 */
import { actorDeadline, AGENT, OPEN_REQUESTS, POLICY } from './actors.ts';
import { type Draft, mustHold, NO_ASKS, taskEvent } from './draft.ts';
import { invariant } from './errors.ts';
import type { Actor } from './events.ts';
import type { InputOf } from './inputs.ts';
import type { Turn } from './model.ts';
import type { Reply } from './outputs.ts';
import { liveTurn, setTurn } from './turn.ts';

const OK: Reply = { kind: 'ok' };

/** More than a person could answer: an agent that asks for more at once is told no. */
const asksMax = 32;

export function asked(d: Draft, input: InputOf<'asked'>): Reply {
  const turn = liveTurn(d, 'asked', input.inc, input.turn);
  if (typeof turn === 'string') {
    return { kind: 'stale', what: turn };
  }
  if (turn.asks.includes(input.request)) {
    return { kind: 'stale', what: 'unasked' };
  }
  const { request } = input;
  taskEvent(d, mustHold(d).task, 'permission-requested', { turn: turn.id, request, action: input.action });
  if (turn.intent !== null) {
    answer(d, turn, request, { allow: false, decision: 'withdrawn', by: turn.by, note: null });
    return OK;
  }
  const { verdict } = input;
  if (verdict !== null) {
    answer(d, turn, request, { allow: verdict === 'allow', decision: verdict, by: POLICY, note: null });
    return OK;
  }
  if (turn.asks.length >= asksMax) {
    answer(d, turn, request, { allow: false, decision: 'deny', by: OPEN_REQUESTS, note: null });
    return OK;
  }
  setAsks(d, turn, [...turn.asks, request]);
  return OK;
}

export function withdrawn(d: Draft, input: InputOf<'withdrawn'>): Reply {
  const turn = liveTurn(d, 'withdrawn', input.inc, input.turn);
  if (typeof turn === 'string') {
    return { kind: 'stale', what: turn };
  }
  const { request } = input;
  if (!turn.asks.includes(request)) {
    return { kind: 'stale', what: 'unasked' };
  }
  const resolved = { turn: turn.id, request, decision: 'withdrawn', by: AGENT, note: null } as const;
  taskEvent(d, mustHold(d).task, 'permission-resolved', resolved);
  setAsks(d, turn, without(turn, request));
  return OK;
}

export function decide(d: Draft, input: InputOf<'decide'>): Reply {
  const turn = d.s.hold?.turn ?? null;
  if (turn === null || turn.id !== input.turn || !turn.asks.includes(input.request)) {
    return { kind: 'refused', code: 'nothing_asked' };
  }
  const decision = input.allow ? 'allow' : 'deny';
  answer(d, turn, input.request, { allow: input.allow, decision, by: input.by, note: input.note });
  setAsks(d, turn, without(turn, input.request));
  return OK;
}

/** Nobody has answered in time: all that waits is denied, and the turn goes on. */
export function askReached(d: Draft, turn: Turn): void {
  for (const request of turn.asks) {
    answer(d, turn, request, { allow: false, decision: 'deny', by: actorDeadline('ask'), note: null });
  }
  setAsks(d, turn, NO_ASKS);
}

const without = (turn: Turn, request: string): readonly string[] => turn.asks.filter((one) => one !== request);

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
  d.effects.push({ type: 'answer', inc: agent.inc, turn: turn.id, request, allow, note });
}

/** The silence deadline rests while a person is waited for. */
function setAsks(d: Draft, turn: Turn, asks: readonly string[]): void {
  const waited = turn.asks.length > 0;
  const waits = asks.length > 0;
  setTurn(d, { ...turn, asks });
  if (waited !== waits) {
    d.effects.push(
      { type: 'disarm', timer: waits ? 'silence' : 'ask', of: turn.id },
      { type: 'arm', timer: waits ? 'ask' : 'silence', of: turn.id },
    );
  }
}
