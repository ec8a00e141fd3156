/**
 * The permission requests of one turn of a function. Owned by the turn, and ended with it.
 *
 *  function-permissions/1 Every promise that `request` returns resolves: by the decision, by the caller's own withdrawal, by the
 *                         interrupt, or at the end.
 *  function-permissions/2 A withdrawal is emitted (agent-port/7); what an interrupt or the end takes back is not.
 */
import type { TurnId } from '../../core/model/ids.ts';
import type { RequestedAction } from '../../core/model/permission.ts';
import type { AgentEvent } from '../port.ts';

export interface Decision {
  readonly allow: boolean;
  readonly note: string | null;
}

export interface PermissionRequestOptions {
  /** The request in the function's own words, for the tape. Any JSON. */
  readonly detail?: unknown;
  /** Its abort withdraws the request. */
  readonly signal?: AbortSignal;
}

const denied: Decision = { allow: false, note: null };

export class Permissions {
  readonly #turn: TurnId;
  readonly #emit: (event: AgentEvent) => void;
  readonly #open = new Map<string, (decision: Decision) => void>();
  #count = 0;
  #over = false;

  constructor(turn: TurnId, emit: (event: AgentEvent) => void, interrupted: AbortSignal) {
    this.#turn = turn;
    this.#emit = emit;
    interrupted.addEventListener('abort', () => this.end(), { once: true });
  }

  request(action: RequestedAction, { detail = null, signal }: PermissionRequestOptions = {}): Promise<Decision> {
    if (this.#over || signal?.aborted === true) {
      return Promise.resolve(denied);
    }
    this.#count += 1;
    const request = `ask-${this.#count}`;
    const decision = new Promise<Decision>((resolve) => this.#open.set(request, resolve));
    signal?.addEventListener('abort', () => this.#withdraw(request), { once: true });
    this.#emit({ type: 'permission-requested', turn: this.#turn, request, action, detail });
    return decision;
  }

  respond(request: string, decision: Decision): void {
    const settle = this.#open.get(request);
    this.#open.delete(request);
    settle?.(decision);
  }

  /** The turn is interrupted or over: everything is denied, and so is every later request. */
  end(): void {
    this.#over = true;
    for (const request of this.#open.keys()) {
      this.respond(request, denied);
    }
  }

  #withdraw(request: string): void {
    if (this.#over || !this.#open.has(request)) {
      return;
    }
    this.#emit({ type: 'permission-withdrawn', turn: this.#turn, request });
    this.respond(request, denied);
  }
}
