/** Conditions: negated, forced, and with another comparison or another connective in them. */
import type { Expression, Node } from 'typescript/unstable/ast';
import {
  isBinaryExpression,
  isConditionalExpression,
  isForStatement,
  isIfStatement,
  isPrefixUnaryExpression,
  isWhileStatement,
  SyntaxKind,
} from 'typescript/unstable/ast';
import type { Edit, Operator, Source } from './operator.ts';
import { none, replace, textOf, withoutParentheses } from './operator.ts';

const comparisons: ReadonlyMap<SyntaxKind, string> = new Map([
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
]);

const equalities: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.EqualsEqualsEqualsToken,
  SyntaxKind.ExclamationEqualsEqualsToken,
]);

const isNot = (node: Node): boolean => isPrefixUnaryExpression(node) && node.operator === SyntaxKind.ExclamationToken;

/** A negation of these is made by the operators `comparison` and `negation-dropped`. */
function isNegatedElsewhere(condition: Expression): boolean {
  const inner = withoutParentheses(condition);
  return isNot(inner) || (isBinaryExpression(inner) && equalities.has(inner.operatorToken.kind));
}

function negated(condition: Expression, source: Source): readonly Edit[] {
  return isNegatedElsewhere(condition)
    ? none
    : [replace('condition-negated', condition, source, `!(${textOf(condition, source)})`)];
}

/** For the compiler, the forced condition still tells which types are possible behind it. */
function forced(condition: Expression, source: Source): readonly Edit[] {
  const was = textOf(condition, source);
  return [
    replace('condition-true', condition, source, 'true', `(${was}) || Boolean(1)`),
    replace('condition-false', condition, source, 'false', `(${was}) && Boolean(0)`),
  ];
}

/** Loops are not forced to run for ever. */
export const condition: Operator = (node, source) => {
  if (isIfStatement(node)) {
    return [...negated(node.expression, source), ...forced(node.expression, source)];
  }
  if (isWhileStatement(node)) {
    return forced(node.expression, source).slice(1);
  }
  if (isForStatement(node) && node.condition !== undefined) {
    return forced(node.condition, source).slice(1);
  }
  if (isConditionalExpression(node)) {
    return [
      ...negated(node.condition, source),
      replace('wrong-branch', node, source, textOf(node.whenTrue, source)),
      replace('wrong-branch', node, source, textOf(node.whenFalse, source)),
    ];
  }
  return none;
};

export const comparison: Operator = (node, source) => {
  const other = isBinaryExpression(node) ? comparisons.get(node.operatorToken.kind) : undefined;
  return isBinaryExpression(node) && other !== undefined
    ? [replace('comparison', node.operatorToken, source, other)]
    : none;
};

/** A side that is dropped still tells the compiler which types are possible behind it. */
export const connective: Operator = (node, source) => {
  if (!isBinaryExpression(node)) {
    return none;
  }
  const left = textOf(node.left, source);
  const right = textOf(node.right, source);
  const { kind } = node.operatorToken;
  if (kind === SyntaxKind.AmpersandAmpersandToken) {
    return [
      replace('connective', node, source, `(${left} || ${right})`),
      replace('side-dropped', node, source, left),
      replace('side-dropped', node, source, right, `(${left} || Boolean(1)) && (${right})`),
    ];
  }
  if (kind === SyntaxKind.BarBarToken) {
    return [
      replace('connective', node, source, `(${left} && ${right})`),
      replace('side-dropped', node, source, left),
      replace('side-dropped', node, source, right, `(${left} && Boolean(0)) || (${right})`),
    ];
  }
  return kind === SyntaxKind.QuestionQuestionToken
    ? [replace('side-dropped', node, source, left), replace('side-dropped', node, source, right)]
    : none;
};

export const negation: Operator = (node, source) =>
  isPrefixUnaryExpression(node) && isNot(node)
    ? [replace('negation-dropped', node, source, textOf(node.operand, source))]
    : none;
