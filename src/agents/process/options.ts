/** What a user may set for a program that speaks the agent protocol. */
import type { ProgramOptions } from '../child/json-lines.ts';

export interface ProcessDriverOptions extends ProgramOptions {
  /** Shown in `explain` and on tapes. Default: `process`. */
  readonly name?: string;
  /** Whom its model requests go to. Default: its name. */
  readonly provider?: string;
}
