/**
 * Questions of one turn that wait for an answer: the agent's own, and ours before something is done for the agent.
 *
 * Owned by a turn. Each ends once: by `answer`, taken back by the agent, or cancelled with the turn.
 */
import type { RpcId } from '../child/json-rpc.ts';

export type Decision = { readonly allow: boolean; readonly note: string | null } | 'cancelled';

interface Open {
  /** Of the agent's request; undefined: it made none. */
  readonly call: RpcId | undefined;
  readonly settle: (decision: Decision) => void;
}

export class Asks {
  readonly #open = new Map<string, Open>();
  #last = 0;

  get size(): number {
    return this.#open.size;
  }

  /** Its name within the turn. */
  add(call: RpcId | undefined, settle: (decision: Decision) => void): string {
    this.#last += 1;
    const request = `ask-${this.#last}`;
    this.#open.set(request, { call, settle });
    return request;
  }

  answer(request: string, decision: Decision): void {
    const open = this.#open.get(request);
    if (!this.#open.delete(request)) {
      return;
    }
    open?.settle(decision);
  }

  /** The agent takes its request back; the name under which it was asked, null: it is over or unknown. */
  withdraw(call: RpcId): string | null {
    for (const [request, open] of this.#open) {
      if (open.call !== call) {
        continue;
      }
      this.answer(request, 'cancelled');
      return request;
    }
    return null;
  }

  cancelAll(): void {
    for (const request of this.#open.keys()) {
      this.answer(request, 'cancelled');
    }
  }
}
