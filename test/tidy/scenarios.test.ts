/** Whoever reads an id in a test title finds it in docs/scenarios.md, and a rule number in docs/rules.md. */
import { expect, test } from 'vitest';
import { citedScenarios, scenariosIn, scenariosMade } from '../support/scenarios.ts';
import { read, sourcesUnder } from './files.ts';

const page = read('docs/scenarios.md');

test('every scenario that a test cites has an entry, and every entry is cited by a test', () => {
  expect([...citedScenarios().keys()].sort()).toEqual([...scenariosIn(page)].sort());
});

test('the page names the files that cite each scenario (node test/support/docs.ts writes them)', () => {
  expect(page).toBe(scenariosMade(page));
});

test('every rule that code and tests cite is on the page of rules', () => {
  const rules = new Set([...read('docs/rules.md').matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number)));
  const cited = sourcesUnder('src', 'check', 'sim', 'test').flatMap((path) =>
    [...read(path).matchAll(/\brules? (\d+)(?:(?:, | to | and )(\d+))*/g)].flatMap(([text]) =>
      (text.match(/\d+/g) ?? []).map(Number),
    ),
  );
  expect(cited.length).toBeGreaterThan(20);
  expect(cited.filter((number) => !rules.has(number))).toEqual([]);
});
