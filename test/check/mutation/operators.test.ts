/** What each operator of mutation makes of a small source, and what a mutant is recognised by. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CoreProgram } from '../../../check/mutation/core-program.ts';
import type { CoreMutant } from '../../../check/mutation/generate.ts';
import { applied, generate } from '../../../check/mutation/generate.ts';
import { draw } from '../../../check/mutation/sample.ts';

const directory = mkdtempSync(join(tmpdir(), 'signalbox-operators-'));
const programs: CoreProgram[] = [];
afterAll(() => {
  programs.forEach((program) => program[Symbol.dispose]());
  rmSync(directory, { recursive: true, force: true });
});

const compilerOptions = {
  target: 'es2024',
  lib: ['es2024'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

function programOf(files: { readonly [name: string]: string }): CoreProgram {
  const own = join(directory, String(programs.length));
  mkdirSync(own);
  writeFileSync(join(own, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(own, name), text);
  }
  const program = new CoreProgram(own);
  programs.push(program);
  return program;
}

const mutantsOf = (text: string): readonly CoreMutant[] => generate(programOf({ 'a.ts': text }));

const prelude = [
  "type Kind = 'a' | 'b' | 'c';",
  'interface Row { readonly n: number; readonly note: string | null; readonly kind: Kind }',
  'declare function act(n: number, m: number): void;',
].join('\n');

/** The lines that the operator makes of the last line. */
function madeOf(line: string, operator: string): readonly string[] {
  const made = mutantsOf(`${prelude}\n${line}\n`);
  return made.filter((mutant) => mutant.operator === operator).map(({ after }) => after);
}

/** Operator, a line, and what it makes of it. */
const examples: readonly (readonly [string, string, readonly string[]])[] = [
  ['condition-negated', 'export const f = (b: boolean) => { if (b) { act(1, 2); } };', ['if (!(b))']],
  ['condition-true', 'export const f = (b: boolean) => { if (b) { act(1, 2); } };', ['if (true)']],
  ['condition-false', 'export const f = (b: boolean) => { while (b) { act(1, 2); } };', ['while (false)']],
  ['wrong-branch', 'export const f = (b: boolean, n: number) => (b ? n : -n);', ['(n)', '(-n)']],
  ['comparison', 'export const f = (n: number) => n < 7;', ['n <= 7']],
  ['connective', 'export const f = (a: boolean, b: boolean) => a && b;', ['(a || b)']],
  ['side-dropped', 'export const f = (a: boolean, b: boolean) => a || b;', ['=> a;', '=> b;']],
  ['negation-dropped', 'export const f = (b: boolean) => !b;', ['=> b;']],
  ['statement-omitted', 'export const f = () => { act(1, 2); };', ['{ ; }']],
  ['constant', "export const f = (): Kind => 'b';", ["'c'", "'a'"]],
  ['value-null', 'export const f = (note: string): Row => ({ n: 1, note: note, kind: "a" });', ['note: null']],
  ['value-fixed', 'export const f = (a: number, b: number): boolean => a === b;', ['=> true', '=> false']],
  ['value-empty', 'export const f = (list: readonly number[]): readonly number[] => list;', ['=> []']],
  ['field-dropped', 'export const f = (row: Row): Row => ({ ...row, n: 7 });', ['({ ...row })']],
  ['spread-dropped', 'export const f = (row: object): object => ({ ...row, n: 7 });', ['({ n: 7 })']],
  ['element-dropped', 'export const f = (n: number) => [n, 7];', ['[7]', '[n]']],
  ['arguments-swapped', 'export const f = (n: number) => act(n, 7);', ['act(7, n)']],
  ['paired-function', 'export const f = (list: number[]) => list.some((n) => n > 7);', ['list.every(']],
  ['call-dropped', 'export const f = (list: number[]) => list.filter((n) => n > 7);', ['=> list;']],
  ['side-dropped', 'export const f = (n: number | null) => n ?? 7;', ['=> n;', '=> 7;']],
  ['sum', 'export const f = (n: number) => n + 7;', ['n - 7']],
  ['sum', 'export const f = (n: number) => n - 7;', ['n + 7']],
  ['sum', 'export const f = (text: string) => text + "7";', []],
];

