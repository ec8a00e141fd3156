/** Which daemon a command speaks to, and with which token. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '../core/errors.ts';
import { FOLDER } from '../protocol/folder.ts';
import type { DaemonFile } from '../protocol/folder.ts';
import type { Call } from './call.ts';
import type { Io } from './io.ts';
import type { Place } from './place.ts';
import { dataFolder } from './place.ts';

export interface Target {
  /** A path is a prefix, as a proxy may ask for. */
  readonly url: string;
  readonly token: string | null;
  /** Null where the address was given by hand. */
  readonly place: Place | null;
}

function readOr(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Null: there is none, or it is no daemon's file. */
export function daemonFile(folder: string): DaemonFile | null {
  try {
    const file = JSON.parse(readOr(path.join(folder, FOLDER.daemon)) ?? 'null') as DaemonFile | null;
    return typeof file?.url === 'string' ? file : null;
  } catch {
    return null;
  }
}

export const tokenIn = (folder: string): string | null => readOr(path.join(folder, FOLDER.token))?.trim() ?? null;

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new AppError({
      code: 'usage',
      message: `--url ${JSON.stringify(text)} is no address`,
      hint: 'Such as http://127.0.0.1:7070',
    });
  }
  return url;
}

/** Throws `AppError` `unreachable` when no daemon is known there. */
export function findTarget(call: Call, io: Io): Target {
  const place = dataFolder({ data: call.text('data'), config: null, env: io.env, cwd: io.cwd });
  const given = call.text('token') ?? (io.env['SIGNALBOX_TOKEN'] || null);
  const asked = call.text('url') ?? (io.env['SIGNALBOX_URL'] || null);
  if (asked !== null) {
    const url = urlOf(asked);
    // The folder's token is for this machine: it goes to no other host unless it is given by hand.
    const token = given ?? (loopback.test(url.hostname) ? tokenIn(place.folder) : null);
    return { url: url.origin + url.pathname.replace(/\/+$/, ''), token, place: null };
  }
  const file = daemonFile(place.folder);
  if (file === null) {
    throw new AppError({
      code: 'unreachable',
      message: `no daemon runs on ${place.folder}`,
      hint: `Start one with \`signalbox up${place.flag}\`, or name the folder of another with --data.`,
    });
  }
  return { url: file.url, token: given ?? tokenIn(place.folder), place };
}

/** For `by` and `author`: who sits there. */
export const userName = (env: Io['env']): string | null => env['USER'] || env['LOGNAME'] || env['USERNAME'] || null;
