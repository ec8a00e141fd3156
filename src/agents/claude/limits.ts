/** What the provider has told of the limits of a subscription: until when it will answer nothing. Owned by one process. */
import { numberAt } from '../child/fields.ts';
import type { Fields } from '../child/json-lines.ts';

export class Limits {
  readonly #wall: () => number;
  #resetsAtMs: number | null = null;

  constructor(wall: () => number) {
    this.#wall = wall;
  }

  /** `rate_limit_info` of a `rate_limit_event`; its times are in seconds. */
  take(info: Fields): void {
    const seconds = numberAt(info, 'resetsAt');
    this.#resetsAtMs = info['status'] === 'rejected' && seconds !== null ? seconds * 1_000 : null;
  }

  /** Null: nothing was told, or it is over. */
  resetMs(): number | null {
    const rest = (this.#resetsAtMs ?? 0) - this.#wall();
    return rest > 0 ? rest : null;
  }
}
