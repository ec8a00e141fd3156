/**
 * Equality of the data of two events or finals. It stands apart from `same`, which compares rows all the time: V8 optimizes a function for
 * the shapes that it meets, and the many shapes of events made that one several times slower.
 */
interface Data {
  readonly [member: string]: unknown;
}

export function alike(a: object, b: object): boolean {
  const one = a as Data;
  const other = b as Data;
  let members = 0;
  for (const member in one) {
    if (one[member] !== other[member] && !isEqual(one[member], other[member])) {
      return false;
    }
    members += 1;
  }
  for (const member in other) {
    if (!(member in one)) {
      return false;
    }
    members -= 1;
  }
  return members === 0;
}

/** Actors, reports and lists of ids: most members are the same object or no object. */
const isEqual = (a: unknown, b: unknown): boolean =>
  typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && JSON.stringify(a) === JSON.stringify(b);
