/** Parts of literals: a field, a spread or an element that is dropped. */
import type { Node } from 'typescript/unstable/ast';
import {
  isArrayLiteralExpression,
  isCallExpression,
  isObjectLiteralExpression,
  isPropertyAccessExpression,
  isSpreadAssignment,
} from 'typescript/unstable/ast';
import type { Edit, Operator, Source } from './operator.ts';
import { none } from './operator.ts';

/** Removes one part and the comma behind it, or before it where it is the last. */
function without(operator: string, parts: readonly Node[], index: number, { file }: Source): readonly Edit[] {
  const part = parts[index];
  const next = parts[index + 1];
  const last = parts[index - 1];
  if (part === undefined) {
    return none;
  }
  const start = next === undefined && last !== undefined ? last.end : part.getStart(file);
  const end = next === undefined ? part.end : next.getStart(file);
  return [{ operator, start, end, text: '', typed: null }];
}

/** A field behind a spread is then what it was before; one that must be there is a matter of the compiler. */
export const field: Operator = (node, source) =>
  isObjectLiteralExpression(node)
    ? node.properties.flatMap((property, index) =>
        without(isSpreadAssignment(property) ? 'spread-dropped' : 'field-dropped', node.properties, index, source),
      )
    : none;

const isPush = (node: Node): boolean =>
  isCallExpression(node) && isPropertyAccessExpression(node.expression) && node.expression.name.text === 'push';

export const element: Operator = (node, source) => {
  const parts = isArrayLiteralExpression(node)
    ? node.elements
    : isCallExpression(node) && isPush(node) && node.arguments.length > 1
      ? node.arguments
      : [];
  return parts.flatMap((_, index) => without('element-dropped', parts, index, source));
};
