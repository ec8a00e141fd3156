/** How one program differs from the letter of the protocol, and how it is started. */
import type { Fields } from '../../child/json-lines.ts';
import type { Environment } from '../../../supervise/index.ts';
import type { SettingsPlaces, Widening } from '../../shared/widening.ts';
import type { AnswerFilter } from '../answer-filter.ts';

export interface Profile {
  /** Who answers its model requests, unless configured otherwise. */
  readonly provider: string;
  /** Null: it must be configured. */
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
   * It loses a cancel that comes right behind the prompt, so a turn is `started` with its first update, or after this many
   * ms. Null: with the prompt.
   */
  readonly startedAfterMs: number | null;
  /** It answers `session/load` before it has replayed the conversation. */
  readonly replaysLate: boolean;
  /** Its conversation keeps the prompt of a turn that was cancelled. */
  readonly keepsPrompts: boolean;
  /** A prompt such that the program takes it for words: none of its own commands, and no file that is mentioned. */
  readonly plainText: (text: string) => string;
  /** Settings of its user, or of the folder, that let it do unasked what no policy allows. */
  readonly widening: (places: SettingsPlaces) => readonly Widening[];
  /** Arguments that stand over such settings; `given`: those of the user. */
  readonly argsOver: (given: readonly string[]) => readonly string[];
  /** What each session is opened with, for the same; null: nothing. */
  readonly metaOver: (places: SettingsPlaces) => Fields | null;
  /** Arguments that start it with a model, where the protocol offers no choice. Null: there are none. */
  readonly modelArgs: ((model: string) => readonly string[]) | null;
  /** The program's own name of the tool, where it gives one beside the protocol's. */
  readonly toolName: (toolCall: Fields) => string | null;
  /** A piece of the tool's output, where the program gives it in an extension. */
  readonly outputPiece: (toolCall: Fields) => string | null;
  /** Created for each turn. */
  readonly answerFilter: () => AnswerFilter;
}
