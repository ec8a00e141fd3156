/** Finds what a method and a path stand for. A tree of segments; a literal goes before a parameter. */

interface Match<T> {
  readonly kind: 'found';
  readonly target: T;
  /** Values of the parameters in the order they stand in the path, still percent-encoded. */
  readonly values: readonly string[];
}
type Lookup<T> =
  | Match<T>
  | { readonly kind: 'no-path' }
  | { readonly kind: 'no-method'; readonly allow: readonly string[] };

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  parameter: Node<T> | null;
  readonly methods: Map<string, T>;
}

const emptyNode = <T>(): Node<T> => ({ literals: new Map(), parameter: null, methods: new Map() });

export class Router<T> {
  readonly #root: Node<T> = emptyNode();

  add(method: string, path: string, target: T): void {
    let node = this.#root;
    for (const segment of path.split('/').slice(1)) {
      if (segment.startsWith('{')) {
        node = node.parameter ??= emptyNode();
      } else {
        let next = node.literals.get(segment);
        if (next === undefined) {
          node.literals.set(segment, (next = emptyNode()));
        }
        node = next;
      }
    }
    node.methods.set(method, target);
  }

  /** `path` begins with a slash and has no query. HEAD finds what GET does. */
  find(method: string, path: string): Lookup<T> {
    const values: string[] = [];
    const node = walk(this.#root, path.split('/'), 1, values);
    if (node === null) {
      return { kind: 'no-path' };
    }
    const target = node.methods.get(method === 'HEAD' ? 'GET' : method);
    if (target !== undefined) {
      return { kind: 'found', target, values };
    }
    const allow = [...node.methods.keys()].flatMap((known) => (known === 'GET' ? ['GET', 'HEAD'] : [known]));
    return { kind: 'no-method', allow };
  }
}

function walk<T>(node: Node<T>, segments: readonly string[], at: number, values: string[]): Node<T> | null {
  const segment = segments[at];
  if (segment === undefined) {
    return node.methods.size > 0 ? node : null;
  }
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = walk(literal, segments, at + 1, values);
    if (found !== null) {
      return found;
    }
  }
  if (node.parameter === null || segment === '') {
    return null;
  }
  values.push(segment);
  const found = walk(node.parameter, segments, at + 1, values);
  if (found === null) {
    values.pop();
  }
  return found;
}
