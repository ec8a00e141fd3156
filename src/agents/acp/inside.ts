/**
 * Opens files below one folder, and nowhere else, whatever links lead out of it and whoever exchanges a part of the path
 * meanwhile.
 *
 * The path is resolved first, with all its links, and has to be inside. Then it is opened from the folder downwards, one name
 * at a time and never through a link: what has become one since then fails. On Linux each step is taken from the open
 * folder before it (`/proc/self/fd`), on macOS the system refuses any link (O_NOFOLLOW_ANY). Elsewhere the file is compared
 * with what the path means when it is open: a file that an exchange has let in is neither read nor written, but one may have
 * been made, empty.
 *
 * A hard link is the file itself: one that stands inside is inside.
 */
import { constants, existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lstat, mkdir, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';

export class OutsideError extends Error {
  override readonly name = 'OutsideError';
}

const { O_RDONLY, O_CREAT } = constants;
/** Windows has none of them, whatever the types say. */
const flag = (name: 'O_DIRECTORY' | 'O_NOFOLLOW' | 'O_NONBLOCK'): number => (name in constants ? constants[name] : 0);
const [O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK] = [flag('O_DIRECTORY'), flag('O_NOFOLLOW'), flag('O_NONBLOCK')];
/** Of macOS (fcntl.h); Node has no name for it. */
const noLinkAtAll = process.platform === 'darwin' ? 0x2000_0000 : 0;
const stepwise = process.platform === 'linux' && existsSync('/proc/self/fd');

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** Where `path` really is, as far as it is there at all. Throws OutsideError, or the system's error. */
export async function resolveInside(
  root: string,
  path: string,
): Promise<{ readonly root: string; readonly file: string }> {
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

/** `realpath`, also of what is to be made: then of the part that is there. */
async function resolveAll(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      throw error;
    }
  }
  // A link whose end is missing: what is made through it is made there.
  const there = await lstat(path).catch(() => null);
  if (there !== null) {
    throw new OutsideError(`a link that leads nowhere: ${path}`);
  }
  const name = basename(path);
  const parent = dirname(path);
  if (parent === path || name === '..' || name === '.' || name === '') {
    throw new OutsideError(`no such place: ${path}`);
  }
  return join(await resolveAll(parent), name);
}

/** Opens without waiting (a pipe opens at once) and never a link. With O_CREAT the folders on the way are made. */
export async function openInside(root: string, path: string, flags: number): Promise<FileHandle> {
  const place = await resolveInside(root, path);
  const safely = flags | O_NOFOLLOW | O_NONBLOCK;
  try {
    return stepwise ? await openStepwise(place, safely) : await openCompared(place, path, safely);
  } catch (error) {
    // A link, or no folder, where there was none when the path was resolved.
    const exchanged = codeOf(error) === 'ELOOP' || codeOf(error) === 'ENOTDIR';
    throw exchanged ? new OutsideError(`the path was exchanged while it was opened: ${path}`) : error;
  }
}

interface Place {
  readonly root: string;
  readonly file: string;
}

async function openStepwise({ root, file }: Place, flags: number): Promise<FileHandle> {
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

async function openCompared({ root, file }: Place, path: string, flags: number): Promise<FileHandle> {
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
  throw new OutsideError(`the path was exchanged while it was opened: ${path}`);
}
