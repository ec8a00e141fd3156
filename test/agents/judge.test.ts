/** What a tool request touches, as the drivers judge it: a policy means by a kind what happens inside of the session's folder. */
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ToolCalls } from '../../src/agents/acp/tools.ts';
import { gemini } from '../../src/agents/acp/profiles/gemini.ts';
import { actionOf } from '../../src/agents/claude/permissions.ts';
import { permissionRequestOf } from '../../src/agents/codex/permissions.ts';
import { commandLine, strongVariables, withVariables } from '../../src/agents/shared/command-line.ts';
import { judged, pathsIn } from '../../src/agents/shared/judge.ts';
import { readsInside } from '../../src/agents/shared/reading-places.ts';
import type { ActionKind } from '../../src/core/model/permission.ts';

let base = '';
let folder = '';

/**
 * `folder/` has: `a.txt`, `sub/b.txt`, `in` → `sub`, `out` → the folder above, `key` → a file outside, `hard`: a file outside under
 * a second name, `loop` → itself, `new` → a file outside that does not exist, `-R`, and a folder whose name has a blank.
 */
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'signalbox-judge-'));
  folder = join(base, 'folder');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  mkdirSync(join(folder, 'two words'));
  mkdirSync(join(folder, 'options'));
  writeFileSync(join(base, 'secret'), 'the secret');
  writeFileSync(join(folder, 'a.txt'), 'a');
  writeFileSync(join(folder, 'sub', 'b.txt'), 'b');
  writeFileSync(join(folder, 'options', '-R'), '');
  symlinkSync('sub', join(folder, 'in'));
  symlinkSync('..', join(folder, 'out'));
  symlinkSync(join(base, 'secret'), join(folder, 'key'));
  symlinkSync(join(base, 'secret'), join(folder, 'sub', 'key.txt'));
  symlinkSync(join(base, 'not-there'), join(folder, 'new'));
  symlinkSync('loop', join(folder, 'loop'));
  linkSync(join(base, 'secret'), join(folder, 'hard'));
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

const kindOf = (kind: ActionKind, path: string): ActionKind =>
  judged({ kind, tool: 't', title: 't' }, folder, [path]).kind;

describe('W01: a path', () => {
  test.each([
    'a.txt',
    './a.txt',
    'sub/../a.txt',
    'in/b.txt',
    'not-there/yet',
    '.',
    'two words/x',
    'a..b',
    '..a',
    '$id/page.ts',
  ])('is inside of the folder: %s', (path) => {
    expect(kindOf('read', path)).toBe('read');
    expect(kindOf('edit', path)).toBe('edit');
    expect(kindOf('read', join(folder, path))).toBe('read');
  });

  test.each([
    '..',
    '../secret',
    '../folder-2/a',
    'sub/../../secret',
    '/etc/passwd',
    'out',
    'out/secret',
    'in/../../secret',
    'key',
    'new',
    'loop',
    'hard',
    '~/.ssh/id_rsa',
    '~root/x',
    '$HOME/.bashrc',
    '${HOME}/.bashrc',
    'file:///etc/passwd',
    'file://host/etc/passwd',
    'a\0b',
    `${'d/'.repeat(200)}x`,
  ])('leads out of the folder, or may: %j', (path) => {
    for (const kind of ['read', 'search', 'edit', 'delete'] as const) {
      expect(kindOf(kind, path)).toBe('other');
    }
  });

  test('that a program takes `..` away from is inside only if both readings are', () => {
    // By the links it is `base/secret`; without them `folder/secret`.
    expect(kindOf('read', 'out/../secret')).toBe('other');
    expect(kindOf('read', 'in/../a.txt')).toBe('read');
  });

  test.each([
    '.git/hooks/post-commit',
    '.GIT/config',
    'sub/.claude/settings.json',
    '.mcp.json',
    '.github/hooks/a.json',
    'signalbox.config.ts',
    '.envrc',
  ])('is of a file that makes something run, so an edit of it is more than an edit: %s', (path) => {
    expect(kindOf('edit', path)).toBe('other');
    expect(kindOf('delete', path)).toBe('other');
    expect(kindOf('read', path)).toBe('read');
  });

  test('means nothing to a kind that a policy does not allow by itself', () => {
    expect(kindOf('execute', '../x')).toBe('execute');
    expect(kindOf('fetch', '/x')).toBe('fetch');
  });

  test('leads out where there is no folder, and where there are more paths than can be looked at', () => {
    expect(judged({ kind: 'read', tool: 't', title: 't' }, null, ['a']).kind).toBe('other');
    expect(judged({ kind: 'read', tool: 't', title: 't' }, folder, null).kind).toBe('other');
    expect(pathsIn({ paths: Array.from({ length: 2_000 }, () => 'a') })).toBeNull();
  });
});

