/**
 * What is known of the permission requests that may wait for a person. Which of them do wait is the core's to say: it keeps
 * their ids, this keeps what a person has to see. Owned by the agent's host.
 */
import type { PermissionAction } from '../../core/model/permission.ts';
import type { TurnId } from '../../core/model/ids.ts';

interface OpenAsk {
  readonly turn: TurnId;
  readonly request: string;
  readonly ask: PermissionAction;
  /** Wall clock, ms. */
  readonly since: number;
}

/** A longer detail (a whole file to be written) is left to the tape, which has it. */
const detailMax = 16_384;

export class OpenAsks {
  readonly #asks = new Map<string, OpenAsk>();

  add(open: OpenAsk): void {
    const { detail } = open.ask;
    const text = detail === null ? '' : JSON.stringify(detail);
    const ask = text.length > detailMax ? { ...open.ask, detail: null } : open.ask;
    this.#asks.set(open.request, { ...open, ask });
  }

  get(turn: TurnId, request: string): OpenAsk | null {
    const open = this.#asks.get(request);
    return open?.turn === turn ? open : null;
  }

  remove(turn: TurnId, request: string): void {
    if (this.get(turn, request) !== null) {
      this.#asks.delete(request);
    }
  }

  clear(): void {
    this.#asks.clear();
  }
}
