/**
 * The home of a sandboxed session: a folder of its own at the path of the user's home, with those files of the user's in it that the
 * agent's program needs, and with all that the program keeps there, its conversations before all. Other sessions, and the user's
 * own files, are not in it.
 *
 * The agent may write there, so the daemon trusts nothing that it finds:
 *  sandbox-home/1 A file is copied into it only between two agents, below folders that are no links, over nothing.
 *  sandbox-home/2 Whatever is mounted below it has its folders mounted too: a process inside can replace no part of the way to it.
 */
import { constants, copyFileSync, lstatSync, mkdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { Environment, Mount } from '../../supervise/index.ts';
import { pathWithin } from '../shared/paths.ts';
import { type HomeFile, placeOf } from './needs.ts';

/** A folder that is the session's own, where the program looks for one of the user's. */
export interface OwnFolder {
  /** On this machine. */
  readonly from: string;
  /** In the sandbox. */
  readonly at: string;
}

/** `root`: the session's, made with it. `variables`: name folders that the program keeps its files in, each may be outside of HOME. */
export function ownFolders(root: string, env: Environment, variables: readonly string[]): readonly OwnFolder[] {
  const { HOME = '/nonexistent' } = env;
  const moved = variables.flatMap((name) => {
    const at = env[name] ?? '';
    return at === '' || pathWithin(HOME, at) !== null ? [] : [{ from: join(root, name), at }];
  });
  return [{ from: join(root, 'HOME'), at: HOME }, ...moved];
}

export function makeFolders(folders: readonly OwnFolder[]): void {
  for (const { from } of folders) {
    mkdirSync(from, { recursive: true, mode: 0o700 });
  }
}

const kindAt = (path: string): 'file' | 'folder' | null => {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : found.isDirectory() ? 'folder' : 'file';
};

interface Needed {
  readonly at: string;
  readonly file: HomeFile;
}

const needed = (files: readonly HomeFile[], env: Environment): readonly Needed[] =>
  files.flatMap((file) => {
    const at = file.when === undefined || (env[file.when] ?? '') !== '' ? placeOf(file.path, env) : null;
    return at === null ? [] : [{ at, file }];
  });

export const holderOf = (folders: readonly OwnFolder[], path: string): OwnFolder | null =>
  folders.filter(({ at }) => (pathWithin(at, path) ?? '') !== '').toSorted((a, b) => b.at.length - a.at.length)[0] ??
  null;

/** What is mounted for the files that are there. One that is copied is in the folder already, unless it is outside of all folders. */
export function mountsOfFiles(
  files: readonly HomeFile[],
  folders: readonly OwnFolder[],
  env: Environment,
): readonly Mount[] {
  return needed(files, env).flatMap(({ at, file }): readonly Mount[] => {
    if (kindAt(at) === null || (file.as === 'copied' && holderOf(folders, at) !== null)) {
      return [];
    }
    return [{ kind: file.as === 'shared' ? 'write' : 'read', from: realpathSync(at), at }];
  });
}

/** Puts a fresh copy of each file that is to be copied into its folder, and takes away what was there. No agent may run in it. */
export function copyFiles(files: readonly HomeFile[], folders: readonly OwnFolder[], env: Environment): void {
  for (const { at, file } of needed(files, env)) {
    const folder = holderOf(folders, at);
    if (file.as !== 'copied' || folder === null) {
      continue;
    }
    makeParents(folder, at);
    const own = ownPath(folder, at);
    rmSync(own, { recursive: true, force: true });
    if (kindAt(at) === 'file') {
      copyFileSync(at, own, constants.COPYFILE_EXCL);
    }
  }
}

const ownPath = ({ from, at }: OwnFolder, path: string): string => join(from, relative(at, path));

/** From the folder downwards, the path itself left out. */
function parentsOf({ at }: OwnFolder, path: string): readonly string[] {
  const names = relative(at, dirname(path)).split(sep).filter(Boolean);
  return names.map((_, index) => join(at, ...names.slice(0, index + 1)));
}

function makeParents(folder: OwnFolder, path: string): void {
  for (const parent of parentsOf(folder, path)) {
    makeReal(ownPath(folder, parent), 'folder');
  }
}

/** A folder or a file under this very name. What else is there goes. */
function makeReal(path: string, kind: 'file' | 'folder'): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (kind === 'folder' ? found?.isDirectory() === true : found?.isFile() === true) {
    return;
  }
  rmSync(path, { recursive: true, force: true });
  if (kind === 'folder') {
    mkdirSync(path, { mode: 0o700 });
  } else {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  }
}

/**
 * The same mounts, with the folders on the way to each that lies in a folder of the session's own. What they are mounted on is made,
 * so no agent may run in it.
 */
export function withParents(mounts: readonly Mount[], folders: readonly OwnFolder[]): readonly Mount[] {
  const parents = new Map<string, Mount>();
  for (const mount of mounts) {
    const folder = holderOf(folders, mount.at);
    if (folder === null) {
      continue;
    }
    makeParents(folder, mount.at);
    makeReal(ownPath(folder, mount.at), 'from' in mount && kindAt(mount.from) === 'file' ? 'file' : 'folder');
    for (const parent of parentsOf(folder, mount.at)) {
      parents.set(parent, { kind: 'write', from: ownPath(folder, parent), at: parent });
    }
  }
  const own = folders.map(({ from, at }): Mount => ({ kind: 'write', from, at }));
  // A mount of the caller's wins at the same path.
  return [...own, ...parents.values(), ...mounts];
}
