/**
 * The list of what an agent does beside its turns, for `background` (agent-port/11).
 *
 * Owned by a driver's handle. Emits the list when it has changed, and only then; its length and its titles are bounded.
 */
import { head } from '../child/fields.ts';
import type { AgentEvent } from '../port.ts';

const listedMax = 20;
const titleMax = 200;

export class BackgroundList {
  readonly #emit: (event: AgentEvent) => void;
  #last = '[]';

  constructor(emit: (event: AgentEvent) => void) {
    this.#emit = emit;
  }

  /** What goes on now, by titles. */
  is(titles: readonly string[]): void {
    const more = titles.length - listedMax;
    const listed = titles.slice(0, listedMax).map((title) => head(title, titleMax));
    const work = more > 0 ? [...listed, `… ${more} more …`] : listed;
    const now = JSON.stringify(work);
    if (now !== this.#last) {
      this.#last = now;
      this.#emit({ type: 'background', work });
    }
  }
}
