/** Paths of files that an agent names, seen from the folder of its session. */
import { isAbsolute, relative, resolve, sep } from 'node:path';

/** A path relative to `folder`; null: it leads out of the folder. The folder itself is ``. */
export function pathWithin(folder: string, path: string): string | null {
  const inside = relative(folder, resolve(folder, path));
  return inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside) ? null : inside;
}

/** The file's path as a reader of the session knows it: relative where it is inside of the session's folder. */
export function shownPath(path: string, folder: string | null): string {
  const inside = folder === null || path === '' ? null : pathWithin(folder, path);
  return inside === null || inside === '' ? path : inside;
}
