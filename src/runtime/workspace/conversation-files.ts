/**
 * The files of an agent's conversation as one text, and back.
 *
 * The agent may write in the folders that the files are in, also while they are read: below the root no link is followed, on Linux not even one that is
 * put there in between.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { gunzip, gzip } from 'node:zlib';
import type { ConversationFile } from '../../agents/conversation-file.ts';

/** Bytes of all files, and of the text. */
const plainMax = 33_554_432;
const packedMax = 8_388_608;
const placeMax = 100;

/** `lack`: why there is no text, for a person. */
export type Packed = { readonly text: string } | { readonly lack: string };

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = constants;

/** A name in an open folder. Elsewhere than on Linux by its path, where no agent is kept from other files anyway. */
const within = (folder: FileHandle, path: string, name: string): string =>
  process.platform === 'linux' ? `/proc/self/fd/${folder.fd}/${name}` : join(path, name);

/** Runs `use` with the open folder of a file. `makes`: folders that are not there are made. */
async function inFolder<T>(
  { root, at }: ConversationFile,
  makes: boolean,
  use: (path: (name: string) => string, name: string) => Promise<T>,
): Promise<T> {
  const names = at.slice(0, -1);
  let path = root;
  if (makes) {
    await mkdir(root, { recursive: true, mode: 0o700 });
  }
  let folder = await open(root, O_RDONLY | O_DIRECTORY);
  try {
    for (const name of names) {
      const next = within(folder, path, name);
      if (makes) {
        await mkdir(next, { mode: 0o700 }).catch(() => {});
      }
      const opened = await open(next, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      await folder.close();
      folder = opened;
      path = join(path, name);
    }
    return await use((name) => within(folder, path, name), at.at(-1) ?? '');
  } finally {
    await folder.close();
  }
}

/** Null: it is not there. */
async function contentOf(file: ConversationFile, atMost: number): Promise<Buffer | null> {
  try {
    return await inFolder(file, false, async (path, name) => {
      const opened = await open(path(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      try {
        const { size } = await opened.stat();
        return size > atMost ? Buffer.alloc(atMost + 1) : await opened.readFile();
      } finally {
        await opened.close();
      }
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return null;
    }
    throw error;
  }
}

export async function packed(files: readonly ConversationFile[]): Promise<Packed> {
  const contents: { [name: string]: Buffer } = {};
  let left = plainMax;
  for (const file of files) {
    const content = await contentOf(file, left);
    if (content === null) {
      return { lack: 'its files were not found' };
    }
    left -= content.length;
    if (left < 0) {
      return { lack: `it is larger than ${plainMax / 1_048_576} MiB` };
    }
    contents[file.name] = content;
  }
  const text = (await promisify(gzip)(serialize(contents))).toString('base64');
  return text.length > packedMax ? { lack: `it is larger than ${packedMax / 1_048_576} MiB` } : { text };
}

const placeName = '.signalbox-place';

/**
 * By what all nodes know the folder that share it: a name that is made up once, in a file of the folder. Null: there is none and none can be
 * made. The agent may write it too: then its session alone has another place, or is not found where it is.
 */
export async function placeOf({ root }: ConversationFile): Promise<string | null> {
  const file = { name: placeName, root, at: [placeName] };
  try {
    const known = await contentOf(file, placeMax);
    if (known !== null) {
      return known.toString('utf8', 0, placeMax);
    }
    await inFolder(file, true, async (path, name) => {
      const made = await open(path(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        await made.writeFile(randomUUID());
      } finally {
        await made.close();
      }
    });
  } catch {
    // Another node has made it, or nobody can.
  }
  return (await contentOf(file, placeMax).catch(() => null))?.toString('utf8', 0, placeMax) ?? null;
}

/** Writes them where they belong on this machine. Throws what the system refuses, and for a text that is damaged. */
export async function unpack(text: string, files: readonly ConversationFile[]): Promise<void> {
  const plain = await promisify(gunzip)(Buffer.from(text, 'base64'), { maxOutputLength: 2 * plainMax });
  const contents = deserialize(plain) as { readonly [name: string]: Uint8Array };
  for (const file of files) {
    const content = contents[file.name];
    if (content === undefined) {
      throw new Error(`the file ${file.name} of the conversation was not kept`);
    }
    await inFolder(file, true, async (path, name) => {
      const draft = path(`${name}.signalbox`);
      await rm(draft, { force: true });
      const made = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        await made.writeFile(content);
      } finally {
        await made.close();
      }
      await rename(draft, path(name));
    });
  }
}
