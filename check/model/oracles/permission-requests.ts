/** Permission requests: decided once each, by the policy, a person, or the rule that ended the wait. */
import type { Input } from '../../../src/core/model/inputs.ts';
import type { Session } from '../../../src/core/model/session.ts';
import type { StepResult } from '../../../src/core/model/replies.ts';
import type { Report } from '../report.ts';
import type { Move } from './move.ts';

const allowed = 'nothing is allowed but by the policy or a person';
const obeyed = 'the answer of the policy or of a person is the one that is given';
const once = 'every request has one decision on the tape';
const waits = 'a person is waited for exactly where the policy has no answer';

export function judgeAsks({ world, input, result }: Move, report: Report): void {
  const given = result.effects.flatMap((effect) => (effect.type === 'respond' ? [effect] : []));
  const decided = decisionOf(input, world.session);
  for (const { turn, request, allow } of given) {
    const own = decided !== null && decided.turn === turn && decided.request === request;
    if (allow && !(own && decided.allow)) {
      report.fail(allowed, `${request} of turn ${turn} is allowed by nobody`);
    }
  }
  if (decided !== null && !given.some((one) => one.request === decided.request && one.allow === decided.allow)) {
    report.fail(obeyed, `${decided.request} of turn ${decided.turn} is not answered as was decided`);
  }
  judgeTape(world.session, result, report);
  const turn = world.session.hold?.turn ?? null;
  if (input.type === 'permission-requested' && input.policyDecision === null && turn?.interrupt === null) {
    if (result.session.hold?.turn?.permissionRequests.includes(input.request) !== true) {
      report.fail(waits, 'nobody is asked');
    }
  } else if (asksOf(result.session).length > asksOf(world.session).length) {
    report.fail(waits, `a person is asked after ${input.type}`);
  }
}

/** What the input decides, if it does and the turn may still be answered. */
function decisionOf(input: Input, { hold }: Session): { turn: number; request: string; allow: boolean } | null {
  if (input.type === 'respond') {
    return input;
  }
  if (input.type !== 'permission-requested' || input.policyDecision === null || hold?.turn?.interrupt !== null) {
    return null;
  }
  return { turn: input.turn, request: input.request, allow: input.policyDecision === 'allow' };
}

const asksOf = (session: Session): readonly string[] => session.hold?.turn?.permissionRequests ?? [];

/** What was open or is asked now is decided now or stays open: of one turn, since its end leaves nothing open. */
function judgeTape(before: Session, result: StepResult, report: Report): void {
  const open = [...asksOf(before)];
  for (const record of result.records) {
    if (record.type !== 'event') {
      continue;
    }
    const { event } = record;
    if (event.type === 'permission-requested') {
      open.push(event.data.request);
    }
    if (event.type !== 'permission-resolved') {
      continue;
    }
    const { request } = event.data;
    const at = open.indexOf(request);
    if (at < 0) {
      report.fail(once, `${request} is decided and not asked, or a second time`);
    } else {
      open.splice(at, 1);
    }
  }
  const left = asksOf(result.session);
  if (open.length !== left.length || open.some((request) => !left.includes(request))) {
    report.fail(
      once,
      `the tape leaves ${open.join(', ') || 'nothing'} open, the session ${left.join(', ') || 'nothing'}`,
    );
  }
}
