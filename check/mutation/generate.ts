/** Every one-edit mutant that the operators make of the core. */
import { createHash } from 'node:crypto';
import type { Node } from 'typescript/unstable/ast';
import {
  isCallExpression,
  isClassDeclaration,
  isExpressionStatement,
  isFunctionDeclaration,
  isIdentifier,
  isImportDeclaration,
  isMethodDeclaration,
  isThrowStatement,
  isTypeNode,
  isVariableDeclaration,
} from 'typescript/unstable/ast';
import type { CoreProgram } from './core-program.ts';
import type { Edit } from './operators/index.ts';
import { operators } from './operators/index.ts';
import type { Source } from './operators/operator.ts';

/** What a mutant is recognised by, wherever its lines move to. */
export interface MutantKey {
  /** Below `src/core`. */
  readonly file: string;
  /** The function around the edit, or `(module)`. */
  readonly function: string;
  readonly operator: string;
  /** The lines that the edit changes, on one line. */
  readonly before: string;
  readonly after: string;
  /** Tells apart the mutants of one function that are alike in all of this; counts from 1. */
  readonly nth: number;
}

export interface CoreMutant extends MutantKey {
  readonly id: string;
  /** Line of the edit, from 1. */
  readonly line: number;
  readonly edit: Edit;
}

/** Texts of errors, and what only passes names on. */
const withoutMutants: ReadonlySet<string> = new Set(['error-codes.ts', 'errors.ts', 'index.ts']);

export const idOf = (key: MutantKey): string =>
  createHash('sha256')
    .update(JSON.stringify([key.file, key.function, key.operator, key.before, key.after, key.nth]))
    .digest('hex')
    .slice(0, 8);

export const applied = (text: string, { start, end }: Edit, replacement: string): string =>
  text.slice(0, start) + replacement + text.slice(end);

export function generate(program: CoreProgram): readonly CoreMutant[] {
  const files = program.files.filter((file) => !withoutMutants.has(file) && !file.endsWith('.test.ts'));
  return files.flatMap((file) => mutantsOf(program, file));
}

function mutantsOf(program: CoreProgram, file: string): readonly CoreMutant[] {
  const tree = program.tree(file);
  const source: Source = { file: tree, text: tree.text, checker: program.checker };
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  const mutants: CoreMutant[] = [];
  for (const { edit, name } of editsOf(source)) {
    const text = applied(source.text, edit, edit.text);
    if (text === source.text || seen.has(text)) {
      continue;
    }
    seen.add(text);
    const key = { file, function: name, operator: edit.operator, ...linesOf(source.text, edit), nth: 1 };
    const first = idOf(key);
    const nth = (counts.get(first) ?? 0) + 1;
    counts.set(first, nth);
    const numbered = { ...key, nth };
    const line = source.text.slice(0, edit.start).split('\n').length;
    mutants.push({ ...numbered, id: idOf(numbered), line, edit });
  }
  return mutants;
}

/** The whole lines around the edit, before and after it. */
function linesOf(text: string, edit: Edit): { readonly before: string; readonly after: string } {
  const start = text.lastIndexOf('\n', edit.start - 1) + 1;
  const newline = text.indexOf('\n', edit.end);
  const end = newline < 0 ? text.length : newline;
  const oneLine = (lines: string): string => lines.replaceAll(/\s+/gu, ' ').trim();
  return {
    before: oneLine(text.slice(start, end)),
    after: oneLine(text.slice(start, edit.start) + edit.text + text.slice(edit.end, end)),
  };
}

/** No behaviour: types, imports, and assertions that never fail. */
const isSkipped = (node: Node): boolean =>
  isTypeNode(node) ||
  isImportDeclaration(node) ||
  isThrowStatement(node) ||
  isAssertion(isExpressionStatement(node) ? node.expression : node);

const isAssertion = (node: Node): boolean =>
  isCallExpression(node) && isIdentifier(node.expression) && node.expression.text === 'invariant';

function nameOf(node: Node): string | null {
  if (isFunctionDeclaration(node) || isMethodDeclaration(node) || isClassDeclaration(node)) {
    return node.name !== undefined && isIdentifier(node.name) ? node.name.text : null;
  }
  return isVariableDeclaration(node) && isIdentifier(node.name) ? node.name.text : null;
}

interface Visit {
  readonly node: Node;
  /** The outermost function or constant around the node. */
  readonly name: string | null;
}

/** In the order of the text. */
function* editsOf(source: Source): Generator<{ readonly edit: Edit; readonly name: string }> {
  const statements: readonly Node[] = source.file.statements;
  const stack = statements.toReversed().map((node): Visit => ({ node, name: null }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, name } = top;
    if (isSkipped(node)) {
      continue;
    }
    for (const operator of operators) {
      for (const edit of operator(node, source)) {
        yield { edit, name: name ?? '(module)' };
      }
    }
    const inner = name ?? nameOf(node);
    const children: Node[] = [];
    node.forEachChild((child) => {
      children.push(child);
    });
    stack.push(...children.reverse().map((child) => ({ node: child, name: inner })));
  }
}