describe('W01: the input of a tool', () => {
  test.each([
    [{ file_path: 'a.txt', content: '/etc\n../x' }, ['a.txt']],
    [{ edits: [{ path: '/x', newText: '~' }] }, ['/x']],
    [{ changes: { '/etc/passwd': { diff: 'x' } } }, ['/etc/passwd', 'x']],
    [{ patchText: '*** Begin Patch\n*** Add File: ../a\n+x\n*** Move to: /b\n' }, ['../a', '/b']],
    [{ content: '*** Delete File: ../a' }, ['../a']],
  ])('names paths: %j', (input, paths) => {
    expect(pathsIn(input)).toEqual(paths);
  });
});

describe('W01: a reading command', () => {
  test.each([
    'cat a.txt',
    'cat a.txt sub/b.txt in/b.txt',
    'cat *.txt',
    'ls',
    'ls -la sub',
    'cd sub && cat b.txt',
    'cd sub; cat ./b.txt',
    "grep -rn '/etc/passwd' sub",
    "grep -n -A 3 '~/x' a.txt",
    "rg -n --glob '!dist' '/api/' sub",
    "rg -g '*.ts' '^/x' .",
    "find . -name '*.ts' -not -path '/x/*'",
    "sed -n '1,20p' a.txt",
    'head -n 5 a.txt | tail -2',
    'cat a.txt 2>/dev/null',
    "echo '~' /etc",
    'cut -d/ -f1 a.txt',
    'wc -l a.txt',
    'stat -c %s a.txt',
  ])('stays inside of the folder: %s', (script) => {
    expect(readsInside(script, folder, folder)).toBe(true);
  });

  test.each([
    'cat /etc/passwd',
    'cat ../secret',
    'cat ~/.ssh/id_rsa',
    'cat a.txt ~root/x',
    'cat key',
    'cat hard',
    'cat k*',
    'cat su?/key.txt',
    'cat out/*',
    'cat .*/secret',
    'ls /root',
    'ls out',
    'ls -L',
    'ls -laRL',
    'cd .. && cat secret',
    'cd out && cat secret',
    'cd && cat .ssh/id_rsa',
    'cd -; cat a.txt',
    'cd nowhere; cat ../secret',
    'cd nowhere || cat ../folder/../secret',
    'head -c 100 -- ../secret',
    'grep -R x .',
    'grep -rR x .',
    'grep -rS x .',
    'grep --dereference-recursive x',
    'grep -rn x ..',
    'grep -e x /etc/passwd',
    'grep -f/etc/passwd a.txt',
    'grep -nf /etc/passwd a.txt',
    'grep --file=/etc/passwd x a.txt',
    'grep --regexp x /etc/passwd',
    'cd options && grep x *',
    'rg x /etc',
    'rg -L x',
    'rg --follow x',
    'rg --files /etc',
    'rg --ignore-file=/etc/passwd x',
    'find / -name x',
    'find .. -name x',
    'find out/ -name x',
    'find -L . -name x',
    'find . -newer /etc/passwd',
    "sed -n '1,20p' /etc/passwd",
    'echo /etc/*',
    'echo ~root',
    'tail =ls',
    'du -L .',
    'du --files0-from=a.txt',
    'wc --files0-from=a.txt',
    'wc --f=a.txt',
    'rm a.txt',
    `cat ${'a.txt '.repeat(5_000)}`,
  ])('may read outside of the folder: %s', (script) => {
    expect(readsInside(script, folder, folder)).toBe(false);
  });

  test('is seen from the folder in which it runs', () => {
    expect(readsInside('cat b.txt', folder, join(folder, 'sub'))).toBe(true);
    expect(readsInside('cat ../a.txt', folder, join(folder, 'sub'))).toBe(true);
    expect(readsInside('cat ../../secret', folder, join(folder, 'sub'))).toBe(false);
    expect(readsInside('cat secret', folder, base)).toBe(false);
    expect(readsInside('cat secret', folder, join(folder, 'out'))).toBe(false);
  });
});

