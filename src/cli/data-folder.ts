/**
 * Where the data folder is. Every command must find it, so it is not a key of the configuration, which only `up` reads:
 * `--data`, then SIGNALBOX_DATA, then `.signalbox` beside the nearest signalbox.config.ts at or above the current folder,
 * then the user's own data folder as the platform has it.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { assertTrusted } from './trust.ts';

const configNames = [
  'signalbox.config.ts',
  'signalbox.config.mts',
  'signalbox.config.js',
  'signalbox.config.mjs',
] as const;

/** The nearest configuration file, at `from` or above. Throws `untrusted_file`. */
export function findConfig(from: string, env: DataFolderRequest['env']): string | null {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    const found = configNames.map((name) => path.join(folder, name)).find((file) => existsSync(file));
    if (found !== undefined) {
      assertTrusted(
        found,
        env,
        'If it is yours, name it: --config FILE, or --data FOLDER for commands without that flag.',
      );
      return found;
    }
    if (path.dirname(folder) === folder) {
      return null;
    }
  }
}

interface DataFolderRequest {
  /** `--data`. */
  readonly data: string | null;
  /** `--config`, of the commands that have it. */
  readonly config: string | null;
  readonly env: Readonly<{ [name: string]: string | undefined }>;
  readonly cwd: string;
}

export interface DataFolder {
  readonly folder: string;
  /** What to add to another command, so that it finds the same folder. */
  readonly flag: string;
  readonly why: 'flag' | 'environment' | 'beside-config' | 'user';
}

export function findDataFolder({ data, config, env, cwd }: DataFolderRequest): DataFolder {
  if (data !== null) {
    return { folder: path.resolve(cwd, data), flag: ` --data ${quoted(data)}`, why: 'flag' };
  }
  const fromEnv = env['SIGNALBOX_DATA'] ?? '';
  if (fromEnv !== '') {
    return { folder: path.resolve(cwd, fromEnv), flag: '', why: 'environment' };
  }
  const file = config === null ? findConfig(cwd, env) : path.resolve(cwd, config);
  if (file === null) {
    return { folder: userFolder(env), flag: '', why: 'user' };
  }
  const folder = path.join(path.dirname(file), '.signalbox');
  // A configuration named by hand is not found again by a command that has no such flag.
  const found = config === null || findConfig(cwd, env) === file;
  return { folder, flag: found ? '' : ` --data ${quoted(folder)}`, why: 'beside-config' };
}

const quoted = (text: string): string => (/^[\w./~-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** XDG base directory specification 0.8 on Linux and the like; a relative path there counts as unset, as it says. */
function userFolder(env: DataFolderRequest['env']): string {
  const home = homedir();
  if (process.platform === 'darwin') {
    return path.join(home, 'Library', 'Application Support', 'signalbox');
  }
  const xdg = env['XDG_DATA_HOME'] ?? '';
  return path.join(xdg.startsWith('/') ? xdg : path.join(home, '.local', 'share'), 'signalbox');
}
