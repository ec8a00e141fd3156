/** Which mutants a seed draws, what a run keeps, and how its result is counted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { coreConfigs as configs } from '../../../check/configs.ts';
import type { CoreMutant } from '../../../check/mutation/generate.ts';
import { idOf } from '../../../check/mutation/generate.ts';
import type { Judgement } from '../../../check/mutation/judged.ts';
import { match, readJudged } from '../../../check/mutation/judged.ts';
import { looksFor } from '../../../check/mutation/plan.ts';
import type { Outcome } from '../../../check/mutation/report.ts';
import { comparison, summarise } from '../../../check/mutation/report.ts';
import { run } from '../../../check/mutation/run.ts';
import { inOrder } from '../../../check/mutation/sample.ts';
import type { Result, State } from '../../../check/mutation/state.ts';
import { readState, writeState } from '../../../check/mutation/state.ts';

const directory = mkdtempSync(join(tmpdir(), 'signalbox-sample-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function mutantIn(file: string, number: number): CoreMutant {
  const key = { file, function: 'f', operator: 'constant', before: `${number}`, after: `${number + 1}`, nth: 1 };
  return {
    ...key,
    id: idOf(key),
    line: number,
    edit: { operator: 'constant', start: 0, end: 0, text: '', typed: null },
  };
}

const mutantsIn = (file: string, count: number): readonly CoreMutant[] =>
  Array.from({ length: count }, (_, number) => mutantIn(file, number));
const mutants = [...mutantsIn('large.ts', 300), ...mutantsIn('small.ts', 100)];
const idsOf = (list: readonly CoreMutant[]): readonly string[] => list.map(({ id }) => id);

describe('the order of a seed', () => {
  test('is the same each time, has every mutant once, and differs by the seed', () => {
    const first = idsOf(inOrder(mutants, 1));
    expect(idsOf(inOrder(mutants.toReversed(), 1))).toEqual(first);
    expect(first.toSorted()).toEqual(idsOf(mutants).toSorted());
    expect(idsOf(inOrder(mutants, 2))).not.toEqual(first);
  });

  test('begins with mutants of each file in proportion', () => {
    for (const seed of [1, 2, 3]) {
      const small = inOrder(mutants, seed)
        .slice(0, 40)
        .filter(({ file }) => file === 'small.ts');
      expect(small.length, `seed ${seed}`).toBeGreaterThanOrEqual(9);
      expect(small.length, `seed ${seed}`).toBeLessThanOrEqual(11);
    }
  });

  test('keeps the order of the mutants of a file when another one of it goes', () => {
    const [gone, ...rest] = mutants;
    const before = idsOf(inOrder(mutants, 1)).filter((id) => id !== gone?.id);
    const orderIn = (ids: readonly string[], file: string): readonly string[] =>
      ids.filter((id) => mutants.find((mutant) => mutant.id === id)?.file === file);
    const after = idsOf(inOrder(rest, 1));
    expect(orderIn(after, 'large.ts')).toEqual(orderIn(before, 'large.ts'));
    expect(orderIn(after, 'small.ts')).toEqual(orderIn(before, 'small.ts'));
  });
});

const killed = (by: 'checker' | 'unit tests' | 'simulator'): Result => ({ kind: 'killed', by, how: 'x', seconds: 1 });
const survived: Result = { kind: 'survived', notes: [], seconds: 1 };
const ten = mutantsIn('small.ts', 10);
const empty: State = {
  seed: 1,
  count: 10,
  core: 'core',
  judges: 'judges',
  sample: idsOf(ten),
  refused: 0,
  results: {},
};

describe('a run', () => {
  test('keeps each result at once, and continues where it was interrupted', async () => {
    const file = join(directory, 'seed-1.json');
    expect(readState(file)).toBeNull();
    const looked: string[] = [];
    const options = { jobs: 1, keep: (state: State) => writeState(file, state), onResult: () => undefined };
    const interrupted = run(ten, {
      ...options,
      state: empty,
      judge: async ({ id }) => {
        looked.push(id);
        if (looked.length === 4) {
          throw new Error('interrupted');
        }
        return Promise.resolve(killed('checker'));
      },
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    const known = readState(file);
    expect(Object.keys(known?.results ?? {})).toEqual(idsOf(ten.slice(0, 3)));
    const places: string[] = [];
    const { results } = await run(ten, {
      ...options,
      state: known ?? empty,
      judge: () => Promise.resolve(survived),
      onResult: ({ mutant }, { done, of }) => places.push(`${mutant.line} ${done}/${of}`),
    });
    expect(places).toEqual(['3 4/10', '4 5/10', '5 6/10', '6 7/10', '7 8/10', '8 9/10', '9 10/10']);
    expect(Object.values(results).map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 3 }, () => 'killed'),
      ...Array.from({ length: 7 }, () => 'survived'),
    ]);
    expect(readState(file)?.results).toEqual(results);
  });
});

const judgementOf = ({ file, function: name, operator, before, after }: CoreMutant): Omit<Judgement, 'judgement'> => ({
  file,
  function: name,
  operator,
  before,
  after,
  reason: 'A reason.',
});

/** Four killed by the checker, two by the unit tests, one by the simulator, three that survive. */
const outcomes: readonly Outcome[] = ten.map((mutant, index) => ({
  mutant,
  result: index < 4 ? killed('checker') : index < 6 ? killed('unit tests') : index < 7 ? killed('simulator') : survived,
}));

