/**
 * Second half of `npm run build`: puts what `tsc -b` has made in `dist/` into few files under `bundle/`, since a start spends
 * most of its time on finding and opening a hundred and fifty. Programs and threads that are loaded by URL are entries of
 * their own, at the same paths as in `dist/`, and every module keeps the URL that it would have there: relative URLs mean the
 * same in `src/`, `dist/` and `bundle/`. Packages stay packages: nothing of others is copied.
 *
 * Node's own modules are had whole: an `import` of one runs its lazy getters for the list of its exports, 5 ms for `node:crypto`.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const out = join(root, 'bundle');
const slashes = (path: string): string => path.split(sep).join('/');

/** Modules of dist, as paths below it. */
const modules = readdirSync(dist, { recursive: true })
  .map((path) => slashes(String(path)))
  .filter((path) => path.endsWith('.js') && existsSync(join(root, 'src', path.replace(/\.js$/, '.ts'))));

/** What is loaded by URL: `new URL(… : './x.js', import.meta.url)`. */
const byUrl = modules.flatMap((path) => {
  const text = readFileSync(join(dist, path), 'utf8');
  return [...text.matchAll(/['"](\.\.?\/[^'"]+\.js)['"],?\s*import\.meta\.url/g)].map((match) =>
    posix.join(dirname(path), match[1] ?? ''),
  );
});
const entries = new Set(['cli/bin.js', ...byUrl]);
for (const entry of entries) {
  if (!modules.includes(entry)) {
    throw new Error(`dist/${entry} is loaded by URL and not there`);
  }
}

/** A module and all that it imports statically. */
function closureOf(entry: string, found = new Set<string>()): ReadonlySet<string> {
  if (!found.has(entry)) {
    found.add(entry);
    const text = readFileSync(join(dist, entry), 'utf8');
    for (const [, specifier = ''] of text.matchAll(/^(?:import|export)\b[^;'"=]*['"](\.[^'"]+)['"];$/gm)) {
      closureOf(posix.join(dirname(entry), specifier), found);
    }
  }
  return found;
}

/**
 * What every command loads, but for what a program of its own needs too (an agent, the launcher), which would then load it all:
 * one file. Otherwise each module that is shared with a command's own code becomes a file, and a start opens twenty.
 */
const programs = [...byUrl.filter((path) => !path.startsWith('cli/')), 'cli/up/launcher.js'].map((path) =>
  closureOf(path),
);
const start = new Set([...closureOf('cli/main.js')].filter((path) => !programs.some((program) => program.has(path))));

const importOfNode = /^import (\{[^}]*\}|\w+) from "(node:[^"]+)";$/gm;
const wholeModules = (code: string): string =>
  code.replaceAll(
    importOfNode,
    (_, names: string, name: string) =>
      `const ${names.replaceAll(/ as /g, ': ')} = process.getBuiltinModule("${name}");`,
  );

const marker = '__URL_OF_MODULE__';

const bundle = await rolldown({
  input: Object.fromEntries([...entries].map((path) => [path.replace(/\.js$/, ''), join(dist, path)])),
  platform: 'node',
  // A module may leave its entry for the file of the start; nobody lists the exports of an entry.
  preserveEntrySignatures: 'allow-extension',
  external: [/^[^./]/, /^node:/],
  plugins: [
    {
      name: 'urls-of-modules',
      transform(code, id) {
        if (!code.includes('import.meta.url')) {
          return null;
        }
        const path = slashes(relative(dist, id));
        return { code: code.replaceAll('import.meta.url', `${marker}(${JSON.stringify(path)})`), map: null };
      },
      renderChunk(code, chunk) {
        const url = (_: string, path: string): string =>
          path === chunk.fileName
            ? 'import.meta.url'
            : `new URL(${JSON.stringify(posix.relative(dirname(chunk.fileName), path))}, import.meta.url).href`;
        const urls = code.replaceAll(new RegExp(`${marker}\\("([^"]+)"\\)`, 'g'), url);
        return { code: wholeModules(urls), map: null };
      },
    },
  ],
});
rmSync(out, { recursive: true, force: true });
await bundle.write({
  dir: out,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  minify: false,
  codeSplitting: {
    groups: [
      {
        name: 'start',
        test: (id) => start.has(slashes(relative(dist, id))),
        includeDependenciesRecursively: false,
      },
    ],
  },
});
await bundle.close();
// The one in dist too: npx remembers the program of a checkout by its path, and that was it before there was a bundle.
for (const folder of [out, dist]) {
  chmodSync(join(folder, 'cli/bin.js'), 0o755);
}
