/** What a sender reads: receipts, reasons, problem documents. */
import type { ErrorCode } from '../../core/error-codes.ts';
import type { HookHead, HookResponse } from '../../protocol/hooks.ts';
import { fullParts, problem, type ProblemParts, retryAfterS } from '../../protocol/problem.ts';
import type { SubmitAnswer } from '../../runtime/api.ts';
import type { Built } from './task-template.ts';

/** How long a refused sender is asked to wait, where waiting helps and no better time is known. */
const retryAfterMs = 30_000;

export function refuse(request: HookHead, code: ErrorCode, parts: ProblemParts = {}): HookResponse {
  const body = problem(code, { ...parts, instance: request.requestId });
  return {
    status: body.status,
    body,
    headers: {
      'content-type': 'application/problem+json',
      ...(body.retryable ? { 'retry-after': retryAfterS(body.retryAfterMs ?? retryAfterMs) } : {}),
    },
  };
}

/** 200: read, understood, and no task made, for this reason. */
export function ignored(event: string, reason: string, detail: string): HookResponse {
  return { status: 200, body: { status: 'ignored', event, reason, detail } };
}

/** After `submit` resolved: 202 with the receipt, or what refused it. Nothing of a refused delivery is stored, so that it can be delivered again. */
export function receipt(request: HookHead, answer: SubmitAnswer): HookResponse {
  if (answer.kind === 'refused') {
    return refuse(request, answer.code, answer.full === undefined ? {} : fullParts(answer.full));
  }
  const { kind: status, ...rest } = answer;
  return { status: 202, body: { status, ...rest } };
}

/** A verified delivery of which no task can be made. */
export function unbuildable(request: HookHead, built: Exclude<Built, { kind: 'task' }>): HookResponse {
  if (built.kind === 'missing') {
    return refuse(request, 'invalid_request', {
      detail: `The rule requires ${built.facts.map(({ path }) => path).join(', ')}, and the delivery does not have it.`,
      errors: built.facts.map(({ name, path }) => ({
        path: `/body/${path.replaceAll('.', '/')}`,
        message: `absent or empty; needed as "${name}"`,
      })),
    });
  }
  if (built.kind === 'outside') {
    return refuse(request, 'invalid_request', {
      detail: `The template makes the session ${JSON.stringify(built.session.slice(0, 300))}, which does not begin with ${JSON.stringify(built.prefix)}.`,
    });
  }
  if (built.kind === 'too-deep') {
    return refuse(request, 'invalid_request', {
      detail: 'The payload is the input of a code runner or a holder and is nested more than 64 levels deep.',
    });
  }
  return refuse(request, 'invalid_request', {
    detail: `The template makes the ${built.what} ${JSON.stringify(built.value.slice(0, 300))}; it must have 1 to 200 characters and no control characters.`,
  });
}
