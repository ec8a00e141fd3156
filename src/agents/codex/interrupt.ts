/**
 * The interrupt of one turn, from the wish to Codex's obedience.
 *
 * Owned by the turn's agent, which writes for it. Invariants:
 *  codex-interrupt/1 Nothing is written before `turn/started`: Codex answers "no active turn" then, and runs the turn to
 *                    its end.
 *  codex-interrupt/2 One that Codex refuses for a turn that still speaks is written again, `rewritesMax` times at most.
 *  codex-interrupt/3 It is acknowledged once for each time that it was asked for, at the latest when the turn is over.
 */
import type { RpcOutcome } from '../child/json-rpc.ts';

const rewritesMax = 3;

const noActiveTurn = /no active turn|expected active turn/i;

interface InterruptOptions {
  /** Writes `turn/interrupt`; `settled` is not called when the channel breaks. */
  readonly write: (settled: (outcome: Exclude<RpcOutcome, { kind: 'broken' }>) => void) => void;
  readonly acknowledge: () => void;
}

export class Interrupt {
  readonly #options: InterruptOptions;
  #turn: 'unconfirmed' | 'running' | 'over' = 'unconfirmed';
  #wanted = false;
  #written = false;
  /** Times that the last interrupt was refused; 0 while its answer is not there, or was no refusal. */
  #refusals = 0;

  constructor(options: InterruptOptions) {
    this.#options = options;
  }

  /** It was written: what Codex asks for from now on is cancelled. */
  get written(): boolean {
    return this.#written;
  }

  request(): void {
    this.#wanted = true;
    if (this.#turn === 'running') {
      this.#write(0);
    }
  }

  turnStarted(): void {
    this.#turn = 'running';
    if (this.#wanted) {
      this.#write(0);
    }
  }

  /** Something was read of the turn: it runs, so an interrupt that was refused did not reach it. */
  turnSpoke(): void {
    if (this.#refusals > 0 && this.#refusals <= rewritesMax && this.#turn === 'running') {
      this.#write(this.#refusals);
    }
  }

  /** True: it is still owed its acknowledgement, behind the result. */
  turnOver(): boolean {
    this.#turn = 'over';
    return this.#refusals > 0;
  }

  #write(refusals: number): void {
    this.#written = true;
    this.#refusals = 0;
    this.#options.write((outcome) => {
      // The end of the turn is on its way, or the turn runs and speaks again.
      if (outcome.kind === 'error' && this.#turn !== 'over' && noActiveTurn.test(outcome.error.message)) {
        this.#refusals = refusals + 1;
      } else {
        this.#options.acknowledge();
      }
    });
  }
}
