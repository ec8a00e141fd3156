/** The sandbox of this machine, for tests that need one. */
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mount, probeBubblewrap, type SandboxPlan } from '../../src/supervise/index.ts';

export const bubblewrap = '/usr/bin/bwrap';
export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Programs and their libraries, this Node, and this repository; all else is missing. */
const programs: readonly Mount[] = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc']
  .filter((path) => existsSync(path))
  .map((path) =>
    lstatSync(path).isSymbolicLink()
      ? { kind: 'link', at: path, to: readlinkSync(path) }
      : { kind: 'read', from: path, at: path },
  );

export const planOf = (mounts: readonly Mount[] = []): SandboxPlan => ({
  bubblewrap,
  network: 'none',
  mounts: [
    ...programs,
    ...[dirname(process.execPath), repository].map((path) => ({ kind: 'read', from: path, at: path }) as const),
    ...mounts,
  ],
});

/** Null: programs run in a sandbox here. Else why not, for the title of a test that is left out. */
export const sandboxLack: string | null = existsSync(bubblewrap)
  ? probeBubblewrap(planOf())
  : 'bubblewrap is not installed (apt-get install bubblewrap)';
