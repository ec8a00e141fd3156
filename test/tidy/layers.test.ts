/**
 * The layers, tried rather than trusted. Every pair of layers is given to the real compiler with the real tsconfig
 * files: what the table of docs/adr/0001 does not reach must not compile, what it allows must.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { read, root, sourcesUnder } from './files.ts';
import type { Layer } from './layers.ts';
import { allowed, frontDoor, layerNames, reachable, startsCli } from './layers.ts';
import { importsOf } from './rules.ts';

/** What the checker explores: the core, and the times of a lease in protocol. */
const checked: readonly Layer[] = ['core', 'protocol'];

const isLayer = (name: string): name is Layer => layerNames.some((layer) => layer === name);

function referencesOf(path: string): string[] {
  const config = JSON.parse(read(path)) as { readonly references?: readonly { readonly path: string }[] };
  return (config.references ?? []).map((reference) => posix.normalize(posix.join(dirname(path), reference.path)));
}

describe('the tsconfig files match the table of layers', () => {
  test('every directory of src is a layer of the table', () => {
    const directories = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(directories.map((entry) => entry.name).sort()).toEqual([...layerNames].sort());
  });

  test.each(layerNames)('%s references the layers that the table allows', (layer) => {
    expect(referencesOf(`src/${layer}/tsconfig.json`)).toEqual(allowed(layer).map((other) => `src/${other}`));
  });

  test('src/index.ts references the layers of the front door', () => {
    expect(referencesOf('src/tsconfig.json')).toEqual(frontDoor.map((other) => `src/${other}`));
  });

  test('check references the pure layers only', () => {
    expect(referencesOf('check/tsconfig.json')).toEqual(checked.map((layer) => `src/${layer}`));
  });

  test('the build covers every layer', () => {
    expect(referencesOf('tsconfig.json').sort()).toEqual(['src', ...layerNames.map((layer) => `src/${layer}`)].sort());
  });
});

describe('the compiler', () => {
  let copy: string;
  let output: string;

  /** One tree with a stub per layer and one importing file per pair: a single compiler run answers for all of them. */
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'signalbox-layers-'));
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const configs = ['package.json', 'tsconfig.base.json', 'tsconfig.tools.base.json', 'check/tsconfig.json'];
    for (const path of [...configs, ...layerNames.map((layer) => `src/${layer}/tsconfig.json`)]) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      cpSync(join(root, path), join(copy, path));
    }
    // The copy shares node_modules with the tree, so it must not write a cache there.
    const check = join(copy, 'check/tsconfig.json');
    writeFileSync(check, readFileSync(check, 'utf8').replace('../node_modules/.cache/tsc', '.'));
    const write = (path: string, text: string): void => writeFileSync(join(copy, path), text);
    for (const layer of layerNames) {
      write(`src/${layer}/stub.ts`, `export const ${layer} = '${layer}';\n`);
      for (const other of layerNames.filter((name) => name !== layer)) {
        write(`src/${layer}/imports-${other}.ts`, `export { ${other} } from '../${other}/stub.ts';\n`);
      }
    }
    for (const layer of layerNames) {
      write(`check/imports-${layer}.ts`, `export { ${layer} } from '../src/${layer}/stub.ts';\n`);
    }
    for (const layer of ['core', 'protocol']) {
      write(
        `src/${layer}/uses-node.ts`,
        "import { readFileSync } from 'node:fs';\nexport const f: unknown = readFileSync;\n",
      );
      write(`src/${layer}/uses-process.ts`, 'export const p: unknown = process;\n');
      write(`src/${layer}/uses-timer.ts`, `export const t: unknown = ${'setTimeout'};\n`);
      write(`src/${layer}/uses-dom.ts`, 'export const d: unknown = document;\n');
      write(`src/${layer}/uses-fetch.ts`, 'export const d: unknown = fetch;\n');
    }
    write('src/client/uses-process.ts', 'export const p: unknown = process;\n');
    write('src/client/uses-fetch.ts', 'export const p: unknown = fetch;\n');
    const projects = [...layerNames.map((layer) => `src/${layer}`), 'check'];
    const tsc = join(root, 'node_modules/.bin/tsc');
    const run = spawnSync(tsc, ['-b', '--pretty', 'false', ...projects], { cwd: copy, encoding: 'utf8' });
    output = run.stdout + run.stderr;
  });

  afterAll(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  const errorsOf = (path: string): string[] =>
    output
      .split('\n')
      .flatMap((line) => (line.startsWith(`${path}(`) ? [/error (TS\d+)/.exec(line)?.[1] ?? line] : []));

  test.each(layerNames)('lets %s import what the table allows, and nothing beyond it', (layer) => {
    for (const other of layerNames.filter((name) => name !== layer)) {
      const errors = errorsOf(`src/${layer}/imports-${other}.ts`);
      if (reachable(layer).has(other)) {
        expect(errors, `${layer} -> ${other}`).toEqual([]);
      } else {
        expect(errors, `${layer} -> ${other}`).toContain('TS6307');
      }
    }
  });

  test('lets check import the pure layers and nothing else', () => {
    for (const layer of checked) {
      expect(errorsOf(`check/imports-${layer}.ts`)).toEqual([]);
    }
    for (const layer of layerNames.filter((name) => !checked.includes(name))) {
      expect(errorsOf(`check/imports-${layer}.ts`), layer).toContain('TS6307');
    }
  });

  test.each(['core', 'protocol'])('gives %s no Node, no timers and no DOM', (layer) => {
    for (const use of ['node', 'process', 'timer', 'dom', 'fetch']) {
      expect(errorsOf(`src/${layer}/uses-${use}.ts`), use).not.toEqual([]);
    }
  });

  test('gives client fetch and no Node', () => {
    expect(errorsOf('src/client/uses-fetch.ts')).toEqual([]);
    expect(errorsOf('src/client/uses-process.ts')).not.toEqual([]);
  });
});

