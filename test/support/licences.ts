/** The packages of the lock file with their licences. */
import { readFileSync } from 'node:fs';
import { row, table } from './markdown.ts';

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

export interface Licensed {
  readonly name: string;
  readonly version: string;
  /** As its maker names it (SPDX); empty: it does not say. */
  readonly licence: string;
  /** It is installed with Signalbox, and not for its development alone. */
  readonly shipped: boolean;
}

export function licensedPackages(lockFile: string): readonly Licensed[] {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8')) as {
    readonly packages: { readonly [path: string]: Locked };
  };
  return Object.entries(packages).flatMap(([path, { version = '', license = '', dev = false, link = false }]) =>
    link || !path.includes('node_modules/')
      ? [] // Of this repository.
      : [{ name: path.replace(/^.*node_modules\//, ''), version, licence: license, shipped: !dev }],
  );
}

export function licenceTable(lockFile: string): string {
  const shipped = licensedPackages(lockFile).filter((one) => one.shipped);
  return table(
    ['package', 'version', 'licence'],
    shipped.map(({ name, version, licence }) => row(`\`${name}\``, version, licence)),
  );
}

export function licenceCounts(lockFile: string): string {
  const others = licensedPackages(lockFile).filter((one) => !one.shipped);
  const counts = Map.groupBy(others, ({ licence }) => licence);
  return table(
    ['licence', 'packages'],
    [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([licence, list]) => row(licence, String(list.length))),
  );
}
