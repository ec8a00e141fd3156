/**
 * Permission requests of one turn: the agent's own, and ours before something is done for the agent.
 *
 * Owned by a turn. Each request ends once: by `respond`, withdrawn by the agent, or cancelled with the turn.
 */
import { listAt, textAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';
import type { RpcId } from '../child/json-rpc.ts';
import { cancelledAnswer, selectedAnswer } from './wire.ts';

export type Decision = { readonly allow: boolean; readonly note: string | null } | 'cancelled';

interface Open {
  /** The agent's call that waits for the decision. */
  readonly call: RpcId;
  readonly settle: (decision: Decision) => void;
}

export class PermissionRequests {
  readonly #open = new Map<string, Open>();
  #last = 0;

  /** Returns its name within the turn. */
  add(call: RpcId, settle: (decision: Decision) => void): string {
    this.#last += 1;
    const request = `permission-${this.#last}`;
    this.#open.set(request, { call, settle });
    return request;
  }

  /** Does nothing where the request is over. */
  answer(request: string, decision: Decision): void {
    const open = this.#open.get(request);
    this.#open.delete(request);
    open?.settle(decision);
  }

  /** Returns the name of the withdrawn request; null: it is over, or not known. */
  withdraw(call: RpcId): string | null {
    for (const [request, open] of this.#open) {
      if (open.call === call) {
        this.answer(request, 'cancelled');
        return request;
      }
    }
    return null;
  }

  cancelAll(): void {
    for (const request of this.#open.keys()) {
      this.answer(request, 'cancelled');
    }
  }
}

/**
 * The answer to `session/request_permission`. Null: the request offers no option of that kind for this request alone. An
 * option that holds for longer (`*_always`) is never chosen.
 */
export function answerOf(params: Fields, decision: Decision): object | null {
  if (decision === 'cancelled') {
    return cancelledAnswer;
  }
  const kind = decision.allow ? 'allow_once' : 'reject_once';
  const option = listAt(params, 'options').find((one) => one['kind'] === kind);
  const id = option === undefined ? null : textAt(option, 'optionId');
  return id === null ? null : selectedAnswer(id);
}
