import { builtin } from './builtin.ts';

/** The version, from the package's own package.json: two folders up, from `src/cli` as from `dist/cli` and `bundle/cli`. */
export function version(): string {
  const { readFileSync } = builtin('node:fs');
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

export const versionLine = (): string =>
  `signalbox ${version()} (Node ${process.version}, ${process.platform} ${process.arch})`;
