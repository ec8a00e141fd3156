/** What judges a mutant: the checker, the unit tests, the simulator, one after the other until one of them finds it. */

export const stages = ['checker', 'unit tests', 'simulator'] as const;
export type Stage = (typeof stages)[number];

export type StageResult =
  /** `how`: the property, the test or the rule that fails. */
  | { readonly kind: 'killed'; readonly how: string }
  /** `notes`: what differed without being wrong. */
  | { readonly kind: 'passed'; readonly notes: readonly string[] }
  /** Its modules cannot be loaded: any program finds that, so the mutant is not counted. */
  | { readonly kind: 'unloadable'; readonly how: string };

export const killed = (how: string): StageResult => ({ kind: 'killed', how });
export const passed = (...notes: readonly string[]): StageResult => ({ kind: 'passed', notes });
