/** Wordings that read like a translation do not come back: in the documentation, and in texts that the program prints. */
import { expect, it } from 'vitest';
import { read, sourcesUnder, trackedFiles } from './files.ts';
import { hitsIn, isQuestion, literalsOf, proseOf, titlesOf } from './plain-english.ts';

const findings = (path: string, text: string): readonly string[] =>
  hitsIn(text).map(({ line, found, instead }) => `${path}:${line}: "${found}": write ${instead}`);

it('the documentation is written in plain English', () => {
  const pages = trackedFiles().filter((path) => /^(?:[A-Z]+\.md|e2e\/README\.md|docs\/.*\.md)$/.test(path));
  expect(pages.length).toBeGreaterThan(20);
  expect(pages.flatMap((path) => findings(path, proseOf(read(path))))).toEqual([]);
});

it('the texts of the program are written in plain English', () => {
  expect(sourcesUnder('src').flatMap((path) => findings(path, literalsOf(read(path))))).toEqual([]);
});

it('the titles of the tests are written in plain English, and none of them is a question', () => {
  const titles = sourcesUnder('src/testing', 'test').flatMap((path) =>
    titlesOf(read(path)).map((title) => ({ path, title })),
  );
  expect(titles.length).toBeGreaterThan(1_300);
  expect(titles.flatMap(({ path, title }) => findings(path, title))).toEqual([]);
  expect(titles.filter(({ title }) => isQuestion(title))).toEqual([]);
});

it('a title is found in each form of a test', () => {
  const source = [
    "test('a', () => {});",
    'check("b", () => {});',
    'describe.each(names)(`c ${1}`, () => {});',
    "test.each([\n  ['x', 1],\n] as const)(\n  'd',\n);",
    "contest('no'); test(name);",
  ].join('\n');
  expect(titlesOf(source)).toEqual(['a', 'b', 'c ${1}', 'd']);
  expect(['what if it ends? (core/1)', 'what is it?', 'it answers what it is'].map(isQuestion)).toEqual([
    true,
    true,
    false,
  ]);
});

it('a phrase is found in a string and in prose, and not in a comment, in code, or in the address of a link', () => {
  const source = "/* nobody */ const a = 'nobody\\'s'; // nobody\nconst b = `the agent goes on`;";
  expect(hitsIn(literalsOf(source)).map(({ line, found }) => [line, found])).toEqual([
    [2, 'goes on'],
    [1, 'nobody'],
  ]);
  expect(
    hitsIn(proseOf('`nobody`\n```\nnobody\n```\n[a](nobody)\nIt is told anew.')).map(({ found }) => found),
  ).toEqual(['is told', 'anew']);
});