const switching = (one: string, other: string): string =>
  `export const f = (k: Kind) => { switch (k) { case 'a': ${one} break; case 'b': case 'c': ${other} } };`;

describe('an operator', () => {
  test.each(examples)('%s changes one place of: %s', (operator, line, expected) => {
    const made = madeOf(line, operator);
    expect(made).toHaveLength(expected.length);
    expected.forEach((text, index) => expect(made[index]).toContain(text));
  });

  test('other-case gives a case the body of another case', () => {
    const made = madeOf(switching('act(1, 2);', 'act(3, 4);'), 'other-case');
    expect(made).toHaveLength(2);
    expect(made[0]).toContain("case 'a': act(3, 4); case 'b': case 'c': act(3, 4);");
  });

  test('leaves types, imports, assertions and errors alone', () => {
    const text = [
      'declare function invariant(fine: boolean, text: string): void;',
      "export type Other = 'x' | 'y';",
      'export function f(n: number): void {',
      "  invariant(n > 0, 'n is positive');",
      '  throw new Error(`no ${n > 1}`);',
      '}',
    ].join('\n');
    expect(mutantsOf(text)).toEqual([]);
  });

  test('makes no two mutants with the same text', () => {
    const program = programOf({
      'a.ts': `${prelude}\nexport const f = (a: boolean, b: boolean) => (a && b ? a : !b);\n`,
    });
    const texts = generate(program).map(({ file, edit }) => applied(program.text(file), edit, edit.text));
    expect(new Set(texts).size).toBe(texts.length);
  });
});

const twice = 'export function f(n: number): void { if (n < 7) { act(n, 7); } if (n < 8) { act(n, 7); } }';

describe('the id of a mutant', () => {
  const idsOf = (text: string): readonly string[] => mutantsOf(text).map(({ id }) => id);

  test('differs between all mutants, also between those with the same lines', () => {
    const ids = idsOf(`${prelude}\nexport function f(n: number): void {\n  act(n, 7);\n  act(n, 7);\n}\n`);
    expect(ids.length).toBeGreaterThan(4);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('survives an edit of another function of the file', () => {
    const before = idsOf(`${prelude}\n${twice}\n`);
    const after = idsOf(`${prelude}\n// A remark.\nexport const g = (n: number) => n > 3;\n\n${twice}\n`);
    expect(before.length).toBeGreaterThan(10);
    expect(before.filter((id) => !after.includes(id))).toEqual([]);
  });

  test('changes with the line that it mutates', () => {
    const before = idsOf(`${prelude}\n${twice}\n`);
    const after = idsOf(`${prelude}\n${twice.replaceAll('7', '9')}\n`);
    expect(before.filter((id) => after.includes(id))).toEqual([]);
  });
});

describe('a drawn sample', () => {
  test('has only mutants that compile, and counts the others', () => {
    const program = programOf({
      'a.ts': `${prelude}\nexport const f = (kind: Kind): Row => ({ n: 1, note: null, kind });\n`,
    });
    const mutants = generate(program);
    const { mutants: drawn, refused } = draw(program, mutants, { seed: 1, count: 1000 });
    expect(drawn.length + refused).toBe(mutants.length);
    // A row without one of its fields is not a row.
    expect(refused).toBe(3);
    expect(drawn.map(({ operator }) => operator)).not.toContain('field-dropped');
  });

  test('has a mutant that leaves a variable unused', () => {
    const program = programOf({
      'a.ts': `${prelude}\nexport const f = (n: number) => { act(1, 2); return n > 7; };\n`,
    });
    const { mutants: drawn } = draw(program, generate(program), { seed: 1, count: 1000 });
    expect(drawn.map(({ after }) => after).filter((text) => text.includes('return true'))).toHaveLength(1);
  });
});
