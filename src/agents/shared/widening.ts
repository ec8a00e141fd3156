/**
 * Settings of agents' programs that let an agent do unasked what the policy of a lane would not allow. They are in the home of the
 * user and in the folder of the session. A driver sets what the policy says over them, or refuses to start.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { type Fields, isFields } from '../child/fields.ts';

export interface Widening {
  readonly file: string;
  /** The setting, with its value where that is short. */
  readonly setting: string;
  /** False: the program offers no way to set another one over it, so the agent does not start. */
  readonly overruled: boolean;
}

/** Where the settings of a program are looked for. */
export interface SettingsPlaces {
  /** The environment that the program gets. */
  readonly env: Readonly<{ [name: string]: string | undefined }>;
  /** The folder of the session; null: only the home is looked at. */
  readonly folder: string | null;
}

export const homeIn = ({ env }: SettingsPlaces): string => env['HOME'] ?? '/';

/** The folder of the session, and those above it up to the repository that it is part of. */
export function projectFolders({ folder }: SettingsPlaces): readonly string[] {
  const found: string[] = [];
  for (let at = folder; at !== null; at = dirname(at) === at ? null : dirname(at)) {
    found.push(at);
    if (existsSync(join(at, '.git'))) {
      return found;
    }
  }
  return found.slice(0, 1);
}

export interface SettingsFile {
  readonly file: string;
  readonly settings: Fields;
}

/** JSON, also with comments. Null: it is not there, or cannot be read: the program cannot read it either. */
export function readSettings(...path: readonly string[]): SettingsFile | null {
  const file = join(...path);
  try {
    const settings: unknown = JSON.parse(withoutComments(readFileSync(file, 'utf8')));
    return isFields(settings) ? { file, settings } : null;
  } catch {
    return null;
  }
}

/** Null: there is no such file. */
export function readLines(...path: readonly string[]): { readonly file: string; readonly text: string } | null {
  const file = join(...path);
  try {
    return existsSync(file) ? { file, text: readFileSync(file, 'utf8') } : null;
  } catch {
    return null;
  }
}

const withoutComments = (text: string): string =>
  text.replace(/("(?:[^"\\]|\\[^])*")|\/\/[^\n]*|\/\*[^]*?\*\//g, (_, quoted: string | undefined) => quoted ?? '');

export const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

export const describeWidening = ({ file, setting }: Widening): string => `${setting} in ${file}`;

/** Throws `settings_widen` where a setting cannot be overruled. */
export function refuseWidening(found: readonly Widening[]): void {
  const refused = found.filter(({ overruled }) => !overruled);
  if (refused.length > 0) {
    throw new AppError({
      code: 'settings_widen',
      message: `its own settings allow what no policy of Signalbox does, and cannot be overruled: ${refused.map(describeWidening).join('; ')}`,
    });
  }
}

/** Arguments of a driver, unless the user gives that flag: `[flag, value]` each. */
export const unlessGiven = (
  pairs: readonly (readonly [flag: string, value: string])[],
  given: readonly string[],
): readonly string[] =>
  pairs.filter(([flag]) => !given.some((one) => one === flag || one.startsWith(`${flag}=`))).flat();