describe('W01: a request of Codex', () => {
  const command = (line: string, more: object = {}): unknown => {
    const params = { command: line, cwd: folder, ...more };
    const method = 'item/commandExecution/requestApproval';
    const request = permissionRequestOf({ id: 1, method, params, result: () => true, error: () => true });
    return request?.describe(() => null, folder).action;
  };

  const patch = (changes: readonly object[], more: object = {}): unknown => {
    const params = { itemId: 'i', ...more };
    const method = 'item/fileChange/requestApproval';
    const request = permissionRequestOf({ id: 1, method, params, result: () => true, error: () => true });
    return request?.describe(() => ({ changes }), folder).action.kind;
  };

  test('that reads outside is not of a reading kind', () => {
    expect(command("/bin/bash -lc 'cat a.txt'")).toEqual({ kind: 'read', tool: 'shell', title: 'cat a.txt' });
    expect(command("/bin/bash -lc 'cat ../secret'")).toEqual({ kind: 'other', tool: 'shell', title: 'cat ../secret' });
    expect(command("/bin/bash -lc 'cat secret'", { cwd: base })).toMatchObject({ kind: 'other' });
  });

  test.each([
    "./evil.sh -c 'cat a.txt'",
    "/tmp/bash -c 'cat a.txt'",
    "evil/bin/sh -lc 'cat a.txt'",
    "x sh -c 'cat a.txt'",
  ])('is for the whole command where no known shell runs it: %s', (line) => {
    expect(command(line)).toEqual({ kind: 'execute', tool: 'shell', title: line });
  });

  test('to change a file outside is not an edit', () => {
    expect(patch([{ path: join(folder, 'a.txt'), kind: { type: 'update' } }])).toBe('edit');
    expect(patch([{ path: 'a.txt', kind: { type: 'delete' } }])).toBe('delete');
    expect(patch([{ path: 'a.txt', kind: { type: 'update', move_path: '../b' } }])).toBe('other');
    expect(
      patch([
        { path: 'a.txt', kind: {} },
        { path: '/etc/passwd', kind: {} },
      ]),
    ).toBe('other');
    expect(patch([])).toBe('other');
    expect(patch([{ path: 'a.txt', kind: {} }], { grantRoot: '/' })).toBe('other');
  });

  test('for more files or for more than the network is of no kind', () => {
    const grant = (permissions: object): unknown => {
      const method = 'item/permissions/requestApproval';
      const params = { permissions };
      const request = permissionRequestOf({ id: 1, method, params, result: () => true, error: () => true });
      return request?.describe(() => null, folder).action.kind;
    };
    expect(grant({ network: { enabled: true } })).toBe('fetch');
    expect(grant({ fileSystem: { write: [folder] } })).toBe('other');
    expect(grant({ network: {}, fileSystem: {} })).toBe('other');
  });
});

