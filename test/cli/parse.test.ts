import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/errors.ts';
import { exitCodes } from '../../src/core/error-codes.ts';
import { help } from '../../src/cli/help.ts';
import { harmless, oneLine, plain, wantsColour } from '../../src/cli/output/paint.ts';
import { parse } from '../../src/cli/parse.ts';
import { formerCommands } from '../../src/protocol/former-names.ts';
import type { Command } from '../../src/cli/command.ts';
import { globalFlags } from '../../src/cli/flags.ts';
import { commands } from '../../src/cli/registry.ts';

function refusal(...words: readonly string[]): AppError {
  try {
    parse(words);
  } catch (error) {
    if (error instanceof AppError) {
      return error;
    }
    throw error;
  }
  throw new Error(`${words.join(' ')} was taken`);
}

function call(...words: readonly string[]) {
  const parsed = parse(words);
  if (parsed.kind !== 'run') {
    throw new Error(`it is ${parsed.kind}`);
  }
  return parsed.call;
}

describe('the parser', () => {
  test('takes arguments by place, and joins the rest of the words', () => {
    const sent = call('send', 'hello', 'Say', 'hello', '--lane', 'background', '-k', 'once');
    expect([sent.arg('SESSION'), sent.arg('PROMPT'), sent.text('lane'), sent.text('key')]).toEqual([
      'hello',
      'Say hello',
      'background',
      'once',
    ]);
    expect(sent.on('wait')).toBe(false);
  });

  test('accepts flags of every command before the command', () => {
    const listed = call('--json', '--data', './box', 'tasks', '--limit=3');
    expect([listed.name, listed.on('json'), listed.text('data'), listed.integer('limit')]).toEqual([
      'tasks',
      true,
      './box',
      3,
    ]);
  });

  test('keeps all values of a flag that may repeat', () => {
    expect(call('tasks', '--status', 'queued', '--status', 'running').all('status')).toEqual(['queued', 'running']);
  });

  test('accepts a value that begins with a dash, and a prompt after two dashes', () => {
    expect(call('send', 's', 'x', '--priority', '-5').integer('priority')).toBe(-5);
    expect(call('send', 's', '--', '--lane').arg('PROMPT')).toBe('--lane');
    expect(call('send', 's', '-').arg('PROMPT')).toBe('-');
  });

  test('does not read what follows `agent scripted`', () => {
    expect(call('agent', 'scripted', '--chunk-ms', '5', '--json').raw).toEqual(['--chunk-ms', '5', '--json']);
  });

  test('accepts a call without an optional argument', () => {
    expect(call('tail').argOr('TARGET', null)).toBeNull();
  });

  test.each([
    [[], 'help'],
    [['--help'], 'help'],
    [['help'], 'help'],
    [['help', 'send'], 'help'],
    [['send', '-h'], 'help'],
    [['--version'], 'version'],
  ] as const)('reads %j as %s', (words, kind) => {
    expect(parse(words).kind).toBe(kind);
  });
});

describe('a wrong call', () => {
  test.each([
    [['snd', 'hello', 'x'], /no command "snd"/, /signalbox send/],
    [['sesion', 'x'], /no command/, /signalbox session/],
    [['asks'], /signalbox asks is now signalbox permissions/, /signalbox permissions/],
    [['send', 'hello', 'x', '--wiat'], /no flag --wiat/, /--wait/],
    [['send', 'hello', 'x', '--when-bussy=steer'], /no flag --when-bussy/, /--when-busy/],
    [['tasks', '--status', 'quued'], /must be one of queued, running/, /--status queued/],
    [['tasks', '--limit', 'many'], /whole number, not "many"/, /signalbox help/],
    [['tasks', '--limit'], /needs a value: --limit N/, /signalbox help/],
    [['tasks', '--session', '--json'], /--session needs a value/, /signalbox help/],
    [['tasks', '--json=yes'], /takes no value/, /signalbox help/],
    [['tasks', '--limit', '1', '--limit', '2'], /given twice/, /signalbox help/],
    [['send', 'hello'], /PROMPT is missing/, /Usage: signalbox send SESSION PROMPT/],
    [['session', 'a', 'b'], /"b" is one word too many/, /Usage/],
    [['agent'], /not complete/, /signalbox agent scripted/],
    [['agnet', 'scripted'], /no command/, /^.+$/],
    [['--wrong'], /--wrong/, /signalbox help/],
    [['help', 'nothing-like-it'], /no command/, /signalbox help/],
  ] as const)('gets an error that names what was probably meant: %j', (words, message, hint) => {
    const error = refusal(...words);
    expect(error.code).toBe('usage');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });
});

