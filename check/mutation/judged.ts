/** The survivors that a person has judged, each once, with the reason. */
import { readFileSync } from 'node:fs';
import type { CoreMutant, MutantKey } from './generate.ts';
import { idOf } from './generate.ts';

/**
 * `equivalent`: no run can tell it from the core. `accepted`: it differs, in nothing that any rule speaks of; it counts as
 * a survivor all the same.
 */
export interface Judgement extends Omit<MutantKey, 'nth'> {
  /** Absent: 1. */
  readonly nth?: number;
  readonly judgement: 'equivalent' | 'accepted';
  /** A sentence. */
  readonly reason: string;
}

export const judgedFile = new URL('./judged.json', import.meta.url);

export const readJudged = (file: URL = judgedFile): readonly Judgement[] =>
  JSON.parse(readFileSync(file, 'utf8')) as readonly Judgement[];

export interface Judged {
  /** By the id of the mutant. */
  readonly byId: ReadonlyMap<string, Judgement>;
  /** They speak of mutants that are not there any more. */
  readonly stale: readonly Judgement[];
}

export function match(judgements: readonly Judgement[], mutants: readonly CoreMutant[]): Judged {
  const ids = new Set(mutants.map(({ id }) => id));
  const byId = new Map(judgements.map((judgement) => [idOf({ nth: 1, ...judgement }), judgement]));
  return {
    byId: new Map([...byId].filter(([id]) => ids.has(id))),
    stale: [...byId].filter(([id]) => !ids.has(id)).map(([, judgement]) => judgement),
  };
}
