/** One line of `signalbox doctor`. */
export interface Check {
  readonly name: string;
  /** `missing`: needed, and not as it must be. `note`: good to know, and no reason to fail. */
  readonly state: 'ok' | 'missing' | 'note';
  readonly what: string;
  /** What to do about it. */
  readonly fix?: string;
}

const check = (state: 'ok' | 'note', name: string, what: string, fix?: string): Check =>
  fix === undefined ? { name, state, what } : { name, state, what, fix };
export const ok = (name: string, what: string, fix?: string): Check => check('ok', name, what, fix);
export const note = (name: string, what: string, fix?: string): Check => check('note', name, what, fix);
export const missing = (name: string, what: string, fix: string): Check => ({ name, state: 'missing', what, fix });

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
