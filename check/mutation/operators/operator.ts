/** What an operator of mutation is: given a node of the syntax tree, it says which edits it makes there. */
import type { Checker } from 'typescript/unstable/sync';
import type { Expression, Node, SourceFile } from 'typescript/unstable/ast';
import { isParenthesizedExpression } from 'typescript/unstable/ast';

export interface Edit {
  /** The name of the operator, for people and for keys. */
  readonly operator: string;
  /** What the edit replaces, as offsets in the source. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The text that the compiler judges in its place; null: the same one. */
  readonly typed: string | null;
}

export interface Source {
  readonly file: SourceFile;
  readonly text: string;
  readonly checker: Checker;
}

export type Operator = (node: Node, source: Source) => readonly Edit[];

export const none: readonly Edit[] = [];

export const textOf = (node: Node, { text, file }: Source): string => text.slice(node.getStart(file), node.end);

export const replace = (
  operator: string,
  node: Node,
  { file }: Source,
  text: string,
  typed: string | null = null,
): Edit => ({ operator, start: node.getStart(file), end: node.end, text, typed });

export const withoutParentheses = (node: Expression): Expression =>
  isParenthesizedExpression(node) ? withoutParentheses(node.expression) : node;
