/** Calls and sums: arguments in the wrong order, a filter that takes all, the other end of a list, minus for plus. */
import type { CallExpression, Node } from 'typescript/unstable/ast';
import {
  isBinaryExpression,
  isCallExpression,
  isIdentifier,
  isPropertyAccessExpression,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { TypeFlags } from 'typescript/unstable/sync';
import type { Edit, Operator, Source } from './operator.ts';
import { none, replace, textOf } from './operator.ts';

function swapped(node: CallExpression, index: number, source: Source): readonly Edit[] {
  const { checker, file } = source;
  const first = node.arguments[index];
  const second = node.arguments[index + 1];
  if (first === undefined || second === undefined) {
    return none;
  }
  const types = [checker.getTypeAtLocation(first), checker.getTypeAtLocation(second)] as const;
  if (types[0] === undefined || types[1] === undefined) {
    return none;
  }
  const alike = checker.isTypeAssignableTo(types[0], types[1]) || checker.isTypeAssignableTo(types[1], types[0]);
  const between = source.text.slice(first.end, second.getStart(file));
  return alike && textOf(first, source) !== textOf(second, source)
    ? [
        {
          operator: 'arguments-swapped',
          start: first.getStart(file),
          end: second.end,
          text: `${textOf(second, source)}${between}${textOf(first, source)}`,
          typed: null,
        },
      ]
    : none;
}

export const argumentOrder: Operator = (node, source) =>
  isCallExpression(node) ? node.arguments.flatMap((_, index) => swapped(node, index, source)) : none;

const otherNames: ReadonlyMap<string, string> = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['find', 'findLast'],
  ['findLast', 'find'],
  ['push', 'unshift'],
  ['unshift', 'push'],
  ['shift', 'pop'],
  ['pop', 'shift'],
  ['min', 'max'],
  ['max', 'min'],
  ['treeFirst', 'treeLast'],
  ['treeLast', 'treeFirst'],
]);

/** The other one of two functions that go in a pair: the first and the last, some and every. */
export const pairedFunction: Operator = (node, source) => {
  if (!isCallExpression(node)) {
    return none;
  }
  const name = isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
  const other = isIdentifier(name) ? otherNames.get(name.text) : undefined;
  return other === undefined ? none : [replace('paired-function', name, source, other)];
};

const methodOf = (node: Node): string | null =>
  isCallExpression(node) && isPropertyAccessExpression(node.expression) ? node.expression.name.text : null;

/** What the call is made on stands in its place. */
export const passThrough: Operator = (node, source) => {
  const method = methodOf(node);
  const dropped = method === 'filter' || method === 'slice' || method === 'toReversed' || method === 'toSorted';
  return dropped && isCallExpression(node) && isPropertyAccessExpression(node.expression)
    ? [replace('call-dropped', node, source, textOf(node.expression.expression, source))]
    : none;
};

/** A plus between texts has no other. */
const otherSums: ReadonlyMap<SyntaxKind, string> = new Map([
  [SyntaxKind.PlusToken, '-'],
  [SyntaxKind.PlusEqualsToken, '-='],
]);

export const sum: Operator = (node, source) => {
  if (!isBinaryExpression(node)) {
    return none;
  }
  const type = source.checker.getTypeAtLocation(node.left);
  const isNumber = type !== undefined && (type.flags & TypeFlags.NumberLike) !== 0;
  const { kind } = node.operatorToken;
  if (kind === SyntaxKind.MinusToken) {
    return [replace('sum', node.operatorToken, source, '+')];
  }
  const other = isNumber ? otherSums.get(kind) : undefined;
  return other === undefined ? none : [replace('sum', node.operatorToken, source, other)];
};
