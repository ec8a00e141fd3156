/** What a user or a test may set for the scripted agent. */
import type { ProcessDriverOptions } from '../process/options.ts';

export interface ScriptedDriverOptions extends Partial<Omit<ProcessDriverOptions, 'command' | 'args'>> {
  /** Script file (JSON). */
  readonly script?: string;
  /** Folder of its conversations; without one they end with the process. */
  readonly state?: string;
  /** Its own log. Default: SIGNALBOX_AGENT_LOG of the daemon's environment. */
  readonly log?: string;
  readonly noReady?: boolean;
  readonly slowStartMs?: number;
  /** Capabilities that it does not declare. */
  readonly without?: readonly ('acks' | 'steer' | 'rewind' | 'models')[];
  readonly chunkMs?: number;
  /** Further flags, as `signalbox agent scripted --help` lists them. */
  readonly flags?: readonly string[];
}
