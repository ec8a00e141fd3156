/**
 * An interrupt of Codex leaves the commands of the turn running, and its sub-agents with their own turns and commands
 * (measured with 0.169.0, where that is meant so). This ends them.
 */
import type { Timers } from '../../supervise/index.ts';
import type { JsonRpc } from '../child/json-rpc.ts';
import type { Unsolicited } from './unsolicited.ts';

interface EndOptions {
  readonly timers: Timers;
  readonly deadlineMs: number;
}

/** `ended` is called once: when Codex has confirmed each end, or at the deadline, also where the channel breaks. */
export function endBackgroundCommands(
  rpc: JsonRpc,
  thread: string,
  unsolicited: Unsolicited,
  options: EndOptions,
  ended: (inTime: boolean) => void,
): void {
  const threads = [{ thread, turn: null }, ...unsolicited.subagents];
  let open = threads.length;
  let over = false;
  const finish = (inTime: boolean): void => {
    if (over) {
      return;
    }
    over = true;
    cancel();
    ended(inTime);
  };
  const cancel = options.timers.set(options.deadlineMs, () => finish(false));
  const endCommands = (threadId: string): void => {
    rpc.call('thread/backgroundTerminals/clean', { threadId }, () => {
      open -= 1;
      if (open === 0) {
        finish(true);
      }
    });
  };
  for (const { thread: threadId, turn } of threads) {
    if (turn === null) {
      endCommands(threadId);
      continue;
    }
    // The turn comes first: it could start another command after its commands were ended.
    rpc.call('turn/interrupt', { threadId, turnId: turn }, () => {
      unsolicited.subagentEnded(threadId);
      endCommands(threadId);
    });
  }
}
