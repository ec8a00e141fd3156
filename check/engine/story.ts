/** Counterexamples as text that a person can read: one numbered line per action, and under it what it changed. */
import type { Outcome, Stats, Trace, Verdict } from './model.ts';

export interface Teller<S, A> {
  /** One sentence: who did what. */
  readonly sentence: (action: A, before: S, after: S) => string;
  /** What is different afterwards, one short clause each. */
  readonly changes: (before: S, after: S) => readonly string[];
}

function lines<S, A>(trace: Trace<S, A>, teller: Teller<S, A>, from: number): string[] {
  return trace.steps.flatMap((step, index) => [
    `${String(from + index).padStart(4)}. ${teller.sentence(step.action, step.before, step.after)}`,
    ...teller.changes(step.before, step.after).map((change) => `        ${change}`),
  ]);
}

/** The verdict as a story; the empty string if everything holds. */
export function tell<S, A>(verdict: Verdict<S, A>, teller: Teller<S, A>): string {
  switch (verdict.kind) {
    case 'holds':
      return '';
    case 'bounded':
      return 'NOT PROVED: the bound on states was reached before all of them were seen.';
    case 'unsafe':
      return [
        `BROKEN: ${verdict.broken.property}`,
        `  after ${verdict.trace.steps.length} steps, the shortest there is:`,
        ...lines(verdict.trace, teller, 1),
        `  => ${verdict.broken.detail}`,
      ].join('\n');
    case 'unlive': {
      const { stem, cycle } = verdict;
      const forever =
        cycle.steps.length === 0
          ? ['  and there it rests for ever: nothing that is bound to happen can happen.']
          : [`  and then round and round, for ever:`, ...lines(cycle, teller, stem.steps.length + 1)];
      return [
        `BROKEN: ${verdict.goal}`,
        `  ${stem.steps.length} steps lead in:`,
        ...lines(stem, teller, 1),
        ...forever,
        '  => every fair class of actions is taken on this cycle or cannot be, and the goal stays unmet.',
      ].join('\n');
    }
  }
}

/** Steps of the counterexample: of the trace, or of stem and cycle together. 0 if there is none. */
export function lengthOf<S, A>(outcome: Outcome<S, A>): number {
  const { verdict } = outcome;
  switch (verdict.kind) {
    case 'holds':
    case 'bounded':
      return 0;
    case 'unsafe':
      return verdict.trace.steps.length;
    case 'unlive':
      return verdict.stem.steps.length + verdict.cycle.steps.length;
  }
}

const thousands = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');

export function describeStats(stats: Stats): string {
  const seconds = stats.ms / 1000;
  const rate = seconds > 0 ? `${thousands(stats.transitions / seconds / 1000)} k/s` : '-';
  const perState = stats.states === 0 ? 0 : stats.bytes / stats.states;
  return [
    `${thousands(stats.states)} states`,
    `${thousands(stats.transitions)} transitions`,
    `depth ${stats.depth}`,
    `${seconds.toFixed(1)} s`,
    rate,
    `${thousands(perState)} B/state`,
  ].join(', ');
}
