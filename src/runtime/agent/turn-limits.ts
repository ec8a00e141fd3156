/**
 * What a turn may use at most, whether anything waits behind it or not: bytes of output, tools, tokens, time. A healthy turn is bounded by
 * nothing else: an agent that talks for ever is never silent.
 *
 * Owned by the agent's output, one per turn that its agent was prompted for.
 *  turn-limits/1 `reached` is called once at most, with the first limit that is reached.
 *  turn-limits/2 The time does not count while a person has to answer, and not while the daemon stood still.
 */
import type { OutputPart, ToolPart } from '../../core/model/output.ts';
import type { TurnLimit } from '../../core/model/turn-limits.ts';
import { type Clock, stillMs } from '../clock.ts';
import type { RuntimeLimits } from '../options.ts';

interface TurnLimitsOptions {
  readonly clock: Clock;
  readonly limits: Pick<RuntimeLimits, 'turnOutputBytes' | 'turnToolCalls' | 'turnTokens' | 'turnLimitMs'>;
  readonly reached: (limit: TurnLimit, bound: number) => void;
}

export class TurnLimits {
  readonly #options: TurnLimitsOptions;
  readonly #tools = new Set<string>();
  #unnamed = 0;
  /** Of those without an id: how many have started and not ended. */
  #begun = 0;
  #bytes = 0;
  #over = false;
  /** Monotonic ms at which the time of the turn is up; null: it has no such limit. */
  #endsAt: number | null;
  /** Since when a person has to answer; null: none has to. */
  #personSince: number | null = null;
  #cancel = (): void => {};

  constructor(options: TurnLimitsOptions) {
    this.#options = options;
    const { turnLimitMs } = options.limits;
    this.#endsAt = turnLimitMs === 0 ? null : options.clock.now() + turnLimitMs;
    this.#wait();
  }

  /** When the time of the turn is up, monotonic ms; null: not foreseen. */
  get endsAt(): number | null {
    return this.#over || this.#personSince !== null ? null : this.#endsAt;
  }

  heard(part: OutputPart): void {
    if (part.kind === 'tool') {
      this.#countTool(part);
    }
    this.#bytes += bytesOf(part);
    const { turnOutputBytes, turnToolCalls } = this.#options.limits;
    this.#compare('output', this.#bytes, turnOutputBytes);
    this.#compare('tools', this.#tools.size + this.#unnamed, turnToolCalls);
  }

  /** A use without an id is counted with its start, or with its end where it had none. */
  #countTool({ id, status }: ToolPart): void {
    if (id !== null) {
      this.#tools.add(id);
    } else if (status === 'started') {
      this.#unnamed += 1;
      this.#begun += 1;
    } else if (this.#begun > 0) {
      this.#begun -= 1;
    } else {
      this.#unnamed += 1;
    }
  }

  /** `tokens`: all that the turn has taken so far. */
  spent(tokens: number): void {
    this.#compare('tokens', tokens, this.#options.limits.turnTokens);
  }

  /** Whether a person has to answer a permission request. */
  person(waits: boolean): void {
    const now = this.#options.clock.now();
    if (waits && this.#personSince === null) {
      this.#personSince = now;
      this.#cancel();
    } else if (!waits && this.#personSince !== null) {
      this.#endsAt = this.#endsAt === null ? null : this.#endsAt + (now - this.#personSince);
      this.#personSince = null;
      this.#wait();
    }
  }

  /** The turn is over. */
  end(): void {
    this.#over = true;
    this.#cancel();
  }

  #compare(limit: TurnLimit, used: number, bound: number): void {
    if (bound !== 0 && used > bound) {
      this.#reach(limit, bound);
    }
  }

  #wait(): void {
    const { clock } = this.#options;
    if (this.#endsAt !== null && !this.#over) {
      this.#cancel = clock.timer(Math.max(0, this.#endsAt - clock.now()), () => this.#due());
    }
  }

  #due(): void {
    const { clock, limits } = this.#options;
    const late = clock.now() - (this.#endsAt ?? 0);
    if (late < 0 || late > stillMs) {
      this.#endsAt = late < 0 ? this.#endsAt : clock.now() + stillMs;
      this.#wait();
      return;
    }
    this.#reach('time', limits.turnLimitMs);
  }

  #reach(limit: TurnLimit, bound: number): void {
    if (!this.#over) {
      this.end();
      this.#options.reached(limit, bound);
    }
  }
}

const sizeOf = (text: string | undefined): number => (text === undefined ? 0 : Buffer.byteLength(text));

/** UTF-8 bytes of what the part says, as far as that can be long. */
function bytesOf(part: OutputPart): number {
  switch (part.kind) {
    case 'text':
    case 'thinking':
      return sizeOf(part.text);
    case 'tool':
      return sizeOf(part.title) + sizeOf(part.input?.text) + sizeOf(part.output?.text);
    case 'notice':
      return sizeOf(part.message) + sizeOf(JSON.stringify(part.detail));
    case 'raw':
      return sizeOf(JSON.stringify(part.data));
    case 'plan':
      return part.entries.reduce((sum, { text }) => sum + sizeOf(text), 0);
    case 'usage':
    case 'cost':
    case 'retraction':
      return 0;
  }
}
