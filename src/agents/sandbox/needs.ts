/** What an agent's program needs of its user's home. */
import { join } from 'node:path';

/** A file or folder of the user's that a sandboxed program finds at its place, where it is there. */
export interface HomeFile {
  /** A leading `$NAME` or `~` is replaced. */
  readonly path: string;
  /**
   * `shared`: the user's own, which the program may write (it renews a login). `read`: the user's own. `copied`: a file of which each
   * agent gets a fresh copy, for settings that the program also writes.
   */
  readonly as: 'shared' | 'read' | 'copied';
  /** Only where this variable is set. */
  readonly when?: string;
}

/** What is at one of several places. */
export const below = (roots: readonly string[], as: HomeFile['as'], names: readonly string[]): readonly HomeFile[] =>
  roots.flatMap((root) => names.map((name) => ({ path: `${root}/${name}`, as })));

/** What every program needs: who a commit is by, and certificates. */
export const commonFiles: readonly HomeFile[] = [
  { path: '~/.gitconfig', as: 'copied' },
  { path: '$XDG_CONFIG_HOME/git', as: 'read' },
  { path: '~/.config/git', as: 'read' },
  { path: '$SSL_CERT_FILE', as: 'read' },
  { path: '$SSL_CERT_DIR', as: 'read' },
  { path: '$NODE_EXTRA_CA_CERTS', as: 'read' },
];

/** Name folders in which programs keep files: of each a sandboxed session has its own. */
export const commonFolders: readonly string[] = ['XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME'];

/** Name places that are not in a sandbox: sockets of the user's session, and another folder than /tmp for temporary files. */
export const absentVariables: readonly string[] = ['XDG_RUNTIME_DIR', 'TMPDIR'];

/** Null: the variable of `$NAME` is not set. */
export function placeOf(path: string, env: Readonly<{ [name: string]: string | undefined }>): string | null {
  const [head = '', ...rest] = path.split('/');
  const root = head === '~' ? env['HOME'] : env[head.slice(1)];
  return root === undefined || root === '' ? null : join(root, ...rest);
}
