/** Holders of external tasks: claim, turns, signs of life, and the end. Two of these wait, each for a bounded time. */
import type { ServerResponse } from 'node:http';
import type { ClaimAnswer, HolderTurnAnswer, Refused, Signalbox } from '../../runtime/api.ts';
import type { HoldReceipt, HoldTurnReceipt } from '../../protocol/index.ts';
import type { FeedEvent } from '../../store/port.ts';
import type { Handlers, Services } from '../context.ts';
import { okOrRefuse, refuse } from '../context.ts';
import { taskSource } from '../events/source.ts';
import { taskOf } from './tasks.ts';

type HoldOperation = 'holdTask' | 'takeTurn' | 'reportProgress' | 'heartbeat' | 'releaseHold' | 'finishTask';

const defaultWait = 25;

/** So short that the next request renews the lease well before it lapses. */
const waitOf = (asked: number | undefined, leaseMs: number): number => Math.min(asked ?? defaultWait, leaseMs / 2_000);

const granted = <A extends { readonly kind: string }>(answer: A | Refused, task: string): A =>
  answer.kind === 'refused' ? refuse(answer as Refused, task) : (answer as A);

/** What an agent says in a turn ends no wait. For a session of another node each look would be a letter. */
const mayBeNews = ({ type }: FeedEvent): boolean => type !== 'output' && type !== 'progress';

interface LongPoll<A> {
  readonly task: string;
  /** Seconds. */
  readonly wait: number | undefined;
  readonly read: () => Promise<A>;
  readonly asked: Parameters<Signalbox['holders']['waits']>[2];
}

/** Only the request itself is a sign of life, and only one whose client is still there learns of its grant or its answer. */
async function longPoll<A extends { readonly kind: string; readonly leaseMs?: number }>(
  { signalbox, streams }: Services,
  response: ServerResponse,
  { task, wait, read, asked }: LongPoll<A>,
): Promise<A> {
  const first = await read();
  const stored = await taskOf(signalbox, task);
  const seconds = first.kind === 'waiting' ? waitOf(wait, first.leaseMs ?? 0) : 0;
  if (seconds === 0) {
    return first;
  }
  const isNews = () => !response.destroyed && !signalbox.holders.waits(task, stored.session, asked);
  const next = async () => (isNews() ? read() : first);
  const done = ({ kind }: A): boolean => kind !== 'waiting';
  return streams.wait(response, taskSource(signalbox, stored), seconds, next, done, mayBeNews);
}

export const holdHandlers: Handlers<HoldOperation> = {
  async holdTask({ params: { id }, body, response }, services) {
    const { wait, ...claim } = body;
    const answer = await longPoll<Exclude<ClaimAnswer, Refused>>(services, response, {
      task: id,
      wait,
      read: async () => granted<Exclude<ClaimAnswer, Refused>>(await services.signalbox.holders.claim(id, claim), id),
      asked: { holder: claim.holder },
    });
    return { status: 200, body: holdReceipt(id, answer) };
  },

  async takeTurn({ params: { id }, body, response }, services) {
    const { wait, ...call } = body;
    const answer = await longPoll<Exclude<HolderTurnAnswer, Refused>>(services, response, {
      task: id,
      wait,
      read: async () =>
        granted<Exclude<HolderTurnAnswer, Refused>>(await services.signalbox.holders.turn(id, call), id),
      asked: call,
    });
    return { status: 200, body: turnReceipt(answer) };
  },

  reportProgress: async ({ params: { id }, body }, { signalbox }) =>
    okOrRefuse(await signalbox.holders.progress(id, body), id),

  heartbeat: async ({ params: { id }, body }, { signalbox }) =>
    okOrRefuse(await signalbox.holders.heartbeat(id, body), id),

  releaseHold: async ({ params: { id }, body }, { signalbox }) =>
    okOrRefuse(await signalbox.holders.release(id, body), id),

  finishTask: async ({ params: { id }, body }, { signalbox }) =>
    okOrRefuse(await signalbox.holders.finish(id, body), id),
};

function holdReceipt(task: string, answer: Exclude<ClaimAnswer, Refused>): HoldReceipt {
  const { kind: state, ...common } = answer;
  const notGranted = { epoch: null, prompt: null, input: null, attempt: null, interruptedMidTurn: false, call: null };
  return { state, task, ...notGranted, ...common };
}

const turnReceipt = (answer: Exclude<HolderTurnAnswer, Refused>): HoldTurnReceipt => ({
  state: answer.kind,
  call: answer.call,
  answer: answer.kind === 'answered' ? answer.answer : null,
});
