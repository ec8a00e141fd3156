/** What a wait on a child or a channel can end with, other than what it waits for. */
import { AppError } from '../../core/errors.ts';

/** How far the other side had come: `over` is after its end. */
type ChannelPhase = 'starting' | 'ready' | 'closing' | 'over';

/** Nothing comes any more, and nothing that is sent arrives. Code `channel_broken`. */
export class ChannelBroken extends AppError {
  override readonly name: string = 'ChannelBroken';
  /** Who is at the other end, in words: `claude (pid 4711)`. */
  readonly child: string;
  /** Why, as its end is told: an `ExitReason` of a child, otherwise whatever broke the channel. */
  override readonly cause: unknown;
  /** When it happened. */
  readonly phase: ChannelPhase;

  constructor(child: string, cause: unknown, phase: ChannelPhase) {
    super({
      code: 'channel_broken',
      message: `the channel to ${child} is broken: ${inWords(cause)}, while ${phase}`,
      cause,
    });
    this.child = child;
    this.cause = cause;
    this.phase = phase;
  }
}

/** A named wait was not answered by its deadline. Code `wait_timed_out`. */
export class WaitTimedOut extends AppError {
  override readonly name: string = 'WaitTimedOut';

  constructor(owner: string, wait: string, ms: number) {
    super({
      code: 'wait_timed_out',
      message: `${owner}: ${wait} did not come within ${ms} ms`,
    });
  }
}

/** More would be kept than a bound allows. Code `channel_full`. */
export class ChannelFull extends AppError {
  override readonly name: string = 'ChannelFull';

  constructor(channel: string, capacity: number) {
    super({
      code: 'channel_full',
      message: `${channel} holds ${capacity} messages and accepts no more`,
    });
  }
}

function inWords(cause: unknown): string {
  if (cause instanceof Error) {
    return cause.message;
  }
  return typeof cause === 'string' ? cause : 'for an unknown reason';
}
