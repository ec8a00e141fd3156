/** Why the system did not start a program, and what to do about it. */
import { existsSync } from 'node:fs';
import type { SpawnOptions } from './child-options.ts';

export interface SpawnFailure {
  readonly reason: 'spawn_failed';
  readonly message: string;
  readonly hint: string;
}

export function spawnFailure(error: unknown, options: SpawnOptions): SpawnFailure {
  const { cwd, env, inSandbox: sandbox } = options;
  const isBare = sandbox !== undefined && !existsSync(sandbox.bubblewrap);
  const command = isBare ? sandbox.bubblewrap : options.command;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  // A missing working directory is reported by the system as a missing command.
  const noDirectory = code === 'ENOENT' && cwd !== undefined && !existsSync(cwd);
  const hints: { readonly [code: string]: string } = {
    ENOENT: noDirectory
      ? `The working directory ${cwd} does not exist: make it, or configure another one.`
      : `No program ${command} was found: install it, or configure its full path; PATH is ${env['PATH'] ?? 'not set'}.`,
    EACCES: `${command} may not be executed by this user: check its mode and its directory's.`,
    EMFILE: 'The daemon has too many open files: raise its limit (ulimit -n), or lower the number of agents.',
    ENFILE:
      'All programs of this machine together have too many open files: end some, or raise the limit of the system.',
    EAGAIN: 'This user has too many processes: raise the limit (ulimit -u), or lower the number of agents.',
    E2BIG: 'Arguments and environment are too long together.',
  };
  return {
    reason: 'spawn_failed',
    message: `cannot start ${command}: ${code}`,
    hint: hints[code] ?? `The system refused to start ${command}.`,
  };
}
