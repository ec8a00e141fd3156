/**
 * A driver that tells when it was asked what and when it said what: so the time that an agent takes and the time that
 * Signalbox takes can be told apart.
 */
import type { TurnId } from '../src/core/model/ids.ts';
import type { AgentDriver, AgentEvent } from '../src/agents/port.ts';

export interface Moment {
  /** Milliseconds of `performance.now`. */
  readonly at: number;
  /** A method of the handle, or the type of an event. */
  readonly what: 'prompt' | 'interrupt' | AgentEvent['type'];
  readonly turn: TurnId | null;
  /** What an `exited` says. */
  readonly reason: string | null;
}

export function observed(driver: AgentDriver, seen: (moment: Moment) => void): AgentDriver {
  const tell = (what: Moment['what'], turn: TurnId | null, reason: string | null = null): void =>
    seen({ at: performance.now(), what, turn, reason });
  return {
    ...driver,
    start(options) {
      const handle = driver.start({
        ...options,
        emit(event) {
          const reason = event.type === 'exited' ? event.reason : null;
          tell(event.type, 'turn' in event ? event.turn : null, reason);
          options.emit(event);
        },
      });
      return {
        prompt(turn, text, how) {
          handle.prompt(turn, text, how);
          tell('prompt', turn);
        },
        interrupt(turn) {
          handle.interrupt(turn);
          tell('interrupt', turn);
        },
        steer: (turn, id, text) => handle.steer(turn, id, text),
        respond: (turn, request, decision) => handle.respond(turn, request, decision),
        switchModel: (model) => handle.switchModel(model),
        close: () => handle.close(),
        kill: () => handle.kill(),
      };
    },
  };
}