describe('a forbidden import statement', () => {
  /** What a file of the tree may import from src, or undefined for a file that may import anything. */
  function allowedFor(path: string): readonly string[] | undefined {
    if (path === 'src/index.ts') {
      return frontDoor;
    }
    if (path.startsWith('check/')) {
      return checked;
    }
    const layer = path.split('/')[1] ?? '';
    return isLayer(layer) ? [layer, ...allowed(layer)] : undefined;
  }

  function problemsOf(path: string, text: string): string[] {
    const may = allowedFor(path);
    return importsOf(text).flatMap(({ specifier, line, kind }) => {
      const at = `${path}:${line}`;
      if (/^signalbox(?:\/|$)/.test(specifier)) {
        return [`${at}: imports the package by its own name`];
      }
      if (!specifier.startsWith('.')) {
        return [];
      }
      const target = posix.join(dirname(path), specifier);
      const layer = /^src\/([^/]+)\//.exec(target)?.[1];
      const outside = path.startsWith('src/') && !target.startsWith('src/');
      if (outside || (layer !== undefined && may !== undefined && !may.includes(layer))) {
        return [`${at}: may not import ${target}`];
      }
      if (path.startsWith('src/cli/') && layer !== undefined && !startsCli.includes(layer) && kind === 'static') {
        return [`${at}: the command line loads ${layer} by import(), when it needs it`];
      }
      return [];
    });
  }

  test.each([
    ['src/core/a.ts', "import { x } from '../runtime/x.ts';"],
    ['src/server/a.ts', "export * from '../agents/index.ts';"],
    ['src/server/a.ts', "const x = await import('../supervise/x.ts');"],
    ['src/server/a.ts', "import {\n  x,\n  y,\n} from '../client/x.ts';"],
    ['src/cli/a.ts', "import { x } from '../daemon/x.ts';"],
    ['src/cli/a.ts', "import { x } from '../supervise/x.ts';"],
    ['src/cli/a.ts', "import type { X } from '../runtime/x.ts';"],
    ['src/core/a.ts', "import '../../test/support/x.ts';"],
    ['check/a.ts', "import { x } from '../src/runtime/x.ts';"],
    ['src/core/a.ts', "import { x } from 'signalbox/testing';"],
  ])('is found in %s: %s', (path, text) => {
    expect(problemsOf(path, text)).toHaveLength(1);
  });

  test.each([
    ['src/cli/a.ts', "const { x } = await import('../daemon/x.ts');"],
    ['src/cli/a.ts', "import type { X } from '../daemon/x.ts';"],
    ['src/server/a.ts', "import { x } from '../runtime/x.ts';\nimport { y } from './y.ts';"],
    ['src/core/a.ts', "// import { x } from '../runtime/x.ts'"],
    ['check/a.ts', "import { x } from '../src/core/x.ts';"],
  ])('is not reported falsely in %s: %s', (path, text) => {
    expect(problemsOf(path, text)).toEqual([]);
  });

  test('does not occur in src or check', () => {
    const sources = sourcesUnder('src', 'check').filter((path) => !path.endsWith('.test.ts'));
    expect(sources.flatMap((path) => problemsOf(path, read(path)))).toEqual([]);
  });
});
