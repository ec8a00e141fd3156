/** What a run says in the end: who found how many, and each survivor as a diff. */
import type { CoreMutant } from './generate.ts';
import type { Judged } from './judged.ts';
import { stages } from './stage.ts';
import type { Result } from './state.ts';

export interface Outcome {
  readonly mutant: CoreMutant;
  readonly result: Result;
}

export interface Summary {
  readonly killed: { readonly [stage: string]: number };
  readonly equivalent: number;
  /** Accepted ones among them. */
  readonly survived: number;
  readonly unloadable: number;
  /** Percent of those that are not equivalent. */
  readonly byChecker: number;
  readonly byCheckerAndUnitTests: number;
  readonly unjudged: readonly CoreMutant[];
}

const percent = (part: number, whole: number): number => (whole === 0 ? 100 : Math.round((1000 * part) / whole) / 10);

export function summarise(outcomes: readonly Outcome[], judged: Judged): Summary {
  const killed = Object.fromEntries(
    stages.map((stage) => [
      stage,
      outcomes.filter(({ result }) => result.kind === 'killed' && result.by === stage).length,
    ]),
  );
  const survivors = outcomes.filter(({ result }) => result.kind === 'survived').map(({ mutant }) => mutant);
  const isEquivalent = ({ id }: CoreMutant): boolean => judged.byId.get(id)?.judgement === 'equivalent';
  const equivalent = survivors.filter(isEquivalent).length;
  const unloadable = outcomes.filter(({ result }) => result.kind === 'unloadable').length;
  const counted = outcomes.length - equivalent - unloadable;
  const byChecker = killed['checker'] ?? 0;
  return {
    killed,
    equivalent,
    survived: survivors.length - equivalent,
    unloadable,
    byChecker: percent(byChecker, counted),
    byCheckerAndUnitTests: percent(byChecker + (killed['unit tests'] ?? 0), counted),
    unjudged: survivors.filter(({ id }) => !judged.byId.has(id)),
  };
}

export function tableOf(outcomes: readonly Outcome[], summary: Summary): string {
  const row = (name: string, count: number, note = ''): string =>
    `  ${name.padEnd(26)}${String(count).padStart(5)}  ${note}`.trimEnd();
  return [
    `${outcomes.length} mutants`,
    row('killed by the checker', summary.killed['checker'] ?? 0, `${summary.byChecker} % of those not equivalent`),
    row(
      'killed by the unit tests',
      summary.killed['unit tests'] ?? 0,
      `${summary.byCheckerAndUnitTests} % with the checker`,
    ),
    row('killed by the simulator', summary.killed['simulator'] ?? 0),
    row('equivalent', summary.equivalent, 'not counted'),
    row('survived', summary.survived, `${summary.unjudged.length} of all survivors not judged`),
    row('unloadable', summary.unloadable, 'not counted'),
  ].join('\n');
}

/** The lines of the source that the edit changes, before and after. */
export function diffOf({ id, file, line, function: name, operator, edit }: CoreMutant, text: string): string {
  const start = text.lastIndexOf('\n', edit.start - 1) + 1;
  const newline = text.indexOf('\n', edit.end);
  const end = newline < 0 ? text.length : newline;
  const after = text.slice(start, edit.start) + edit.text + text.slice(edit.end, end);
  const lines = (sign: string, part: string): string[] => part.split('\n').map((one) => `  ${sign}${one}`);
  return [
    `${id}  src/core/${file}:${line}  ${name}  ${operator}`,
    ...lines('-', text.slice(start, end)),
    ...lines('+', after),
  ].join('\n');
}

/** What `--json` writes and `--compare` reads. */
export interface WrittenResult {
  readonly seed: number;
  readonly summary: Summary;
  readonly outcomes: readonly Outcome[];
}

const whoOf = (result: Result): string => (result.kind === 'killed' ? `killed by the ${result.by}` : result.kind);

/** What differs from a run before: the shares, and the mutants of both runs that end otherwise. */
export function comparison(before: WrittenResult, { summary, outcomes }: WrittenResult): string {
  const was = new Map(before.outcomes.map(({ mutant, result }) => [mutant.id, result]));
  const both = outcomes.flatMap(({ mutant, result }) => {
    const earlier = was.get(mutant.id);
    return earlier === undefined ? [] : [{ mutant, before: whoOf(earlier), after: whoOf(result) }];
  });
  const share = (name: string, key: 'byChecker' | 'byCheckerAndUnitTests'): string =>
    `  ${name.padEnd(26)}${before.summary[key]} % before, ${summary[key]} % now`;
  return [
    `compared with a run of seed ${before.seed}: ${both.length} mutants are in both`,
    share('checker', 'byChecker'),
    share('checker and unit tests', 'byCheckerAndUnitTests'),
    ...both
      .filter((one) => one.before !== one.after)
      .map(
        ({ mutant, before: then, after }) => `  ${mutant.id} ${mutant.file}:${mutant.line} was ${then}, is ${after}`,
      ),
  ].join('\n');
}
