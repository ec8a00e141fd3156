/** Paths of files that an agent names, seen from the folder of its session. */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

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

const linksMax = 40;
/** Of one path: the answer must not take long, whatever an agent names. */
const namesMax = 100;

/**
 * Where the system finds an absolute path, link by link. A part that does not exist is taken as it is named; a link that leads
 * nowhere yet counts as the place that it names. Null: it cannot be told.
 */
export function placeOf(path: string): string | null {
  const names = path.split(sep).toReversed();
  let place: string = sep;
  let links = 0;
  if (names.length > namesMax) {
    return null;
  }
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    if (name === '' || name === '.') {
      continue;
    }
    if (name === '..') {
      place = dirname(place);
      continue;
    }
    const next = join(place, name);
    const target = linkAt(next);
    if (target === null) {
      place = next;
      continue;
    }
    links += 1;
    if (target === 'unknown' || links > linksMax) {
      return null;
    }
    place = isAbsolute(target.path) ? sep : place;
    names.push(...target.path.split(sep).toReversed());
  }
  return place;
}

/** Null: there is no link of that name. */
function linkAt(path: string): { readonly path: string } | 'unknown' | null {
  try {
    return { path: readlinkSync(path) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'EINVAL' || code === 'ENOENT' || code === 'ENOTDIR' ? null : 'unknown';
  }
}

/** The home of a user, or a variable, in the place where programs replace it. */
const replaced = /^(?:~|\$\{?[A-Z_])/;

/**
 * Whether a path stays inside of `folder`, seen from `from`, however a program reads it: with the links that it follows, and with
 * its `..` taken away first. A file with a second name (a hard link) may have it anywhere, so it does not count as inside.
 */
export function staysInside(folder: string, path: string, from: string = folder): boolean {
  const plain = plainPath(path);
  const root = placeOf(folder);
  if (plain === null || root === null || replaced.test(plain)) {
    return false;
  }
  const whole = isAbsolute(plain) ? plain : `${from}${sep}${plain}`;
  const places = [placeOf(whole), placeOf(resolve(whole))];
  return places.every((place) => place !== null && pathWithin(root, place) !== null && !hasOtherName(place));
}

/** Null: no file has such a path. */
function plainPath(path: string): string | null {
  if (path.includes('\0')) {
    return null;
  }
  if (!/^file:/i.test(path)) {
    return path;
  }
  try {
    return fileURLToPath(path);
  } catch {
    return null;
  }
}

function hasOtherName(place: string): boolean {
  const found = lstatSync(place, { throwIfNoEntry: false });
  return found !== undefined && found.isFile() && found.nlink > 1;
}

/** What runs something, or changes what an agent may do, when a program reads it next. */
const guardedNames: ReadonlySet<string> = new Set([
  '.git',
  '.hg',
  '.husky',
  '.claude',
  '.codex',
  '.gemini',
  '.copilot',
  '.opencode',
  '.agents',
  '.vscode',
  '.idea',
  '.mcp.json',
  'opencode.json',
  'opencode.jsonc',
  '.envrc',
  '.signalbox-lock',
]);

/** A file that a policy of edits does not mean, such as a hook of Git: whoever writes it makes something run. */
export function isGuarded(folder: string, path: string): boolean {
  const plain = plainPath(path) ?? path;
  const place = placeOf(isAbsolute(plain) ? plain : `${folder}${sep}${plain}`);
  const within = place === null ? null : pathWithin(placeOf(folder) ?? folder, place);
  const names = (within ?? '').toLowerCase().split(sep);
  const hooks = /(?:^|\/)\.github\/(?:hooks|copilot)(?:\/|$)/.test(names.join('/'));
  return (
    hooks ||
    names.some((name) => guardedNames.has(name)) ||
    /^signalbox\.config\.[^.]+$/.test(basename(names.join(sep)))
  );
}

const matchesMax = 500;

/**
 * What the shell may make of a word with `*` and `?` in folder `from`. Null: that may be outside of `folder`, or an option, or it
 * is too much to tell. A quoted `*` counts as an open one, which only adds to it.
 */
export function expansionsOf(folder: string, word: string, from: string): readonly string[] | null {
  let bases: string[] = [word.startsWith(sep) ? sep : ''];
  for (const name of word.split(sep).filter((one) => one !== '')) {
    if (!/[*?]/.test(name)) {
      bases = bases.map((base) => below(base, name));
      continue;
    }
    const next: string[] = [];
    for (const base of bases) {
      const found = matchesIn(folder, base, name, from);
      if (found === null || next.length + found.length > matchesMax) {
        return null;
      }
      next.push(...found);
    }
    bases = next;
  }
  return [word, ...bases];
}

/** Not `join`, which takes `..` away before a link is followed. */
const below = (base: string, name: string): string =>
  base === '' || base === sep ? `${base}${name}` : `${base}${sep}${name}`;

function matchesIn(folder: string, base: string, pattern: string, from: string): readonly string[] | null {
  // `.*` means the folder above, too.
  const above = pattern.startsWith('.') && (matches('.', pattern) || matches('..', pattern));
  if (above || pattern.includes('**') || !staysInside(folder, base === '' ? '.' : base, from)) {
    return null;
  }
  const names = namesIn(isAbsolute(base) ? base : below(from, base)).filter(
    (name) => matches(name, pattern) && (pattern.startsWith('.') || !name.startsWith('.')),
  );
  return base === '' && names.some((name) => name.startsWith('-')) ? null : names.map((name) => below(base, name));
}

/** Goes back to the last `*` only, so the time is at most the product of both lengths. */
function matches(name: string, pattern: string): boolean {
  let [at, next] = [0, 0];
  let star: { readonly pattern: number; readonly name: number } | null = null;
  while (at < name.length) {
    const wanted = pattern.charAt(next);
    if (wanted === '*') {
      star = { pattern: next, name: at };
      next += 1;
    } else if (wanted === '?' || (wanted !== '' && wanted === name.charAt(at))) {
      at += 1;
      next += 1;
    } else if (star === null) {
      return false;
    } else {
      star = { pattern: star.pattern, name: star.name + 1 };
      at = star.name;
      next = star.pattern + 1;
    }
  }
  return /^\**$/.test(pattern.slice(next));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
