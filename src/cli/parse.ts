/** From the words after `signalbox` to a command and its call, or to what is wrong and what was probably meant. */
import { AppError } from '../core/errors.ts';
import { formerCommands } from '../protocol/former-names.ts';
import { nearest } from '../protocol/nearest.ts';
import { builtin } from './builtin.ts';
import { Call } from './call.ts';
import type { Argument, Command, Flag } from './command.ts';
import { globalFlags } from './flags.ts';
import { otherNames } from './other-names.ts';
import { commands } from './registry.ts';

type Parsed =
  | { readonly kind: 'run'; readonly command: Command; readonly call: Call }
  | { readonly kind: 'help'; readonly command: Command | null }
  | { readonly kind: 'version' };

/** `command` is the one whose help to point to. */
function usage(message: string, hint: string): AppError {
  return new AppError({ code: 'usage', message, hint });
}

const isFlag = (word: string): boolean => word.startsWith('-') && word !== '-' && word !== '--';

/** Index of the command's first word: flags of every command may stand before it. */
function commandAt(words: readonly string[]): number {
  let at = 0;
  for (let word = words[at]; word !== undefined && isFlag(word); word = words[at]) {
    const flag = globalFlags.find(
      ({ name, short }) => word === `--${name}` || (short !== undefined && word === `-${short}`),
    );
    at += flag?.value === undefined ? 1 : 2;
  }
  return at;
}

function findCommand(words: readonly string[], at: number): { readonly command: Command; readonly after: number } {
  const word = words[at] ?? '';
  const pair = `${word} ${words[at + 1] ?? ''}`;
  const two = commands.find(({ name }) => name === pair);
  if (two !== undefined) {
    return { command: two, after: at + 2 };
  }
  const one = commands.find(({ name }) => name === word);
  if (one !== undefined) {
    return { command: one, after: at + 1 };
  }
  const groups = commands.filter(({ name }) => name.startsWith(`${word} `));
  if (groups.length > 0) {
    throw usage(
      `signalbox ${word} is not complete`,
      `Say which: ${groups.map(({ name }) => `signalbox ${name}`).join(', ')}.`,
    );
  }
  if (Object.hasOwn(formerCommands, word)) {
    const present = `signalbox ${formerCommands[word]}`;
    throw usage(`signalbox ${word} is now ${present}`, `Use \`${present}\`.`);
  }
  const elsewhere = Object.hasOwn(otherNames, word) ? otherNames[word] : undefined;
  if (elsewhere !== undefined) {
    throw usage(`there is no command ${JSON.stringify(word)}`, elsewhere);
  }
  const meant = nearest(
    word,
    commands.map(({ name }) => name),
  );
  throw usage(
    `there is no command ${JSON.stringify(word)}`,
    meant === null ? 'See `signalbox help`.' : `Did you mean \`signalbox ${meant}\`?`,
  );
}

function checked(flag: Flag, written: string, value: string): string {
  if (flag.kind === 'integer' && !/^[+-]?\d{1,15}$/.test(value)) {
    throw usage(`${written} must be a whole number, not ${JSON.stringify(value)}`, '');
  }
  if (flag.kind === 'choice' && !(flag.choices ?? []).includes(value)) {
    const meant = nearest(value, flag.choices ?? []);
    const all = `one of ${(flag.choices ?? []).join(', ')}`;
    throw usage(
      `${written} must be ${all}, not ${JSON.stringify(value)}`,
      meant === null ? '' : `Did you mean \`${written} ${meant}\`?`,
    );
  }
  return value;
}

