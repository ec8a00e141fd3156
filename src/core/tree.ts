/**
 * A persistent ordered map (an AVL tree that shares what it does not change). Insert, remove and look-up take
 * O(log n) and leave the old map as it was, which is what lets `step` be pure with a queue of 100,000 tasks.
 */
type Compare<K> = (a: K, b: K) => number;

/** Equality first: mostly it is one text that is compared with itself, and that takes no look at its characters. */
export const byText: Compare<string> = (a, b) => (a === b ? 0 : a < b ? -1 : 1);

interface Node<K, V> {
  readonly key: K;
  readonly value: V;
  readonly left: Node<K, V> | null;
  readonly right: Node<K, V> | null;
  readonly height: number;
  readonly size: number;
}

export interface Tree<K, V> {
  readonly compare: Compare<K>;
  readonly root: Node<K, V> | null;
}

type Link<K, V> = Node<K, V> | null;

const heightOf = <K, V>(node: Link<K, V>): number => (node === null ? 0 : node.height);
const sizeOf = <K, V>(node: Link<K, V>): number => (node === null ? 0 : node.size);

function make<K, V>(key: K, value: V, left: Link<K, V>, right: Link<K, V>): Node<K, V> {
  const leftHeight = heightOf(left);
  const rightHeight = heightOf(right);
  return {
    key,
    value,
    left,
    right,
    height: (leftHeight > rightHeight ? leftHeight : rightHeight) + 1,
    size: sizeOf(left) + sizeOf(right) + 1,
  };
}

function balance<K, V>(key: K, value: V, left: Link<K, V>, right: Link<K, V>): Node<K, V> {
  const tilt = heightOf(left) - heightOf(right);
  if (tilt > 1 && left !== null) {
    if (heightOf(left.left) >= heightOf(left.right)) {
      return make(left.key, left.value, left.left, make(key, value, left.right, right));
    }
    const pivot = left.right;
    if (pivot !== null) {
      return make(
        pivot.key,
        pivot.value,
        make(left.key, left.value, left.left, pivot.left),
        make(key, value, pivot.right, right),
      );
    }
  }
  if (tilt < -1 && right !== null) {
    if (heightOf(right.right) >= heightOf(right.left)) {
      return make(right.key, right.value, make(key, value, left, right.left), right.right);
    }
    const pivot = right.left;
    if (pivot !== null) {
      return make(
        pivot.key,
        pivot.value,
        make(key, value, left, pivot.left),
        make(right.key, right.value, pivot.right, right.right),
      );
    }
  }
  return make(key, value, left, right);
}

function put<K, V>(compare: Compare<K>, node: Link<K, V>, key: K, value: V): Node<K, V> {
  if (node === null) {
    return make(key, value, null, null);
  }
  const order = compare(key, node.key);
  if (order === 0) {
    return { key, value, left: node.left, right: node.right, height: node.height, size: node.size };
  }
  return order < 0
    ? balance(node.key, node.value, put(compare, node.left, key, value), node.right)
    : balance(node.key, node.value, node.left, put(compare, node.right, key, value));
}

function leftmost<K, V>(node: Node<K, V>): Node<K, V> {
  let at = node;
  while (at.left !== null) {
    at = at.left;
  }
  return at;
}

function removeLeftmost<K, V>(node: Node<K, V>): Link<K, V> {
  return node.left === null ? node.right : balance(node.key, node.value, removeLeftmost(node.left), node.right);
}

function remove<K, V>(compare: Compare<K>, node: Link<K, V>, key: K): Link<K, V> {
  if (node === null) {
    return null;
  }
  const order = compare(key, node.key);
  if (order < 0) {
    const left = remove(compare, node.left, key);
    return left === node.left ? node : balance(node.key, node.value, left, node.right);
  }
  if (order > 0) {
    const right = remove(compare, node.right, key);
    return right === node.right ? node : balance(node.key, node.value, node.left, right);
  }
  if (node.left === null || node.right === null) {
    return node.left ?? node.right;
  }
  const next = leftmost(node.right);
  return balance(next.key, next.value, node.left, removeLeftmost(node.right));
}

