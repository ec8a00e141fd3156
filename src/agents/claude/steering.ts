/**
 * Messages for the running turn. Claude Code takes one in between two requests to the model, which is when a tool has ended.
 * Until then the message is queued; a message that is still queued at the end of the turn becomes a separate turn. It can be taken back,
 * but in the last moments of a turn that is usually too late (measured). So a message is kept here until a tool runs.
 *
 * Owned by the agent. Invariants:
 *  claude-steering/1 `delivered` is true only when Claude Code has said that it began with the message before the turn's end
 *                    was read, or that the turn's result answers it.
 *  claude-steering/2 What is not taken is out of Claude Code's queue, or its own turn is over, before `delivered: false` is
 *                    emitted; the turn's result waits for that.
 */
import type { TurnId } from '../../core/model/ids.ts';
import type { Fields } from '../child/fields.ts';

interface SteeringHost {
  /** Writes the message; Claude Code queues it. */
  send(uuid: string, text: string): void;
  /** A control request; `settle` is not called when the process ends first. */
  request(
    request: { readonly subtype: string; readonly [name: string]: unknown },
    settle: (body: Fields) => void,
  ): void;
  steered(turn: TurnId, id: string, taken: boolean): void;
  /** No message is open any more. */
  settled(): void;
}

interface Steer {
  readonly turn: TurnId;
  readonly id: string;
  readonly text: string;
  /**
   * `kept`: not written. `queued`: Claude Code has it. `retracted`: we have requested to take it out of the queue. `alone`: it
   * has become a separate turn, which the driver has interrupted.
   */
  state: 'kept' | 'queued' | 'retracted' | 'alone';
}

export class Steering {
  readonly #host: SteeringHost;
  readonly #open = new Map<string, Steer>();

  constructor(host: SteeringHost) {
    this.#host = host;
  }

  get open(): boolean {
    return this.#open.size > 0;
  }

  add(turn: TurnId, id: string, uuid: string, text: string): void {
    this.#open.set(uuid, { turn, id, text, state: 'kept' });
  }

  /** A tool runs: Claude Code reads these messages when it ends. */
  send(): void {
    for (const [uuid, steer] of this.#open) {
      if (steer.state !== 'kept') {
        continue;
      }
      steer.state = 'queued';
      this.#host.send(uuid, steer.text);
    }
  }

  /** `within`: the turn that the message was meant for has not ended. False: the message is not one of these. */
  onLifecycle(uuid: string, state: string, within: boolean): boolean {
    const steer = this.#open.get(uuid);
    if (steer === undefined) {
      return false;
    }
    if (state === 'started' && within) {
      this.#settle(uuid, true);
    } else if (state === 'started') {
      this.#endAlone(steer);
    } else if (state === 'completed') {
      this.#settle(uuid, true);
    } else if (state === 'cancelled') {
      this.#settle(uuid, false);
    }
    return true;
  }

  /** A result answers these messages; `whole`: it was not cut off. */
  onResult(uuids: readonly string[], whole: boolean): void {
    for (const uuid of uuids) {
      if (this.#open.has(uuid)) {
        this.#settle(uuid, whole);
      }
    }
  }

  /** The turn ends: what was not taken is taken back. */
  retract(): void {
    for (const [uuid, steer] of this.#open) {
      if (steer.state === 'kept') {
        this.#settle(uuid, false);
      }
      if (steer.state !== 'queued') {
        continue;
      }
      steer.state = 'retracted';
      this.#host.request({ subtype: 'cancel_async_message', message_uuid: uuid }, (body) => {
        if (body['cancelled'] === true) {
          this.#settle(uuid, false);
        }
      });
    }
  }

  #endAlone(steer: Steer): void {
    if (steer.state === 'alone') {
      return;
    }
    steer.state = 'alone';
    this.#host.request({ subtype: 'interrupt', cancel_queued: true }, () => {});
  }

  #settle(uuid: string, taken: boolean): void {
    const steer = this.#open.get(uuid);
    if (steer === undefined) {
      return;
    }
    this.#open.delete(uuid);
    this.#host.steered(steer.turn, steer.id, taken);
    if (!this.open) {
      this.#host.settled();
    }
  }
}
