/** How one program differs from the letter of the protocol, and how it is started. */
import type { Fields } from '../../child/json-lines.ts';
import type { Environment } from '../../../supervise/index.ts';
import type { Reading } from '../reading.ts';

export interface Profile {
  /** Whom its model requests go to, where nobody says otherwise. */
  readonly provider: string;
  /** Null: it has to be configured. */
  readonly command: string | null;
  readonly args: readonly string[];
  /** Variables of the daemon that it may see, beside the common ones. */
  readonly passEnv: readonly string[];
  /** Set for it, unless configured otherwise. */
  readonly env: Environment;
  /** Which of the files of its session it is offered to read and write through us. */
  readonly files: { readonly read: boolean; readonly write: boolean };
  /** Its `usage` is the sum since its process began. */
  readonly sumsUsage: boolean;
  /**
   * It loses a cancel that comes right behind the prompt: a turn is said to be `started` with its first update, or after so
   * many ms. Null: with the prompt.
   */
  readonly startedAfterMs: number | null;
  /** It answers `session/load` before it has replayed the conversation. */
  readonly replaysLate: boolean;
  /** Arguments that start it with a model, where the protocol offers no choice; null: there are none. */
  readonly modelArgs: ((model: string) => readonly string[]) | null;
  /** The program's own name of the tool, where it hides one beside the protocol's. */
  readonly toolName: (toolCall: Fields) => string | null;
  readonly reading: () => Reading;
}