function judgedTwo(): readonly Judgement[] {
  const [equivalent, accepted] = ten.slice(7);
  if (equivalent === undefined || accepted === undefined) {
    throw new Error('there are ten');
  }
  return [
    { ...judgementOf(equivalent), judgement: 'equivalent' },
    { ...judgementOf(accepted), judgement: 'accepted' },
  ];
}

describe('the summary', () => {
  test('counts an equivalent mutant nowhere, and an accepted one as a survivor', () => {
    const summary = summarise(outcomes, match(judgedTwo(), ten));
    expect(summary).toMatchObject({ equivalent: 1, survived: 2, byChecker: 44.4, byCheckerAndUnitTests: 66.7 });
    expect(idsOf(summary.unjudged)).toEqual(idsOf(ten.slice(9)));
  });

  test('names a judgement whose mutant is gone', () => {
    const { byId, stale } = match(judgedTwo(), ten.slice(0, 8));
    expect([...byId.keys()]).toEqual(idsOf(ten.slice(7, 8)));
    expect(stale.map(({ judgement }) => judgement)).toEqual(['accepted']);
  });

  test('is compared with an earlier one by the mutants of both', () => {
    const judged = match([], ten);
    const before = { seed: 1, summary: summarise(outcomes, judged), outcomes };
    const better = outcomes.map((one) =>
      one.result.kind === 'survived' ? { ...one, result: killed('checker') } : one,
    );
    const lines = comparison(before, { seed: 1, summary: summarise(better, judged), outcomes: better }).split('\n');
    expect(lines[1]).toMatch(/40 % before, 70 % now/u);
    expect(lines.slice(3)).toEqual(
      ten.slice(7).map(({ id, line }) => `  ${id} small.ts:${line} was survived, is killed by the checker`),
    );
  });
});

describe('a judgement', () => {
  test('of the file has a whole sentence as its reason, and is there once', () => {
    const judgements = readJudged();
    expect(judgements.filter(({ reason }) => !/^[A-Z].{20,}\.$/su.test(reason))).toEqual([]);
    const ids = judgements.map((judgement) => idOf({ nth: 1, ...judgement }));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the plan of the checker', () => {
  const daily = configs.filter(({ deep }) => !deep).map(({ name }) => name);

  test('begins with the first states of every configuration, and looks at each one a second time', () => {
    for (const file of ['rules/arrange.ts', 'unknown.ts']) {
      const looks = looksFor(file);
      expect(looks.slice(0, daily.length).map(({ maxStates }) => maxStates)).not.toContain(null);
      for (const half of [looks.slice(0, daily.length), looks.slice(daily.length)]) {
        expect(half.map(({ config }) => config).toSorted()).toEqual(daily.toSorted());
      }
    }
  });

  test('puts the configurations that concern a file first', () => {
    expect(looksFor('rules/permission.ts')[0]?.config).toMatch(/^permission/u);
  });
});
