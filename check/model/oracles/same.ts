/** Deep equality of plain data, without making text of it. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) {
    return true;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return false;
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && sameList(a, b);
  }
  return sameFields(a as Fields, b as Fields);
}

interface Fields {
  readonly [key: string]: unknown;
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) {
    return false;
  }
  for (let index = 0; index < a.length; index += 1) {
    if (!same(a[index], b[index])) {
      return false;
    }
  }
  return true;
}

function sameFields(a: Fields, b: Fields): boolean {
  let fields = 0;
  for (const key in a) {
    if (a[key] !== b[key] && !same(a[key], b[key])) {
      return false;
    }
    fields += 1;
  }
  for (const key in b) {
    if (!(key in a)) {
      return false;
    }
    fields -= 1;
  }
  return fields === 0;
}
