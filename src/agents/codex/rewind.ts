/** Taking a turn, and all after it, out of Codex's conversation. Files are left as they are. */
import { listAt, textAt } from '../child/fields.ts';
import { isFields } from '../child/json-lines.ts';
import type { JsonRpc, RpcOutcome } from '../child/json-rpc.ts';

/** The conversation keeps this many of its newest turns within reach for a process that did not take them. */
const lookBack = 100;

export interface TakeBack {
  readonly thread: string;
  /** Codex's name of the turn, where this process took it. */
  readonly name: string | null;
  /** Our own name of its prompt, which the conversation has kept. */
  readonly ours: string;
}

/** A turn that is not in the conversation needs no taking: that is a result too. Not called when the channel breaks. */
export function takeBack(rpc: JsonRpc, { thread, name, ours }: TakeBack, done: (outcome: RpcOutcome) => void): void {
  if (name !== null) {
    revert(rpc, thread, name, done);
    return;
  }
  rpc.call('thread/turns/list', { threadId: thread, itemsView: 'summary', limit: lookBack }, (outcome) => {
    if (outcome.kind === 'broken') {
      return;
    }
    const turns = outcome.kind === 'result' && isFields(outcome.result) ? listAt(outcome.result, 'data') : [];
    const found = turns.find((turn) => listAt(turn, 'items').some((item) => item['clientId'] === ours));
    const id = found === undefined ? null : textAt(found, 'id');
    if (id === null) {
      done({ kind: 'result', result: null });
    } else {
      revert(rpc, thread, id, done);
    }
  });
}

function revert(rpc: JsonRpc, threadId: string, beforeTurnId: string, done: (outcome: RpcOutcome) => void): void {
  rpc.call('thread/revert', { threadId, beforeTurnId }, (outcome) => {
    if (outcome.kind === 'error' && /turn not found/i.test(outcome.error.message)) {
      done({ kind: 'result', result: null });
    } else if (outcome.kind !== 'broken') {
      done(outcome);
    }
  });
}
