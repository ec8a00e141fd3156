/**
 * Opens files below one folder, and nowhere else, whatever links lead out of it and whichever process replaces a part of the path
 * meanwhile.
 *
 * First the path is resolved with all its links, and must be inside. Then it is opened from the folder downwards, one name at
 * a time and never through a link, so a name that became a link meanwhile fails. On Linux each step starts from the open
 * folder before it (`/proc/self/fd`). Elsewhere the open file is compared with what the path means then, and macOS itself
 * refuses any link (O_NOFOLLOW_ANY).
 *
 * A hard link is the file itself, and is opened; the caller decides what it means.
 */
import { constants, existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lstat, mkdir, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';

export class OutsideError extends Error {
  override readonly name = 'OutsideError';
}

const { O_RDONLY, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Of macOS (fcntl.h); Node does not name it. */
const noLinkAtAll = process.platform === 'darwin' ? 0x2000_0000 : 0;
const stepwise = process.platform === 'linux' && existsSync('/proc/self/fd');

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

interface Resolved {
  readonly root: string;
  readonly file: string;
}

/** Where `path` really is; the end of it may not exist yet. Throws OutsideError, or the system's error. */
export async function resolveInside(root: string, path: string): Promise<Resolved> {
  if (!isAbsolute(path)) {
    throw new OutsideError(`the path is not absolute: ${path}`);
  }
  if (path.includes('\0')) {
    throw new OutsideError('the path holds a NUL');
  }
  const realRoot = await realpath(root);
  const file = await resolveAll(path);
  const within = relative(realRoot, file);
  if (within === '' || within === '..' || within.startsWith(`..${sep}`) || isAbsolute(within)) {
    throw new OutsideError(`not a file in the folder of this session: ${path}`);
  }
  return { root: realRoot, file };
}

/** `realpath`, also of a path whose end does not exist: then of the part that does. */
async function resolveAll(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      throw error;
    }
  }
  // A file that is made through a dangling link is made where the link points to.
  const found = await lstat(path).catch(() => null);
  if (found !== null) {
    throw new OutsideError(`a dangling link: ${path}`);
  }
  const name = basename(path);
  const parent = dirname(path);
  if (parent === path || name === '..' || name === '.' || name === '') {
    throw new OutsideError(`no such folder: ${path}`);
  }
  return join(await resolveAll(parent), name);
}

/** Opens without waiting (a pipe opens at once) and never a link. With O_CREAT the missing folders are made. */
export async function openInside(root: string, path: string, flags: number): Promise<FileHandle> {
  const resolved = await resolveInside(root, path);
  const safely = flags | O_NOFOLLOW | O_NONBLOCK;
  try {
    return stepwise ? await openStepwise(resolved, safely) : await openCompared(resolved, path, safely);
  } catch (error) {
    // It is a link, or not a folder, and was not when the path was resolved.
    const replaced = codeOf(error) === 'ELOOP' || codeOf(error) === 'ENOTDIR';
    throw replaced ? new OutsideError(`the path was replaced while it was opened: ${path}`) : error;
  }
}

async function openStepwise({ root, file }: Resolved, flags: number): Promise<FileHandle> {
  const names = relative(root, file).split(sep);
  const last = names.pop() ?? '';
  const folderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  let folder = await open(root, folderFlags);
  try {
    for (const name of names) {
      const next = await openFolder(`/proc/self/fd/${folder.fd}/${name}`, folderFlags, (flags & O_CREAT) !== 0);
      await folder.close();
      folder = next;
    }
    return await open(`/proc/self/fd/${folder.fd}/${last}`, flags, 0o666);
  } finally {
    await folder.close();
  }
}

async function openFolder(path: string, flags: number, make: boolean): Promise<FileHandle> {
  if (make) {
    await mkdir(path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') {
        throw error;
      }
    });
  }
  return open(path, flags);
}

async function openCompared({ root, file }: Resolved, path: string, flags: number): Promise<FileHandle> {
  if ((flags & O_CREAT) !== 0) {
    await mkdir(dirname(file), { recursive: true });
  }
  const handle = await open(file, flags | noLinkAtAll, 0o666);
  try {
    const now = await resolveInside(root, path);
    const [opened, meant] = [await handle.stat(), await stat(now.file)];
    if (now.file === file && opened.dev === meant.dev && opened.ino === meant.ino) {
      return handle;
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw new OutsideError(`the path was replaced while it was opened: ${path}`);
}
