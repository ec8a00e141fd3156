/**
 * Whether a task ended as the promise allows, read from its tape: the closed list of just ends. Everything else that may happen to a task
 * lets it wait, and go on.
 */
import type { ReadEvent } from '../../../src/client/index.ts';

type Known = Extract<ReadEvent, { kind: 'known' }>;
type Data<T extends Known['type']> = Extract<Known, { type: T }>['data'];

/** What a turn may have caused itself: its attempts are used up by these alone. */
const ownFaults: readonly string[] = ['agent_lost', 'channel_broken', 'silence_deadline', 'holder_lost'];
/** What cuts a turn off without being its fault: it ends only a task that must not be sent again. */
const cuts: readonly string[] = [
  'agent_killed',
  'drain_deadline',
  'tool_silence',
  'node_restarted',
  'agent_restarted',
  'fault',
  'evicted',
];

interface Policy {
  readonly maxAttempts: number;
  readonly onLost: 'retry' | 'fail';
}

/** Why it ended so, in few words, or what is wrong with its end. */
export function judgeEnd(tape: readonly ReadEvent[], policy: Policy): { readonly just: string } | { wrong: string } {
  const events = tape.filter((event): event is Known => event.kind === 'known');
  const of = <T extends Known['type']>(type: T): Data<T>[] =>
    events
      .filter((event): event is Extract<Known, { type: T }> => event.type === type)
      .map(({ data }) => data as Data<T>);
  const final = of('final').at(-1);
  if (final === undefined) {
    return { wrong: 'it has no final' };
  }
  const { status, reason, by, attempts } = final;
  const wrong = (why: string): { wrong: string } => ({ wrong: `${status} (${reason}): ${why}` });
  switch (status) {
    case 'completed':
      return { just: 'completed' };
    case 'cancelled':
      return by === null ? wrong('nobody is named') : { just: `cancelled (${reason})` };
    case 'failed':
      break;
  }
  if (reason === 'expired') {
    const [told] = of('expired');
    return told === undefined
      ? wrong('its tape does not say what it waited for')
      : { just: `expired (${told.waitsFor})` };
  }
  if (reason.startsWith('turn_')) {
    return of('limit-reached').length > 0 ? { just: 'a limit of the turn' } : wrong('no limit is on its tape');
  }
  if (reason === 'hold_limit' || reason === 'failed_with') {
    return { just: reason };
  }
  if (by?.kind === 'runner') {
    return { just: 'the word of its runner' };
  }
  if (reason === 'evicted' && by !== null) {
    return { just: 'evicted' };
  }
  if (ownFaults.includes(reason) && attempts >= policy.maxAttempts) {
    return { just: 'attempts used up' };
  }
  if (ownFaults.includes(reason) || cuts.includes(reason)) {
    const sent =
      reason === 'holder_lost' ||
      of('turn-sent').length > 0 ||
      of('steered').some(({ delivered }) => delivered) ||
      of('merged').length > 0;
    return policy.onLost === 'fail' && sent
      ? { just: 'cut off, and not to be sent again' }
      : wrong('it was to be tried again');
  }
  const failed = of('turn-ended').findLast(({ outcome }) => outcome === 'failed');
  if (failed === undefined) {
    return wrong('no turn of it has failed');
  }
  const { failure } = failed;
  return failure?.transient === true && failure.login !== true
    ? wrong('what passes was to be waited for')
    : { just: 'the answer of its agent' };
}
