/** Values: constants, members of a union of texts, and values replaced by null, a fixed truth or an empty list. */
import type { Expression, Node } from 'typescript/unstable/ast';
import {
  isArrowFunction,
  isBinaryExpression,
  isBlock,
  isCallExpression,
  isCaseClause,
  isIdentifier,
  isNumericLiteral,
  isPropertyAssignment,
  isReturnStatement,
  isShorthandPropertyAssignment,
  isStringLiteral,
  isTypeNode,
  isVariableDeclaration,
  SyntaxKind,
} from 'typescript/unstable/ast';
import type { Type } from 'typescript/unstable/sync';
import { TypeFlags } from 'typescript/unstable/sync';
import type { Edit, Operator, Source } from './operator.ts';
import { none, replace, textOf, withoutParentheses } from './operator.ts';

const membersOf = (type: Type | undefined): readonly Type[] => {
  if (type === undefined) {
    return [];
  }
  return type.isUnionType() ? type.getTypes() : [type];
};

/** The texts that the type allows, if it is made of such. */
const textsOf = (type: Type | undefined): readonly string[] =>
  membersOf(type).flatMap((member) => (member.isStringLiteralType() ? [member.value] : []));

/** The type that is expected of the literal: by its place, or by what it is compared with. */
function expectedOf(node: Expression, { checker }: Source): Type | undefined {
  const { parent } = node;
  if (isBinaryExpression(parent) && parent.operatorToken.kind !== SyntaxKind.EqualsToken) {
    return checker.getTypeAtLocation(parent.left === node ? parent.right : parent.left);
  }
  return checker.getContextualType(node);
}

function otherTexts(node: Expression, was: string, source: Source): readonly Edit[] {
  const texts = textsOf(expectedOf(node, source)).toSorted();
  const at = texts.indexOf(was);
  if (at < 0 || texts.length < 2) {
    return none;
  }
  const others = new Set([texts[(at + 1) % texts.length] ?? was, texts.at(at - 1) ?? was]);
  return [...others].map((other) => replace('constant', node, source, `'${other}'`));
}

export const constant: Operator = (node, source) => {
  if (isTypeNode(node.parent) || isCaseClause(node.parent)) {
    return none;
  }
  if (isNumericLiteral(node)) {
    return [replace('constant', node, source, node.text === '1' ? '0' : String(Number(node.text) + 1))];
  }
  if (isStringLiteral(node)) {
    return otherTexts(node, node.text, source);
  }
  if (node.kind === SyntaxKind.TrueKeyword) {
    return [replace('constant', node, source, 'false')];
  }
  return node.kind === SyntaxKind.FalseKeyword ? [replace('constant', node, source, 'true')] : none;
};

/** The expression whose value the node passes on: to a field, a parameter, a variable or a caller. */
function passedOn(node: Node): readonly Expression[] {
  if (isPropertyAssignment(node)) {
    return [node.initializer];
  }
  if (isCallExpression(node)) {
    return node.arguments;
  }
  if (isArrowFunction(node)) {
    return isBlock(node.body) ? [] : [node.body];
  }
  if (isReturnStatement(node) && node.expression !== undefined) {
    return [node.expression];
  }
  if (isVariableDeclaration(node) && node.initializer !== undefined) {
    return [node.initializer];
  }
  return isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.EqualsToken ? [node.right] : [];
}

const isTruth = (type: Type): boolean => (type.flags & TypeFlags.Boolean) !== 0;

const allowsNull = (type: Type | undefined): boolean =>
  membersOf(type).some((member) => (member.flags & TypeFlags.Null) !== 0);

const isNothing = (node: Expression): boolean =>
  node.kind === SyntaxKind.NullKeyword || (isIdentifier(node) && node.text === 'undefined');

function instead(value: Expression, source: Source): readonly Edit[] {
  const { checker } = source;
  const inner = withoutParentheses(value);
  if (isNothing(inner) || inner.kind === SyntaxKind.TrueKeyword || inner.kind === SyntaxKind.FalseKeyword) {
    return none;
  }
  const edits: Edit[] = [];
  if (allowsNull(checker.getContextualType(value))) {
    edits.push(replace('value-null', value, source, 'null'));
  }
  const type = checker.getTypeAtLocation(inner);
  if (type === undefined) {
    return edits;
  }
  if (isTruth(type)) {
    edits.push(replace('value-fixed', value, source, 'true'), replace('value-fixed', value, source, 'false'));
  }
  if (checker.isArrayLikeType(type) && textOf(inner, source) !== '[]') {
    edits.push(replace('value-empty', value, source, '[]'));
  }
  return edits;
}

export const value: Operator = (node, source) => {
  if (isShorthandPropertyAssignment(node)) {
    const symbol = source.checker.getSymbolAtLocation(node.name);
    const type = symbol === undefined ? undefined : source.checker.getTypeOfSymbol(symbol);
    const name = textOf(node, source);
    return allowsNull(type) ? [replace('value-null', node, source, `${name}: null`)] : none;
  }
  return passedOn(node).flatMap((one) => instead(one, source));
};
