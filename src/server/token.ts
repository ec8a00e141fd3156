/** The daemon's own bearer token, in the data folder, readable by its owner alone. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';
import { dataFiles } from '../protocol/index.ts';

/** 32 random bytes are 43 characters; a shorter one that a person chose can be guessed. */
const tokenPattern = /^[\w.~+/=-]{20,500}$/;

/**
 * Reads `<dataDir>/token`, or makes it (32 random bytes, base64url, mode 0600). Two daemons that start at once get the
 * same token, and no reader gets half of one: the file is written under another name, synced, and linked.
 * Throws `token_unreadable`.
 */
export async function loadToken(dataDir: string, random: (size: number) => Buffer = randomBytes): Promise<string> {
  const path = join(dataDir, dataFiles.token);
  try {
    return (await readToken(path)) ?? (await makeToken(dataDir, path, random));
  } catch (error) {
    if (error instanceof AppError) {
      throw error;
    }
    throw unreadable(path, error instanceof Error ? error.message : String(error), error);
  }
}

async function readToken(path: string): Promise<string | null> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return null;
    }
    throw error;
  }
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw unreadable(path, `others may read it (mode ${(mode & 0o777).toString(8)})`);
  }
  if (!tokenPattern.test(text)) {
    throw unreadable(path, 'it holds no token of 20 characters or more');
  }
  return text;
}

async function makeToken(dataDir: string, path: string, random: (size: number) => Buffer): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const aside = `${path}.${process.pid}.${random(4).toString('hex')}`;
  const token = random(32).toString('base64url');
  try {
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(`${token}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(aside, path);
    return token;
  } catch (error) {
    // Another daemon was first: its token counts.
    const other = error instanceof Error && 'code' in error && error.code === 'EEXIST' ? await readToken(path) : null;
    if (other === null) {
      throw error;
    }
    return other;
  } finally {
    await rm(aside, { force: true });
  }
}

function unreadable(path: string, why: string, cause?: unknown): AppError {
  return new AppError({
    code: 'token_unreadable',
    message: `the token file ${path} cannot be used: ${why}`,
    cause,
  });
}
