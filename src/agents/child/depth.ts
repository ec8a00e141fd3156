/** A bound for the depth of what an agent writes. */
const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Deeper values do not occur in any known dialect. `JSON.stringify` overflows the stack at some thousand levels. */
export const depthMax = 200;

/** Whether a line of JSON has brackets enough to be so deep. Most lines have not, and a walk costs more than their parsing. */
export function mayBeDeep(line: string, max: number = depthMax): boolean {
  let brackets = 0;
  for (const bracket of ['{', '[']) {
    for (let at = line.indexOf(bracket); at >= 0; at = line.indexOf(bracket, at + 1)) {
      brackets += 1;
      if (brackets > max) {
        return true;
      }
    }
  }
  return false;
}

/**
 * Replaces everything in a parsed message that is nested deeper than `max` with `…`, in place. Returns whether it replaced
 * something. It keeps its own list and does not recurse, since a recursion would overflow the stack just as well.
 */
export function cutDepth(message: object, max: number = depthMax): boolean {
  let level: readonly object[] = [message];
  for (let depth = 1; depth < max && level.length > 0; depth += 1) {
    level = level.flatMap((value) => Object.values(value).filter(isNested));
  }
  let cut = false;
  for (const value of level) {
    for (const [name, inner] of Object.entries(value)) {
      if (isNested(inner)) {
        Reflect.set(value, name, '…');
        cut = true;
      }
    }
  }
  return cut;
}
