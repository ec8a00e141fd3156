/**
 * What becomes of a message: pure, with time and randomness from outside.
 *
 *  outgoing-rules/1 What may have had its effect is sent again only where the receiver knows a second copy, or where it was looked for in
 *                   vain after the settle time.
 *  outgoing-rules/2 What no request can send ends at once; what the receiver puts off waits for as long as that says.
 *  outgoing-rules/3 Nothing is sent that is older than its age limit, and no wait is longer.
 */
import type { OutboxOutcome, OutboxRow } from '../../store/outbox.ts';
import type { StoredEvent } from '../../store/port.ts';
import { expiredProblem } from '../../store/outbox.ts';
import type { LookUpResult, Repeats, SendResult } from './door.ts';

export interface OutgoingLimits {
  /** What could not be sent in this time is not sent any more. */
  readonly maxAgeMs: number;
  /** A look-up counts so long after a request was given up: the receiver may have it still. */
  readonly settleMs: number;
}

/** Wall-clock ms; `random` from 0 to below 1. */
export interface Moment {
  readonly now: number;
  readonly random: number;
}

const firstBackoffMs = 1_000;
const maxBackoffMs = 600_000;

/** Doubles with each request; half of it is spread, so that what failed together is not tried together. */
export function backoffMs(attempts: number, random: number): number {
  const full = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.max(0, attempts - 1));
  return Math.ceil((full * (1 + random)) / 2);
}

/** What to do with a row that the store gives out: `due`, or `unclear` with its settle time over. */
export function nextStep(
  row: OutboxRow,
  repeats: Repeats,
  { now }: Moment,
  { maxAgeMs }: OutgoingLimits,
): 'send' | 'look-up' | OutboxOutcome {
  if (row.state === 'due') {
    return row.since + maxAgeMs < now ? { state: 'expired', at: now, problem: row.problem ?? expiredProblem } : 'send';
  }
  switch (repeats.by) {
    case 'key':
      return sentAgain(row, now, null);
    case 'look-up':
      return 'look-up';
    case 'never':
      return forPerson(row, now);
  }
}

/** What to make of the answer to a request. */
export function afterSend(
  row: OutboxRow,
  result: SendResult,
  { by }: Pick<Repeats, 'by'>,
  moment: Moment,
  limits: OutgoingLimits,
): OutboxOutcome {
  const { now } = moment;
  switch (result.kind) {
    case 'posted':
      return { state: 'posted', at: now, reference: result.reference };
    case 'impossible':
      return { state: 'failed', at: now, problem: result.problem };
    case 'refused':
      return later(row, result, moment, limits);
    case 'unknown':
      return by === 'key'
        ? later(row, result, moment, limits)
        : {
            state: 'unclear',
            at: now,
            heldUntil: by === 'look-up' ? now + limits.settleMs : null,
            problem: result.problem,
          };
  }
}

export function afterLookUp(
  row: OutboxRow,
  result: LookUpResult,
  { now, random }: Moment,
  { maxAgeMs }: OutgoingLimits,
): OutboxOutcome {
  switch (result.kind) {
    case 'found':
      return { state: 'posted', at: now, reference: result.reference };
    case 'absent':
      return sentAgain(row, now, 'it was looked for and is not there');
    case 'unknown':
      return row.since + maxAgeMs < now
        ? forPerson(row, now)
        : { state: 'unclear', at: now, heldUntil: now + backoffMs(row.attempts, random), problem: result.problem };
  }
}

function later(
  row: OutboxRow,
  { problem, retryAfterMs, wholeScope }: Extract<SendResult, { kind: 'refused' | 'unknown' }>,
  { now, random }: Moment,
  { maxAgeMs }: OutgoingLimits,
): OutboxOutcome {
  const wanted = now + Math.max(0, retryAfterMs ?? backoffMs(row.attempts, random));
  const notBefore = Math.max(now, Math.min(wanted, row.since + maxAgeMs + 1));
  return { state: 'due', at: now, notBefore, pauseUntil: wholeScope ? notBefore : null, problem };
}

const sentAgain = ({ problem }: OutboxRow, now: number, why: string | null): OutboxOutcome => ({
  state: 'due',
  at: now,
  notBefore: now,
  pauseUntil: null,
  problem: why ?? problem ?? '',
});

const forPerson = ({ problem }: OutboxRow, now: number): OutboxOutcome => ({
  state: 'unclear',
  at: now,
  heldUntil: null,
  problem: problem ?? '',
});

/** Whether what a message asks for was settled by what came on the tape after its event. */
export function isSettled(event: StoredEvent, after: readonly StoredEvent[]): boolean {
  return event.type === 'permission-requested' && after.some((one) => isDecisionOf(one, event));
}

/** Of a permission request; a request of another turn may have the same name. */
export function isDecisionOf(decision: StoredEvent, { type, task, data }: StoredEvent): boolean {
  return (
    type === 'permission-requested' &&
    decision.type === 'permission-resolved' &&
    decision.task === task &&
    decision.data.request === data.request &&
    decision.data.turn === data.turn
  );
}
