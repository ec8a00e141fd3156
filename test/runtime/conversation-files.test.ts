/** Files of conversations on a real disk, in folders that an agent may write. */
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentSandbox } from '../../src/agents/sandbox/agent-sandbox.ts';
import { packed, placeOf, unpack } from '../../src/runtime/workspace/conversation-files.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'signalbox-files-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const fileIn = (folder: string, ...at: readonly string[]) => ({ name: 'c', root: join(root, folder), at });

async function textOf(...files: readonly ReturnType<typeof fileIn>[]): Promise<string> {
  const got = await packed(files);
  return 'text' in got ? got.text : `lack: ${got.lack}`;
}

test('files come out as they went in, in folders that are made, over an older one', async () => {
  mkdirSync(join(root, 'a'));
  writeFileSync(join(root, 'a/one'), Buffer.from([0, 255, 10, 13]));
  writeFileSync(join(root, 'a/two'), 'zwei ü');
  const [one, two] = [
    { ...fileIn('a', 'one'), name: '1' },
    { ...fileIn('a', 'two'), name: '2' },
  ];
  const text = await textOf(one, two);
  const there = [
    { ...fileIn('b', 'deep', 'er', 'x'), name: '1' },
    { ...fileIn('b', 'y'), name: '2' },
  ];
  mkdirSync(join(root, 'b'));
  writeFileSync(join(root, 'b/y'), 'older and longer than the new one');
  await unpack(text, there);
  expect(readFileSync(join(root, 'b/deep/er/x'))).toEqual(Buffer.from([0, 255, 10, 13]));
  expect(readFileSync(join(root, 'b/y'), 'utf8')).toBe('zwei ü');
  expect(statSync(join(root, 'b/deep')).mode & 0o777).toBe(0o700);
  await expect(unpack(text, [{ ...fileIn('b', 'z'), name: '3' }])).rejects.toThrow('the file 3 of the conversation');
});

test('no link is followed below the root, whether it is read or written', async () => {
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside/secret'), 'secret');
  mkdirSync(join(root, 'a'));
  symlinkSync(join(root, 'outside'), join(root, 'a/link'));
  symlinkSync(join(root, 'outside/secret'), join(root, 'a/file'));
  await expect(packed([fileIn('a', 'link', 'secret')])).rejects.toThrow(/ENOTDIR|ELOOP/);
  await expect(packed([fileIn('a', 'file')])).rejects.toThrow('ELOOP');
  const text = await textOf(fileIn('outside', 'secret'));
  await expect(unpack(text, [fileIn('a', 'link', 'new')])).rejects.toThrow(/ENOTDIR|ELOOP/);
  await unpack(text, [fileIn('a', 'file')]);
  expect(statSync(join(root, 'outside/secret')).size).toBe(6);
  expect(readFileSync(join(root, 'a/file'), 'utf8')).toBe('secret');
});

test('what is not there, or is too large, is said', async () => {
  expect(await textOf(fileIn('none', 'c'))).toBe('lack: its files were not found');
  mkdirSync(join(root, 'a'));
  writeFileSync(join(root, 'a/c'), '');
  truncateSync(join(root, 'a/c'), 40_000_000);
  expect(await textOf(fileIn('a', 'c'))).toBe('lack: it is larger than 32 MiB');
  writeFileSync(join(root, 'a/c'), randomBytes(9_000_000));
  expect(await textOf(fileIn('a', 'c'))).toBe('lack: it is larger than 8 MiB');
});

test('a folder has one place for all who see it, made once', async () => {
  mkdirSync(join(root, 'a'));
  symlinkSync(join(root, 'a'), join(root, 'same'));
  const [first, second] = await Promise.all([placeOf(fileIn('a', 'c')), placeOf(fileIn('same', 'd'))]);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(second).toBe(first);
  expect(await placeOf(fileIn('b', 'c'))).not.toBe(first);
  writeFileSync(join(root, 'no-folder'), '');
  expect(await placeOf(fileIn('no-folder', 'c'))).toBe(null);
});

test('a session in a sandbox has its conversation in its own home', () => {
  const limits = { processes: null, memoryBytes: null };
  const nothing = { readable: [], writable: [], files: [], folders: [], limits };
  const sandbox = new AgentSandbox({ bubblewrap: 'bwrap', dataFolder: root, network: 'all', ...nothing });
  const file = { name: 'c', root: '/home/me/.claude', at: ['projects', 'c.jsonl'] };
  const own = sandbox.own('s', file, { HOME: '/home/me' });
  expect(own?.root).toMatch(/\/homes\/[0-9a-f]{32}\/HOME$/);
  expect(own?.at).toEqual(['.claude', 'projects', 'c.jsonl']);
  expect(sandbox.own('other', file, { HOME: '/home/me' })?.root).not.toBe(own?.root);
  expect(sandbox.own('s', { ...file, root: '/srv' }, { HOME: '/home/me' })).toBe(null);
});
