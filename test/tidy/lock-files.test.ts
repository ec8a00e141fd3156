/** What `npm ci` asks of a lock file, as far as it can be seen without a registry. `.ci/run` tries the files themselves. */
import { dirname, join } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { read, trackedFiles } from './files.ts';

interface Names {
  readonly [name: string]: string;
}

interface Package {
  readonly dependencies?: Names;
  readonly devDependencies?: Names;
  readonly optionalDependencies?: Names;
}

interface LockFile {
  readonly packages: { readonly [path: string]: Package };
}

/** Node looks for a package in the folder of whoever imports it, then in each folder above. */
function isInstalled(name: string, from: string, packages: LockFile['packages']): boolean {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (Object.hasOwn(packages, path)) {
      return true;
    }
    if (folder === '' || folder === '.') {
      return false;
    }
  }
}

/** Optional packages of other platforms too: `npm ci` refuses a lock file that lacks one. */
function missingFrom({ packages }: LockFile): string[] {
  return Object.entries(packages).flatMap(([path, { dependencies, devDependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter((name) => !isInstalled(name, path, packages))
      .map((name) => `${path === '' ? 'the package' : path} needs ${name}`),
  );
}

const lockFiles = trackedFiles().filter((path) => path.endsWith('package-lock.json'));

test('the lock files of the repository are found', () => {
  expect(lockFiles).toContain('package-lock.json');
  expect(lockFiles).toContain('bench/peers/package-lock.json');
});

describe.each(lockFiles)('the lock file %s', (path) => {
  const lock = JSON.parse(read(path)) as LockFile;

  test('has every package that its packages name, for every platform', () => {
    expect(missingFrom(lock)).toEqual([]);
  });

  test('requires what its package.json requires', () => {
    const wanted = JSON.parse(read(join(dirname(path), 'package.json'))) as Package;
    const { dependencies, devDependencies, optionalDependencies } = wanted;
    expect(lock.packages['']).toMatchObject(
      JSON.parse(JSON.stringify({ dependencies, devDependencies, optionalDependencies })) as object,
    );
  });

  test('does not name the host of a registry', () => {
    expect(read(path)).not.toContain('"resolved": "http');
  });
});
