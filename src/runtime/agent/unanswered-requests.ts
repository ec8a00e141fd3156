/**
 * The requests that were written to an agent and are not answered yet, and the time of its last message. Hang reports show them;
 * nothing is decided by them. Owned by the agent's host, one per incarnation.
 *
 *  unanswered-requests/1 The list is bounded: a request beyond `pendingMax` is not noted.
 */
import type { AgentEvent } from '../../agents/port.ts';

const pendingMax = 64;

/** `what` is an effect's name: `start`, `prompt`, `interrupt`, `steer`, `switch`, `end`. */
export type RequestKind = 'start' | 'prompt' | 'interrupt' | 'steer' | 'switch' | 'end';

export interface PendingView {
  readonly what: RequestKind;
  /** Of the turn, the task or the incarnation. */
  readonly id: string;
  readonly ageMs: number;
}

interface Pending {
  readonly what: RequestKind;
  readonly id: string;
  /** Monotonic ms. */
  readonly since: number;
}

export class UnansweredRequests {
  readonly #pending = new Map<string, Pending>();
  #liveAt: number;

  /** `now`, here and below: monotonic ms. */
  constructor(now: number) {
    this.#liveAt = now;
  }

  sent(what: RequestKind, id: string | number, now: number): void {
    // The silence of an agent counts from its prompt.
    if (what === 'prompt') {
      this.#liveAt = now;
    }
    const key = `${what} ${id}`;
    if (this.#pending.size < pendingMax && !this.#pending.has(key)) {
      this.#pending.set(key, { what, id: String(id), since: now });
    }
  }

  received(event: AgentEvent, now: number): void {
    this.#liveAt = now;
    switch (event.type) {
      case 'ready':
        this.#answered('start');
        return;
      case 'started':
        this.#answered('prompt', event.turn);
        return;
      case 'ack':
        this.#answered('interrupt', event.turn);
        return;
      case 'result':
        this.#answered('prompt', event.turn);
        this.#answered('interrupt', event.turn);
        return;
      case 'steered':
        this.#answered('steer', event.id);
        return;
      case 'switched':
        this.#answered('switch');
        return;
      case 'output':
      case 'retrying':
      case 'spent':
      case 'permission-requested':
      case 'permission-withdrawn':
      case 'background':
      case 'unsolicited':
      case 'exited':
        return;
    }
  }

  #answered(what: RequestKind, id: string | number | null = null): void {
    for (const [key, pending] of this.#pending) {
      if (pending.what === what && (id === null || pending.id === String(id))) {
        this.#pending.delete(key);
      }
    }
  }

  /** Time since the last message of the agent, or since its last prompt if that is later. */
  quietMs(now: number): number {
    return now - this.#liveAt;
  }

  /** Oldest first. */
  pending(now: number): readonly PendingView[] {
    return [...this.#pending.values()].map(({ what, id, since }) => ({ what, id, ageMs: Math.round(now - since) }));
  }
}