export const treeOf = <K, V>(compare: Compare<K>): Tree<K, V> => ({ compare, root: null });

export const treeSize = <K, V>(tree: Tree<K, V>): number => sizeOf(tree.root);

export function treeGet<K, V>(tree: Tree<K, V>, key: K): V | undefined {
  let at = tree.root;
  while (at !== null) {
    const order = tree.compare(key, at.key);
    if (order === 0) {
      return at.value;
    }
    at = order < 0 ? at.left : at.right;
  }
  return undefined;
}

export const treePut = <K, V>(tree: Tree<K, V>, key: K, value: V): Tree<K, V> => ({
  compare: tree.compare,
  root: put(tree.compare, tree.root, key, value),
});

/** Removing a key that is not there gives the same tree back. */
export function treeRemove<K, V>(tree: Tree<K, V>, key: K): Tree<K, V> {
  const root = remove(tree.compare, tree.root, key);
  return root === tree.root ? tree : { compare: tree.compare, root };
}

export function treeFirst<K, V>(tree: Tree<K, V>): { readonly key: K; readonly value: V } | null {
  return tree.root === null ? null : leftmost(tree.root);
}

export function treeLast<K, V>(tree: Tree<K, V>): { readonly key: K; readonly value: V } | null {
  let at = tree.root;
  while (at !== null && at.right !== null) {
    at = at.right;
  }
  return at;
}

/** The nearest entry below a key, and the nearest one at or above it. */
export function treeNeighbours<K, V>(
  tree: Tree<K, V>,
  key: K,
): {
  readonly below: { readonly key: K; readonly value: V } | null;
  readonly from: { readonly key: K; readonly value: V } | null;
} {
  let below: Link<K, V> = null;
  let from: Link<K, V> = null;
  let at = tree.root;
  while (at !== null) {
    if (tree.compare(at.key, key) < 0) {
      below = at;
      at = at.right;
    } else {
      from = at;
      at = at.left;
    }
  }
  return { below, from };
}

/** The first `count` values in order. Costs what they and a path to them cost, however many there are. */
export function firstValues<K, V>(tree: Tree<K, V>, count: number): V[] {
  const values: V[] = [];
  const collect = (node: Link<K, V>): void => {
    if (node === null || values.length >= count) {
      return;
    }
    collect(node.left);
    if (values.length < count) {
      values.push(node.value);
    }
    collect(node.right);
  };
  collect(tree.root);
  return values;
}

/** All values in order, or those of the keys from one on and below another. A list of thousands costs a tenth of `treeEntries`. */
export function treeValues<K, V>(tree: Tree<K, V>, from?: K, below?: K): V[] {
  const values: V[] = [];
  // A bound is passed on only where it may still cut: most nodes of a long range are compared with neither.
  const collect = (node: Link<K, V>, from: K | undefined, below: K | undefined): void => {
    if (node === null) {
      return;
    }
    const isFrom = from === undefined || tree.compare(node.key, from) >= 0;
    const isBelow = below === undefined || tree.compare(node.key, below) < 0;
    if (isFrom) {
      collect(node.left, from, isBelow ? undefined : below);
    }
    if (isFrom && isBelow) {
      values.push(node.value);
    }
    if (isBelow) {
      collect(node.right, isFrom ? undefined : from, below);
    }
  };
  collect(tree.root, from, below);
  return values;
}

/** Entries in order, from the first key that is not below `from` (or from the first of all). */
export function* treeEntries<K, V>(tree: Tree<K, V>, from?: K): Generator<readonly [K, V]> {
  const stack: Node<K, V>[] = [];
  let at = tree.root;
  while (at !== null || stack.length > 0) {
    while (at !== null) {
      if (from === undefined || tree.compare(at.key, from) >= 0) {
        stack.push(at);
        at = at.left;
      } else {
        at = at.right;
      }
    }
    const next = stack.pop();
    if (next === undefined) {
      return;
    }
    yield [next.key, next.value];
    at = next.right;
  }
}
