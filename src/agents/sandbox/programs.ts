/** The part of the machine that every sandboxed program sees, read-only: installed programs, their libraries and settings. */
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join, sep } from 'node:path';
import type { Mount } from '../../supervise/index.ts';
import { pathWithin } from '../shared/paths.ts';

const systemFolders: readonly string[] = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/opt',
  '/snap',
  '/nix/store',
  '/gnu/store',
  '/run/current-system',
];

const read = (path: string): Mount => ({ kind: 'read', from: path, at: path });

const nameServers = '/etc/resolv.conf';

/** Read at each start of an agent: a machine changes. */
export function systemMounts(): readonly Mount[] {
  const folders = systemFolders
    .filter((path) => existsSync(path))
    .map((path): Mount => {
      const isLink = lstatSync(path).isSymbolicLink();
      return isLink ? { kind: 'link', at: path, to: readlinkSync(path) } : read(path);
    });
  const temporary = ['/tmp', '/var/tmp'].map((at): Mount => ({ kind: 'empty', at }));
  // Often a link into /run.
  const resolver = existsSync(nameServers) ? realpathSync(nameServers) : nameServers;
  return [...folders, ...temporary, ...(resolver.startsWith('/etc/') ? [] : [read(resolver)]), ...secretsOfRoot()];
}

/**
 * What only root may read below /etc. An agent of root has root's eyes, without its other rights. Of any other user the system keeps
 * it anyhow.
 */
function secretsOfRoot(): readonly Mount[] {
  return process.getuid?.() === 0 ? hiddenIn('/etc', 4) : [];
}

function hiddenIn(folder: string, depth: number): readonly Mount[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): readonly Mount[] => {
    const at = join(folder, entry.name);
    if (!entry.isDirectory() && !entry.isFile()) {
      return [];
    }
    const { mode } = statSync(at);
    if (entry.isFile()) {
      return (mode & 0o004) === 0 ? [{ kind: 'blank', at }] : [];
    }
    const isOpen = (mode & 0o005) === 0o005;
    return isOpen ? (depth > 1 ? hiddenIn(at, depth - 1) : []) : [{ kind: 'empty', at }];
  });
}

/** A path to show although the configuration does not name it: none of the hidden ones is in it. What is visible anyhow is left out. */
const isSafe = (path: string, hidden: readonly string[]): boolean =>
  isAbsolute(path) &&
  existsSync(path) &&
  hidden.every((one) => pathWithin(path, one) === null) &&
  systemFolders.every((one) => pathWithin(one, path) === null);

const packages = 'node_modules';

/** The folder with all packages of which this is a file; null: it is in none. */
function packagesOf(path: string): string | null {
  const parts = path.split(sep);
  const at = parts.indexOf(packages);
  return at === -1 ? null : parts.slice(0, at + 1).join(sep);
}

/**
 * The folders of the PATH, the program itself with what was installed with it, and files that its arguments name. `hidden`: what
 * must not become visible by that.
 */
export function programMounts(
  command: string,
  args: readonly string[],
  path: string,
  hidden: readonly string[],
): readonly Mount[] {
  const folders = path.split(delimiter).flatMap((folder) => {
    // npm, nvm and others have links in `bin` and the packages beside it.
    const beside = basename(folder) === 'bin' ? [join(dirname(folder), 'lib', packages)] : [];
    return [folder, ...beside];
  });
  const real = existsSync(command) ? realpathSync(command) : command;
  const program = [command, real].flatMap((file) => [packagesOf(file) ?? dirname(file), file]);
  const named = args.filter((arg) => isAbsolute(arg) && statSync(arg, { throwIfNoEntry: false })?.isFile() === true);
  return [...new Set([...folders, ...program, ...named])].filter((one) => isSafe(one, hidden)).map(read);
}
