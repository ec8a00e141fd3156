/** Which daemon a command calls, and with which token. */
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '../core/errors.ts';
import { dataFiles } from '../protocol/folder.ts';
import type { DaemonFile } from '../protocol/folder.ts';
import type { Call } from './call.ts';
import type { Io } from './io.ts';
import type { DataFolder } from './data-folder.ts';
import { findDataFolder } from './data-folder.ts';
import { assertTrusted } from './trust.ts';

export interface Target {
  /** A path is a prefix, as a proxy may ask for. */
  readonly url: string;
  readonly token: string | null;
  /** Null where the address was given by hand. */
  readonly data: DataFolder | null;
}

function readOr(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Null: the file does not exist, or a daemon did not write it. */
export function daemonFile(folder: string): DaemonFile | null {
  try {
    const file = JSON.parse(readOr(path.join(folder, dataFiles.daemon)) ?? 'null') as DaemonFile | null;
    return typeof file?.url === 'string' ? file : null;
  } catch {
    return null;
  }
}

export const tokenIn = (folder: string): string | null => readOr(path.join(folder, dataFiles.token))?.trim() ?? null;

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new AppError({
      code: 'usage',
      message: `--url ${JSON.stringify(text)} is not an HTTP address`,
      hint: 'Give a URL such as http://127.0.0.1:7070.',
    });
  }
  return url;
}

/** Null: none was given. Throws `usage` for what no header can carry; it is a secret, so it is not repeated. */
function givenToken(call: Call, io: Io): string | null {
  const token = call.text('token') ?? (io.env['SIGNALBOX_TOKEN'] || null);
  if (token === null || /^[\x21-\x7e]+$/.test(token)) {
    return token;
  }
  throw new AppError({
    code: 'usage',
    message: 'the token is malformed: it contains spaces, line breaks or other characters that a token cannot have',
    hint: 'Copy it from the file `token` in the data folder, or leave it out if that folder is on this machine.',
  });
}

/** A folder of another user looks as if a daemon had never run there. */
function mayRead(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EACCES');
  }
}

/** Throws `AppError` `unreachable` when no daemon is known there, `store_failed` when the folder may not be looked into, `untrusted_file`. */
export function findTarget(call: Call, io: Io): Target {
  const data = findDataFolder({ data: call.text('data'), config: null, env: io.env, cwd: io.cwd });
  const given = givenToken(call, io);
  const asked = call.text('url') ?? (io.env['SIGNALBOX_URL'] || null);
  if (asked !== null) {
    const url = urlOf(asked);
    // The folder's token is for this machine: it goes to no other host unless it is given by hand.
    const token = given ?? (loopback.test(url.hostname) ? tokenIn(data.folder) : null);
    return { url: url.origin + url.pathname.replace(/\/+$/, ''), token, data: null };
  }
  assertTrusted(
    path.join(data.folder, dataFiles.daemon),
    io.env,
    'Give the address of the daemon by hand, with --url, and its token with --token.',
  );
  const file = daemonFile(data.folder);
  if (file === null) {
    if (!mayRead(data.folder)) {
      throw new AppError({
        code: 'store_failed',
        message: `the data folder ${data.folder} belongs to another user: run the command as that user, or give --url and --token`,
      });
    }
    throw new AppError({
      code: 'unreachable',
      message: `no daemon runs for the data folder ${data.folder}`,
      hint: `Start one with \`signalbox up${data.flag}\`, or name the folder of another with --data.`,
    });
  }
  return { url: file.url, token: given ?? tokenIn(data.folder), data };
}
