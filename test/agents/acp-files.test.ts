/** Files served to an ACP agent: nothing outside of the session's folder, whatever the path says, or becomes meanwhile. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileAnswer } from '../../src/agents/acp/files.ts';
import { Files } from '../../src/agents/acp/files.ts';
import { resolveInside } from '../../src/agents/acp/confine-path.ts';

let base = '';
let folder = '';
let outside = '';
const maxBytes = 1_000;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'signalbox-files-'));
  folder = join(base, 'session');
  outside = join(base, 'outside');
  mkdirSync(folder);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'the secret');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const files = (): Files => new Files(folder, maxBytes);
const read = (path: string, more: object = {}): Promise<FileAnswer> => files().read({ path, ...more });
const write = (path: string, content: string): Promise<FileAnswer> => files().write({ path, content });
const refused = (answer: FileAnswer): number | null => ('error' in answer ? answer.error.code : null);

describe('a path inside the folder', () => {
  test('gives a file whole, by lines, and not beyond its end', async () => {
    const file = join(folder, 'a.txt');
    writeFileSync(file, 'one\ntwo\r\nthrée\nfour');
    expect(await read(file)).toEqual({ result: { content: 'one\ntwo\r\nthrée\nfour' } });
    expect(await read(file, { line: 2, limit: 2 })).toEqual({ result: { content: 'two\r\nthrée\n' } });
    expect(await read(file, { line: 4 })).toEqual({ result: { content: 'four' } });
    expect(await read(file, { line: 9, limit: 1 })).toEqual({ result: { content: '' } });
    expect(await read(file, { limit: 0 })).toEqual({ result: { content: '' } });
    expect(await read(file, { line: null, limit: null })).toEqual(await read(file));
  });

  test('gives a character whole that lies across two reads', async () => {
    const file = join(folder, 'long.txt');
    writeFileSync(file, `${'x'.repeat(65_535)}é\nend`);
    expect(await read(file, { line: 2 })).toEqual({ result: { content: 'end' } });
    const wide = await new Files(folder, 100_000).read({ path: file, limit: 1 });
    expect(wide).toEqual({ result: { content: `${'x'.repeat(65_535)}é\n` } });
  });

  test('accepts a write that makes a file, makes it shorter, or makes its folders', async () => {
    const file = join(folder, 'deep', 'er', 'a.txt');
    expect(await write(file, 'hello there')).toEqual({ result: {} });
    expect(await write(file, 'bye')).toEqual({ result: {} });
    expect(readFileSync(file, 'utf8')).toBe('bye');
  });

  test('is followed through a link that stays inside', async () => {
    writeFileSync(join(folder, 'real.txt'), 'real');
    symlinkSync('real.txt', join(folder, 'link.txt'));
    mkdirSync(join(folder, 'sub'));
    symlinkSync('sub', join(folder, 'way'));
    expect(await read(join(folder, 'link.txt'))).toEqual({ result: { content: 'real' } });
    expect(await write(join(folder, 'link.txt'), 'new')).toEqual({ result: {} });
    expect(await write(join(folder, 'way', 'b.txt'), 'b')).toEqual({ result: {} });
    expect(readFileSync(join(folder, 'real.txt'), 'utf8')).toBe('new');
    expect(readFileSync(join(folder, 'sub', 'b.txt'), 'utf8')).toBe('b');
  });

  test('may reach the folder itself by a link', async () => {
    const way = join(base, 'way');
    symlinkSync(folder, way);
    const served = new Files(way, maxBytes);
    expect(await served.write({ path: join(way, 'a.txt'), content: 'a' })).toEqual({ result: {} });
    expect(await served.read({ path: join(folder, 'a.txt') })).toEqual({ result: { content: 'a' } });
  });

  test('of a missing file is reported in the words that agents look for', async () => {
    const answer = await read(join(folder, 'none.txt'));
    expect(answer).toMatchObject({
      error: { code: -32_002, message: expect.stringMatching(/Resource not found.*ENOENT/) },
    });
  });
});

describe('a path outside the folder', () => {
  const escapes: readonly (readonly [what: string, path: () => string])[] = [
    ['an absolute path elsewhere', () => join(outside, 'secret')],
    ['the way up', () => `${folder}/../outside/secret`],
    ['the way up behind a folder that is not there', () => `${folder}/none/../../outside/secret`],
    ['a path that is not absolute', () => 'a.txt'],
    ['an empty path', () => ''],
    ['a folder whose name begins alike', () => `${folder}-other/a.txt`],
    ['the folder itself', () => folder],
    ['a NUL', () => `${folder}/a\0.txt`],
    ['a device', () => '/dev/null'],
  ];

  test.each(escapes)('is neither read nor written: %s', async (_what, path) => {
    mkdirSync(`${folder}-other`, { recursive: true });
    expect(refused(await read(path()))).toBe(-32_602);
    expect(refused(await write(path(), 'changed'))).toBe(-32_602);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('the secret');
  });

  const links: readonly (readonly [what: string, make: () => string])[] = [
    ['to a file', () => (symlinkSync(join(outside, 'secret'), join(folder, 'l')), join(folder, 'l'))],
    ['to a folder', () => (symlinkSync(outside, join(folder, 'l')), join(folder, 'l', 'secret'))],
    ['by the way up', () => (symlinkSync('../outside/secret', join(folder, 'l')), join(folder, 'l'))],
    [
      'to another link',
      () => {
        symlinkSync(outside, join(folder, 'one'));
        symlinkSync('one', join(folder, 'two'));
        return join(folder, 'two', 'secret');
      },
    ],
  ];

  test.each(links)('is not followed by a link %s', async (_what, make) => {
    const path = make();
    expect(refused(await read(path))).toBe(-32_602);
    expect(refused(await write(path, 'changed'))).toBe(-32_602);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('the secret');
  });

  test('gets no file through a dangling link', async () => {
    symlinkSync(join(outside, 'made'), join(folder, 'l'));
    expect(refused(await write(join(folder, 'l'), 'x'))).toBe(-32_602);
    expect(existsSync(join(outside, 'made'))).toBe(false);
  });

  test('is refused behind a circular link', async () => {
    symlinkSync('b', join(folder, 'a'));
    symlinkSync('a', join(folder, 'b'));
    expect(refused(await read(join(folder, 'a')))).not.toBeNull();
  });

  test('is not read through a hard link, whose other name is outside', async () => {
    linkSync(join(outside, 'secret'), join(folder, 'same'));
    expect(refused(await read(join(folder, 'same')))).toBe(-32_602);
  });
});

describe('a bound of the file access', () => {
  test('refuses a longer file as a whole, and reads it in parts', async () => {
    const file = join(folder, 'long.txt');
    writeFileSync(file, 'a line of text\n'.repeat(1_000));
    expect(refused(await read(file))).toBe(-32_602);
    expect(refused(await read(file, { line: 1, limit: 500 }))).toBe(-32_602);
    expect(await read(file, { line: 999, limit: 50 })).toEqual({ result: { content: 'a line of text\n'.repeat(2) } });
    expect(refused(await write(file, 'x'.repeat(1_001)))).toBe(-32_602);
  });

  test('answers a folder, a pipe and binary data without a wait', async () => {
    mkdirSync(join(folder, 'sub'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(refused(await read(join(folder, 'sub')))).not.toBeNull();
    expect(refused(await write(join(folder, 'sub'), 'x'))).not.toBeNull();
    expect(refused(await read(join(folder, 'pipe')))).toBe(-32_602);
    expect(refused(await write(join(folder, 'pipe'), 'x'))).not.toBeNull();
    expect(refused(await files().read({}))).toBe(-32_602);
    expect(refused(await files().write({ path: join(folder, 'a'), content: 7 }))).toBe(-32_602);
    expect(existsSync(join(folder, 'a'))).toBe(false);
  });
});

describe('a race about a path', () => {
  /** Exchanges a name between a folder and a link that leads out, as fast as another process can. */
  const exchanger = `
    const { renameSync, symlinkSync, mkdirSync } = require('node:fs');
    const [folder, outside] = process.argv.slice(1);
    const at = (name) => folder + '/' + name;
    mkdirSync(at('good')); require('node:fs').writeFileSync(at('good/secret'), 'harmless');
    symlinkSync(outside, at('bad'));
    process.send?.('ready');
    for (let n = 0; n < 40000; n += 1) {
      try { renameSync(at('good'), at('way')); renameSync(at('way'), at('good')); } catch {}
      try { renameSync(at('bad'), at('way')); renameSync(at('way'), at('bad')); } catch {}
    }`;

  test('confines reads and writes, although a link meanwhile replaces a folder', async () => {
    const { fork } = await import('node:child_process');
    const file = join(base, 'exchanger.cjs');
    writeFileSync(file, exchanger.replace('slice(1)', 'slice(2)'));
    const child = fork(file, [folder, outside], { stdio: 'ignore' });
    await new Promise((resolve) => child.once('message', resolve));
    const over = { yet: false };
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => {
        over.yet = true;
        resolve();
      });
    });
    const served = files();
    const path = join(folder, 'way', 'secret');
    let inside = 0;
    let tries = 0;
    for (; !over.yet; tries += 1) {
      const answer = await served.read({ path });
      if ('result' in answer) {
        expect(answer.result).not.toEqual({ content: 'the secret' });
        inside += 1;
      }
      await served.write({ path, content: 'harmless' });
    }
    await ended;
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('the secret');
    expect(tries).toBeGreaterThan(50);
    // It was not only refusals: the harmless folder was met too.
    expect(inside).toBeGreaterThan(0);
  });
});

test('a resolved path has its real names', async () => {
  mkdirSync(join(folder, 'sub'));
  symlinkSync('sub', join(folder, 'way'));
  const { root, file } = await resolveInside(folder, join(folder, 'way', 'new.txt'));
  expect(file).toBe(join(root, 'sub', 'new.txt'));
});