test.each(Object.entries(formerCommands))(
  'the error of the former command %s names the present one, %s',
  (former, present) => {
    expect(refusal(former).message).toBe(`signalbox ${former} is now signalbox ${present}`);
    expect(commands.map(({ name }) => name)).toContain(present);
    expect(commands.map(({ name }) => name)).not.toContain(former);
  },
);

describe('the help text', () => {
  test.each(commands.map((command) => [command.name, command] as const))('exists for %s', (name, command) => {
    const text = help(command, { paint: plain, columns: 110 });
    expect(text.split('\n\n')[0]?.replaceAll('\n', ' ')).toBe(command.next);
    expect(text).toContain(`Usage: signalbox ${name}`);
    for (const flag of command.flags) {
      expect(text).toContain(`--${flag.name}`);
    }
    expect(command.examples.length).toBeGreaterThan(0);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(130);
  });

  test('has examples that the parser accepts', () => {
    const words = (line: string): string[] =>
      (line.replace(/^.*\| (?=signalbox)|\| .*$/g, '').match(/"[^"]*"|\S+/g) ?? []).map((word) =>
        word.replaceAll('"', ''),
      );
    for (const command of commands) {
      for (const { line } of command.examples) {
        const [first, ...rest] = words(line);
        expect(first).toBe('signalbox');
        const parsed = parse(rest);
        expect(parsed.kind === 'version' ? null : parsed.command?.name, line).toBe(command.name);
      }
    }
  });

  test('begins with the next step, and names every command and exit code', () => {
    const text = help(null, { paint: plain, columns: 110 });
    expect(text.split('\n')[0]).toMatch(/^Next: signalbox demo .* signalbox up .* signalbox send/);
    for (const { name } of commands) {
      expect(text).toContain(`  ${name}`);
    }
    for (const { name } of globalFlags) {
      expect(text).toContain(`--${name}`);
    }
    for (const code of Object.values(exitCodes)) {
      expect(text).toMatch(new RegExp(`(?:Exit codes:|·|^ +) ?${code} `, 'm'));
    }
  });

  test('covers each file of a command through the registry', async () => {
    const folder = new URL('../../src/cli/commands/', import.meta.url);
    for (const file of readdirSync(folder)) {
      const { command } = (await import(new URL(file, folder).href)) as { readonly command: Command };
      expect(commands, file).toContain(command);
      expect(file).toBe(`${command.name.replace(' ', '-')}.ts`);
    }
  });

  test('names no flag twice in a command, nor one that all commands have', () => {
    for (const { flags } of commands) {
      const names = [...flags, ...globalFlags].flatMap(({ name, short }) =>
        short === undefined ? [name] : [name, short],
      );
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('the output', () => {
  test('carries no foreign text that could steer the terminal', () => {
    expect(harmless('a\u001b[2Jb\rc\u009bd\u202ee\n\tf')).toBe('a\\x1b[2Jbc\\x9bd\\x202ee\n\tf');
    expect(oneLine('  two\n lines ', 20)).toBe('two lines');
    expect(oneLine('abcdef', 4)).toBe('abc…');
  });

  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, false],
  ])('has colour by terminal and environment: terminal %s, %j: %s', (terminal, env, colour) => {
    expect(wantsColour({ terminal, env })).toBe(colour);
  });
});