describe('W01: a request of Claude Code', () => {
  const kind = (tool_name: string, input: object, more: object = {}): string =>
    actionOf({ tool_name, input, ...more }, folder).kind;

  test('leads out of the folder by a link, by a pattern and by what Claude Code says of it', () => {
    expect(kind('Edit', { file_path: join(folder, 'a.txt') })).toBe('edit');
    expect(kind('Write', { file_path: join(folder, 'key'), content: 'x' })).toBe('other');
    expect(kind('Read', { file_path: join(folder, 'hard') })).toBe('other');
    expect(kind('Glob', { pattern: '/etc/*' })).toBe('other');
    expect(kind('Glob', { pattern: 'out/*' })).toBe('other');
    expect(kind('Grep', { pattern: '/etc/x', path: 'sub' })).toBe('search');
    expect(kind('Grep', { pattern: 'x', path: 'out' })).toBe('other');
    expect(kind('Edit', { file_path: 'a.txt' }, { decision_reason_type: 'workingDir' })).toBe('other');
    expect(kind('Bash', { command: 'cat a' })).toBe('execute');
  });
});

describe('W01: a request of an ACP agent', () => {
  const kind = (call: object): string =>
    new ToolCalls(gemini, () => 0, folder).requested({ toolCallId: 'x', ...call }).ask.kind;

  test('leads out of the folder wherever it says so', () => {
    expect(kind({ kind: 'edit', locations: [{ path: join(folder, 'a.txt') }] })).toBe('edit');
    expect(kind({ kind: 'edit', locations: [{ path: join(folder, 'key') }] })).toBe('other');
    expect(kind({ kind: 'edit', content: [{ type: 'diff', path: '../x', newText: '' }] })).toBe('other');
    expect(kind({ kind: 'read', rawInput: { uri: 'file:///etc/passwd' } })).toBe('other');
    expect(kind({ kind: 'read', rawInput: { files: [{ name: 'a.txt' }, { name: '/etc/passwd' }] } })).toBe('other');
    expect(kind({ kind: 'search', rawInput: { pattern: '/etc/*' } })).toBe('other');
    expect(kind({ kind: 'search', rawInput: { pattern: 'a*' } })).toBe('search');
    expect(kind({ kind: 'move', locations: [{ path: 'a.txt' }], rawInput: { to: '/x' } })).toBe('other');
  });

  test('that names no file may mean any', () => {
    expect(kind({ kind: 'read', title: 'a.txt' })).toBe('other');
    expect(kind({ kind: 'edit' })).toBe('other');
  });

  test('with a command runs it, whatever kind it names', () => {
    expect(kind({ kind: 'edit', locations: [{ path: 'a.txt' }], rawInput: { command: 'rm -rf ~' } })).toBe('execute');
    expect(kind({ kind: 'delete', rawInput: { command: ['rm', 'a b'] } })).toBe('execute');
    expect(kind({ kind: 'edit', rawInput: { command: 'str_replace', path: 'a.txt' } })).toBe('edit');
  });

  test('keeps what an earlier message of its call has named', () => {
    const calls = new ToolCalls(gemini, () => 0, folder);
    calls.take({ toolCallId: 'x', kind: 'edit', status: 'pending', locations: [{ path: '/etc/passwd' }] });
    expect(calls.requested({ toolCallId: 'x', locations: [{ path: 'a.txt' }] }).ask.kind).toBe('other');
  });
});

describe('a command line', () => {
  test('is another one for other arguments', () => {
    expect(commandLine(['a b'])).toBe("'a b'");
    expect(commandLine(['a', 'b'])).toBe('a b');
    expect(commandLine(['git', 'log;', 'rm'])).toBe("git 'log;' rm");
    expect(commandLine(["it's", ''])).toBe(String.raw`'it'\''s' ''`);
  });

  test('shows the variables that may change what it does', () => {
    const env = { LANG: 'C', LD_PRELOAD: './x.so', PATH: '/tmp', EMPTY: '' };
    expect(withVariables(strongVariables(env), 'ls')).toBe('LD_PRELOAD=./x.so PATH=/tmp EMPTY= ls');
    expect(strongVariables({ LANG: 'C', LC_ALL: 'C', TERM: 'dumb', CI: '1' })).toEqual({});
  });
});
