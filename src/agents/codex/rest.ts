/**
 * What an interrupt of Codex leaves running (measured with 0.169.0, and meant so there): the commands that the turn started, and
 * its sub-agents with their own turns and commands.
 */
import type { JsonRpc } from '../child/json-rpc.ts';
import type { Timers } from '../../supervise/index.ts';
import type { Others } from './others.ts';

export interface RestOptions {
  readonly timers: Timers;
  readonly deadlineMs: number;
}

/** Ends all of it; `then` is called once, when Codex has said so of each, or at the deadline. Also when the channel breaks. */
export function putToRest(
  rpc: JsonRpc,
  thread: string,
  others: Others,
  options: RestOptions,
  then: (inTime: boolean) => void,
): void {
  const threads = [{ thread, turn: null }, ...others.threads()];
  let open = threads.length;
  let over = false;
  const go = (inTime: boolean): void => {
    if (over) {
      return;
    }
    over = true;
    cancel();
    then(inTime);
  };
  const cancel = options.timers.set(options.deadlineMs, () => go(false));
  const clean = (threadId: string): void => {
    rpc.call('thread/backgroundTerminals/clean', { threadId }, () => {
      open -= 1;
      if (open === 0) {
        go(true);
      }
    });
  };
  for (const { thread: threadId, turn } of threads) {
    if (turn === null) {
      clean(threadId);
      continue;
    }
    // First the turn: it could start another command behind the cleaning.
    rpc.call('turn/interrupt', { threadId, turnId: turn }, () => {
      others.ended(threadId);
      clean(threadId);
    });
  }
}