interface Token {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function flagValue(flag: Flag, token: Token): string {
  if (flag.value === undefined) {
    if (token.inlineValue === true) {
      throw usage(`${token.rawName} takes no value`, '');
    }
    return '';
  }
  const { value } = token;
  // A shell variable that is not set: an empty --data would mean the current folder.
  if (value === '') {
    throw usage(`the value of ${token.rawName} is empty`, '');
  }
  if (value === undefined || (value.startsWith('--') && token.inlineValue !== true)) {
    throw usage(`${token.rawName} needs a value: ${token.rawName} ${flag.value}`, '');
  }
  return checked(flag, token.rawName, value);
}

function unknownFlag(command: Command, known: readonly Flag[], written: string): AppError {
  const meant = nearest(
    written.replace(/^-+/, ''),
    known.map(({ name }) => name),
  );
  return usage(
    `signalbox ${command.name} has no flag ${written}`,
    meant === null
      ? `See \`signalbox ${command.name} --help\`; after \`--\` a word that begins with a dash is not a flag.`
      : `Did you mean \`--${meant}\`?`,
  );
}

function readFlags(command: Command, words: readonly string[]): { flags: Map<string, string[]>; plain: string[] } {
  const known = [...command.flags, ...globalFlags];
  const { parseArgs } = builtin('node:util');
  const { tokens } = parseArgs({
    args: [...words],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      known.map(({ name, short, value }) => [
        name,
        {
          type: value === undefined ? ('boolean' as const) : ('string' as const),
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
  });
  const flags = new Map<string, string[]>();
  const plain: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      plain.push(token.value);
    }
    if (token.kind !== 'option') {
      continue;
    }
    const flag = known.find(({ name }) => name === token.name);
    if (flag === undefined) {
      throw unknownFlag(command, known, token.rawName);
    }
    const before = flags.get(flag.name) ?? [];
    if (before.length > 0 && flag.many !== true && flag.value !== undefined) {
      throw usage(`${token.rawName} is given twice`, '');
    }
    flags.set(flag.name, [...before, flagValue(flag, token)]);
  }
  return { flags, plain };
}

const shape = (argument: Argument): string => (argument.optional === true ? `[${argument.name}]` : argument.name);

export function synopsis(command: Command): string {
  return ['signalbox', command.name, ...command.args.map(shape), ...(command.raw === true ? [] : ['[flags]'])].join(
    ' ',
  );
}

function readArgs(command: Command, plain: readonly string[]): Map<string, string> {
  const args = new Map<string, string>();
  let at = 0;
  for (const argument of command.args) {
    const words = argument.rest === true ? plain.slice(at) : plain.slice(at, at + 1);
    at += words.length;
    if (words.length > 0) {
      args.set(argument.name, words.join(' '));
    } else if (argument.optional !== true) {
      throw usage(`${argument.name} is missing`, `Usage: ${synopsis(command)}`);
    }
  }
  const left = plain[at];
  if (left !== undefined) {
    throw usage(`${JSON.stringify(left)} is one word too many`, `Usage: ${synopsis(command)}`);
  }
  return args;
}

/** Throws `AppError` `usage`. */
export function parse(words: readonly string[]): Parsed {
  const at = commandAt(words);
  const before = words.slice(0, at);
  const first = words[at];
  if (first === undefined) {
    if (before.includes('--version') || before.includes('-v')) {
      return { kind: 'version' };
    }
    const wrong = before.find((word) => !['--help', '-h', '--json'].includes(word));
    if (wrong === undefined) {
      return { kind: 'help', command: null };
    }
    throw usage(`${wrong} needs a command`, 'See `signalbox help`.');
  }
  if (first === 'help') {
    return { kind: 'help', command: words[at + 1] === undefined ? null : findCommand(words, at + 1).command };
  }
  const { command, after } = findCommand(words, at);
  if (command.raw === true) {
    return {
      kind: 'run',
      command,
      call: new Call({ name: command.name, args: new Map(), flags: new Map(), raw: words.slice(after), words }),
    };
  }
  const { flags, plain } = readFlags(command, [...before, ...words.slice(after)]);
  if (flags.has('help')) {
    return { kind: 'help', command };
  }
  return {
    kind: 'run',
    command,
    call: new Call({ name: command.name, args: readArgs(command, plain), flags, raw: [], words }),
  };
}
