/**
 * Whose word a file is that the command line finds by itself. A configuration is code, and `daemon.json` says where the token goes: neither is taken
 * from another user, or from the working folder of an agent, who may have put it there. A file that is named by hand is.
 */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '../core/errors.ts';
import { dataFiles } from '../protocol/folder.ts';

/** Those whose files are ours: this user, root, and who has become root by `sudo`. Null: the system has no users. */
function ownUsers(env: Readonly<{ [name: string]: string | undefined }>): ReadonlySet<number> | null {
  const uid = process.getuid?.();
  if (uid === undefined) {
    return null;
  }
  const before = uid === 0 ? Number(env['SUDO_UID'] ?? '') : 0;
  return new Set([uid, 0, ...(Number.isSafeInteger(before) ? [before] : [])]);
}

/** The working folder of an agent that has the file in it, of those that a daemon makes; a folder that a person has given it is that person's. */
function workspaceOf(file: string): string | null {
  for (let folder = path.dirname(path.resolve(file)); ; folder = path.dirname(folder)) {
    const parent = path.dirname(folder);
    if (parent === folder) {
      return null;
    }
    if (
      path.basename(parent) === dataFiles.workspaces &&
      existsSync(path.join(path.dirname(parent), dataFiles.database))
    ) {
      return folder;
    }
  }
}

/** Why the file is not taken; null: it is. */
function distrust(file: string, env: Readonly<{ [name: string]: string | undefined }>): string | null {
  const found = statSync(file, { throwIfNoEntry: false });
  const users = ownUsers(env);
  if (found === undefined) {
    return null;
  }
  if (users !== null && !users.has(found.uid)) {
    return `it belongs to another user (uid ${found.uid})`;
  }
  const workspace = workspaceOf(file);
  return workspace === null ? null : `it is in the working folder of an agent, ${workspace}`;
}

/** Throws `untrusted_file`. `hint`: how to say by hand what the file would have said. */
export function assertTrusted(file: string, env: Readonly<{ [name: string]: string | undefined }>, hint: string): void {
  const why = distrust(file, env);
  if (why !== null) {
    throw new AppError({ code: 'untrusted_file', message: `${file} is not read: ${why}`, hint });
  }
}
