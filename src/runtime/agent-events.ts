/** From what a driver says to inputs of the core: JSON, without secrets, with the policy's verdict on what is asked. */
import { FAILURES, type ProviderFailure } from '../agents/failures.ts';
import type { AgentEvent, AgentResult } from '../agents/port.ts';
import type { Incarnation } from '../core/ids.ts';
import { taskId } from '../core/ids.ts';
import type { Input } from '../core/inputs.ts';
import type { TurnResult } from '../core/model.ts';
import type { PermissionAsk } from '../core/policy.ts';
import type { Redactor } from '../supervise/index.ts';
import { jsonValue } from './json.ts';

/** What a person sees of a request: redacted, and no longer than a request should be. */
export interface ShownAsk extends PermissionAsk {
  readonly detail: unknown;
}

export type Said = Exclude<AgentEvent, { type: 'exited' | 'asked' }>;

/** The core needs to know whether it passes; the tape keeps the whole of it. */
function resultOf({ outcome, empty, failure, data }: AgentResult, redact: Redactor): TurnResult {
  const kept = redact.value(jsonValue(data));
  if (failure === null) {
    return { outcome, empty, failure: null, data: kept };
  }
  const { passes, hint } = FAILURES[failure.class];
  const said = typeof kept === 'object' && kept !== null ? kept : { result: kept };
  return {
    outcome,
    empty,
    failure: { class: failure.class, passes },
    data: { ...said, failure: { ...shownFailure(failure, redact), hint } },
  };
}

export const shownFailure = (failure: ProviderFailure, redact: Redactor): ProviderFailure => ({
  ...failure,
  message: redact.text(failure.message),
});

export const shownAsk = ({ kind, tool, title }: PermissionAsk, detail: unknown, redact: Redactor): ShownAsk => ({
  kind,
  tool: redact.text(tool),
  title: redact.text(title),
  detail: redact.value(jsonValue(detail)),
});

export function inputOf(event: Said, inc: Incarnation, at: number, redact: Redactor): Input {
  switch (event.type) {
    case 'ready': {
      // A name with a secret in it is not kept, and so cannot be resumed: it was given to be seen.
      const named = event.conversation === null || redact.text(event.conversation) === event.conversation;
      const conversation = named ? event.conversation : null;
      return { type: 'agent-ready', at, inc, caps: event.caps, conversation, lost: event.lost };
    }
    case 'started':
      return { type: 'turn-started', at, inc, turn: event.turn };
    case 'output':
      return {
        type: 'output',
        at,
        inc,
        turn: event.turn,
        kind: event.kind,
        data: redact.value(jsonValue(event.data)),
      };
    case 'ack':
      return { type: 'ack', at, inc, turn: event.turn, none: event.none };
    case 'result':
      return { type: 'result', at, inc, turn: event.turn, result: resultOf(event.result, redact) };
    case 'retrying': {
      const data = { retrying: shownFailure(event.failure, redact) };
      return { type: 'output', at, inc, turn: event.turn, kind: 'notice', data };
    }
    case 'withdrawn':
      return { type: 'withdrawn', at, inc, turn: event.turn, request: redact.text(event.request) };
    case 'switched':
      return { type: 'switched', at, inc, model: event.model, ok: event.ok };
    case 'steered':
      return { type: 'steered', at, inc, turn: event.turn, task: taskId(event.id), taken: event.taken };
    case 'unsolicited':
      return { type: 'unsolicited', at, inc, phase: event.phase, data: redact.value(jsonValue(event.data)) };
  }
}
