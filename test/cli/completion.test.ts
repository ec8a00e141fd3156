/** Completion, in the shell that every machine has; the others get the same names. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../src/cli/registry.ts';
import { Cli } from '../support/cli.ts';

test('bash completes commands, flags, choices and keys of sessions', async () => {
  await using cli = new Cli();
  const file = join(cli.folder, 'completion.bash');
  writeFileSync(file, (await cli.run(['completion', 'bash'])).stdout);
  const complete = (...words: readonly string[]): readonly string[] => {
    const script = `signalbox() { echo hello; echo help-me; }; source "$0"
      COMP_WORDS=(signalbox "$@"); COMP_CWORD=$#; _signalbox; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script, file, ...words], { encoding: 'utf8' })
      .trim()
      .split('\n');
  };
  expect(complete('')).toEqual(['help', ...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))]);
  expect(complete('token', '')).toEqual(['make', 'list', 'revoke']);
  expect(complete('token', 'make', '--s')).toEqual(['--scope', '--session']);
  expect(complete('send', 'x', '--lane', 'b')).toEqual(['background']);
  expect(complete('send', 'hel')).toEqual(['hello', 'help-me']);
  expect(complete('tasks', '--st')).toEqual(['--status']);
});

test.each(['zsh', 'fish'])('%s has every command and flag', async (shell) => {
  await using cli = new Cli();
  const { stdout } = await cli.run(['completion', shell]);
  for (const { name, flags } of commands) {
    expect(stdout).toContain(name.split(' ').at(-1));
    for (const flag of flags) {
      expect(stdout).toContain(shell === 'fish' ? `-l ${flag.name}` : `--${flag.name}[`);
    }
  }
});

test('another shell is refused, and an unknown command leads to the right one', async () => {
  await using cli = new Cli();
  expect((await cli.run(['completion', 'tcsh'])).stderr).toContain('signalbox completion bash');
  const listed = await cli.run(['ls']);
  expect([listed.code, listed.stderr]).toEqual([2, expect.stringContaining('`signalbox tasks`') as string]);
  expect((await cli.run(['down'])).stderr).toContain('Press Ctrl-C');
  expect((await cli.run(['version'])).stdout).toBe((await cli.run(['--version'])).stdout);
});
