/**
 * Details of the permission requests that may wait for a person. The core decides which of them wait, and keeps their ids;
 * this keeps what a person has to see. Owned by the agent's host.
 */
import type { PermissionAction } from '../../core/model/permission.ts';
import type { TurnId } from '../../core/model/ids.ts';

interface OpenPermissionRequest {
  readonly turn: TurnId;
  readonly request: string;
  readonly action: PermissionAction;
  /** Wall clock, ms. */
  readonly since: number;
}

/** A longer detail, such as a whole file to be written, is only on the tape. */
const detailMax = 16_384;

export class OpenPermissionRequests {
  readonly #open = new Map<string, OpenPermissionRequest>();

  add(open: OpenPermissionRequest): void {
    const { detail } = open.action;
    const text = detail === null ? '' : JSON.stringify(detail);
    const action = text.length > detailMax ? { ...open.action, detail: null } : open.action;
    this.#open.set(open.request, { ...open, action });
  }

  get(turn: TurnId, request: string): OpenPermissionRequest | null {
    const open = this.#open.get(request);
    return open?.turn === turn ? open : null;
  }

  remove(turn: TurnId, request: string): void {
    if (this.get(turn, request) !== null) {
      this.#open.delete(request);
    }
  }

  get size(): number {
    return this.#open.size;
  }

  clear(): void {
    this.#open.clear();
  }
}
