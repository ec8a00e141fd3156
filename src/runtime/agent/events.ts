/** From what a driver says to inputs of the core: JSON, without secrets, with the policy's verdict on what is asked. */
import type { OutputPart, TurnFailure } from '../../core/model/output.ts';
import { failureRules, type ProviderFailure } from '../../agents/failures.ts';
import type { AgentEvent, AgentReport, AgentResult } from '../../agents/port.ts';
import { boundedDetail, readCost, readPart, readUsage } from '../../agents/shared/parts.ts';
import type { PermissionAction, RequestedAction } from '../../core/model/permission.ts';
import { type Incarnation, taskId } from '../../core/model/ids.ts';
import type { Input } from '../../core/model/inputs.ts';
import type { TurnResult } from '../../core/model/session.ts';
import type { Redactor } from '../../supervise/index.ts';
import { jsonValue } from '../json.ts';

const retryAfterMaxMs = 31 * 86_400_000;

export type Said = Exclude<AgentEvent, { type: 'exited' | 'permission-requested' | 'background' | 'spent' }>;

/** Everything an agent says is read again behind the redactor, which knows no types. */
const partOf = (part: OutputPart, redact: Redactor): OutputPart => readPart(redact.value(jsonValue(part)));

function reportOf({ text, usage: used, cost: spent, error }: AgentReport, redact: Redactor): AgentReport {
  const [usage, cost] = [readUsage(used), readCost(spent)];
  return {
    text: redact.text(text),
    ...(usage === null ? {} : { usage }),
    ...(cost === null ? {} : { cost }),
    ...(error === undefined ? {} : { error: redact.value(jsonValue(error)) }),
  };
}

function resultOf({ outcome, empty, failure, report: told }: AgentResult, redact: Redactor): TurnResult {
  const report = reportOf(told, redact);
  if (failure === null) {
    return { outcome, empty, report };
  }
  return { outcome, empty, report: { ...report, failure: turnFailure(failure, redact) } };
}

function turnFailure(failure: ProviderFailure, redact: Redactor): TurnFailure {
  const { transient, hint } = failureRules[failure.class];
  const { class: kind, message, retryAfterMs } = shownFailure(failure, redact);
  const login = kind === 'auth' ? { login: true as const } : {};
  return { class: kind, transient, ...login, message, hint, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
}

const waitOf = (ms: number | null): number | null =>
  ms !== null && ms >= 0 ? Math.ceil(Math.min(ms, retryAfterMaxMs)) : null;

/** Without secrets, and with a hint that a throttle can wait for: no provider's limit is longer than a month. */
export const shownFailure = (failure: ProviderFailure, redact: Redactor): ProviderFailure => ({
  ...failure,
  status: Number.isInteger(failure.status) ? failure.status : null,
  retryAfterMs: waitOf(failure.retryAfterMs),
  message: redact.text(failure.message),
});

/** What a person sees of a request: redacted, and with a bounded detail. */
export const shownAction = (
  { kind, tool, title }: RequestedAction,
  detail: unknown,
  redact: Redactor,
): PermissionAction => ({
  kind,
  tool: redact.text(tool),
  title: redact.text(title),
  // Redacted first: a secret that the cut divides would not be recognised.
  detail: boundedDetail(redact.value(jsonValue(detail))),
});

export function inputOf(event: Said, incarnation: Incarnation, at: number, redact: Redactor): Input {
  switch (event.type) {
    case 'ready': {
      // A name with a secret in it is not kept, and so cannot be resumed: it was given to be seen.
      const named = event.conversation === null || redact.text(event.conversation) === event.conversation;
      const conversation = named ? event.conversation : null;
      return {
        type: 'agent-ready',
        at,
        incarnation,
        caps: event.caps,
        conversation,
        conversationReset: event.conversationReset,
      };
    }
    case 'started':
      return { type: 'turn-started', at, incarnation, turn: event.turn };
    case 'output':
      return {
        type: 'output',
        at,
        incarnation,
        turn: event.turn,
        part: partOf(event.part, redact),
      };
    case 'ack':
      return { type: 'ack', at, incarnation, turn: event.turn, noResult: event.noResult };
    case 'result':
      return { type: 'result', at, incarnation, turn: event.turn, result: resultOf(event.result, redact) };
    case 'retrying': {
      const detail = shownFailure(event.failure, redact);
      const part = { kind: 'notice', code: 'retrying', message: detail.message, detail } as const;
      return { type: 'output', at, incarnation, turn: event.turn, part };
    }
    case 'permission-withdrawn':
      return {
        type: 'permission-withdrawn',
        at,
        incarnation,
        turn: event.turn,
        request: redact.text(event.request),
      };
    case 'switched':
      return { type: 'switched', at, incarnation, model: event.model, ok: event.ok };
    case 'steered':
      return { type: 'steered', at, incarnation, turn: event.turn, task: taskId(event.id), taken: event.delivered };
    case 'unsolicited':
      return {
        type: 'unsolicited',
        at,
        incarnation,
        phase: event.phase,
        data: redact.value(jsonValue(event.data)),
      };
  }
}
