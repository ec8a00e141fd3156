/** Statements: omitted, and one case of a switch with the body of another. */
import type { Node, ReturnStatement, ContinueStatement, Statement } from 'typescript/unstable/ast';
import {
  isBinaryExpression,
  isBlock,
  isCallExpression,
  isCaseBlock,
  isContinueStatement,
  isExpressionStatement,
  isForOfStatement,
  isFunctionDeclaration,
  isPostfixUnaryExpression,
  isReturnStatement,
} from 'typescript/unstable/ast';
import type { Operator } from './operator.ts';
import { none, replace } from './operator.ts';

const isEffect = (node: Node): boolean =>
  isExpressionStatement(node) &&
  (isCallExpression(node.expression) ||
    isBinaryExpression(node.expression) ||
    isPostfixUnaryExpression(node.expression));

/** It ends a function or a round early, and is not all that its block does: that is made by `condition-false`. */
function isEarlyExit(node: Node): node is ReturnStatement | ContinueStatement {
  return (
    (isReturnStatement(node) || isContinueStatement(node)) &&
    isBlock(node.parent) &&
    node.parent.statements.length > 1 &&
    !isFunctionDeclaration(node.parent.parent)
  );
}

export const omission: Operator = (node, source) =>
  isEffect(node) || isForOfStatement(node) || isEarlyExit(node)
    ? [replace('statement-omitted', node, source, ';')]
    : none;

/** Each case gets the body of the next one that does something else. */
export const otherCase: Operator = (node, source) => {
  if (!isCaseBlock(node)) {
    return none;
  }
  const bodies = node.clauses.map(({ statements }) => bodyOf(statements, source.text));
  return bodies.flatMap((body, index) => {
    const others = [...bodies.slice(index + 1), ...bodies.slice(0, index)];
    const other = others.find((one) => one !== null && one.text !== body?.text);
    return body === null || other === undefined || other === null
      ? []
      : [{ operator: 'other-case', start: body.start, end: body.end, text: other.text, typed: null }];
  });
};

function bodyOf(statements: readonly Statement[], text: string): { start: number; end: number; text: string } | null {
  const first = statements[0];
  const last = statements.at(-1);
  if (first === undefined || last === undefined) {
    return null;
  }
  const start = first.getStart();
  return { start, end: last.end, text: text.slice(start, last.end) };
}
