/**
 * Completion for shells, made from the registry of commands. A script has all commands, flags and choices in it. Keys of sessions and ids of
 * tasks it asks the daemon for, where an argument is one.
 */
import type { Command, Flag } from './command.ts';
import { globalFlags } from './flags.ts';

type Make = (commands: readonly Command[]) => string;

const flagsOf = (command: Command): readonly Flag[] => (command.raw === true ? [] : [...command.flags, ...globalFlags]);

/** What the first argument of a command is, so that the daemon can list it. */
function listOf({ args }: Command): string | null {
  const name = args[0]?.name ?? '';
  return name === 'SESSION' || name === 'TARGET' ? 'sessions' : name === 'TASK' ? 'tasks' : null;
}

const listCommands: { readonly [list: string]: string } = {
  sessions: 'signalbox sessions --quiet --limit 200 2>/dev/null',
  tasks: 'signalbox tasks --quiet --limit 50 2>/dev/null',
};

/** For a shell, in single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** First words, and for a command of two words the second. */
function wordsOf(commands: readonly Command[]): {
  readonly first: readonly string[];
  readonly groups: ReadonlyMap<string, readonly string[]>;
} {
  const pairs = commands.map(({ name }) => name.split(' '));
  const two = pairs.filter((pair) => pair.length === 2);
  const groups = Map.groupBy(two, ([first = '']) => first);
  return {
    first: ['help', ...new Set(pairs.map(([first = '']) => first))],
    groups: new Map([...groups].map(([first, list]) => [first, list.map(([, second = '']) => second)])),
  };
}

function bash(commands: readonly Command[]): string {
  const { first, groups } = wordsOf(commands);
  const choiceCases = new Map(
    commands.flatMap((command) =>
      flagsOf(command).flatMap(({ name, choices }) =>
        choices === undefined ? [] : [[`${command.name} --${name}`, choices.join(' ')] as const],
      ),
    ),
  );
  const lines = [
    '# signalbox completion for bash',
    '_signalbox() {',
    '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" name="${COMP_WORDS[1]}" at=2 flags= list=',
    '  COMPREPLY=()',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W ${quoted(first.join(' '))} -- "$word"))`,
    '    return',
    '  fi',
    '  case "$name ${COMP_WORDS[2]}" in',
    ...[...groups].map(
      ([group, seconds]) =>
        `    ${seconds.map((second) => `${quoted(`${group} ${second}`)}*`).join('|')}) name="$name \${COMP_WORDS[2]}"; at=3;;`,
    ),
    '  esac',
    '  case "$name $before" in',
    ...[...choiceCases].map(
      ([flag, choices]) => `    ${quoted(flag)}) COMPREPLY=($(compgen -W ${quoted(choices)} -- "$word")); return;;`,
    ),
    "    *' --data'|*' --config') COMPREPLY=($(compgen -f -- \"$word\")); return;;",
    '  esac',
    '  case "$name" in',
    ...commands.map((command) => {
      const flags = flagsOf(command)
        .map(({ name }) => `--${name}`)
        .join(' ');
      const list = listOf(command);
      return `    ${quoted(command.name)}) flags=${quoted(flags)}${list === null ? '' : `; list=${quoted(listCommands[list] ?? '')}`};;`;
    }),
    `    help) COMPREPLY=($(compgen -W ${quoted(first.join(' '))} -- "$word")); return;;`,
    '  esac',
    '  if [[ "$word" == -* ]]; then',
    '    COMPREPLY=($(compgen -W "$flags" -- "$word"))',
    '    return',
    '  fi',
    ...[...groups].map(
      ([group, seconds]) =>
        `  if [ "$COMP_CWORD" -eq 2 ] && [ "$name" = ${quoted(group)} ]; then COMPREPLY=($(compgen -W ${quoted(seconds.join(' '))} -- "$word")); fi`,
    ),
    '  if [ "$COMP_CWORD" -eq "$at" ] && [ -n "$list" ]; then',
    '    COMPREPLY+=($(compgen -W "$(eval "$list")" -- "$word"))',
    '    if declare -F __ltrim_colon_completions >/dev/null; then __ltrim_colon_completions "$word"; fi',
    '  fi',
    '}',
    'complete -o default -F _signalbox signalbox',
  ];
  return lines.join('\n');
}

function zsh(commands: readonly Command[]): string {
  // A description ends at a colon or a bracket.
  const safe = (text: string): string =>
    text
      .replace(/[[\]:`]/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
  const { first, groups } = wordsOf(commands);
  const whatOf = (name: string): string => safe(commands.find((command) => command.name === name)?.what ?? '');
  const spec = ({ name, short, value, choices, many, what }: Flag): string => {
    const take =
      value === undefined
        ? ''
        : `:${value.toLowerCase()}:${choices === undefined ? (value === 'FOLDER' || value === 'FILE' ? '_files' : '') : `(${choices.join(' ')})`}`;
    const repeat = many === true ? '*' : '';
    const names = short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
    return names.map((one) => quoted(`${repeat}${one}[${safe(what)}]${take}`)).join(' ');
  };
  const lines = [
    '#compdef signalbox',
    '_signalbox_list() { local -a found; found=(${(f)"$(eval "$1")}"}); compadd -a found }',
    '_signalbox() {',
    '  local name="$words[2]"',
    '  if (( CURRENT == 2 )); then',
    '    local -a all',
    `    all=(${first.map((name) => quoted(`${name}:${whatOf(name)}`)).join(' ')})`,
    "    _describe 'command' all",
    '    return',
    '  fi',
    '  case "$words[2] $words[3]" in',
    ...[...groups].map(
      ([group, seconds]) =>
        `    ${seconds.map((second) => quoted(`${group} ${second}`)).join('|')}) name="$words[2] $words[3]"; words=("$words[1]" "$words[3,-1]"); (( CURRENT-- ));;`,
    ),
    '  esac',
    '  words=("$words[2,-1]"); (( CURRENT-- ))',
    '  case "$name" in',
    ...commands.map((command) => {
      const list = listOf(command);
      const group = groups.get(command.name);
      const args =
        group !== undefined
          ? [quoted(`1::command:(${group.join(' ')})`)]
          : list === null
            ? []
            : [
                quoted(
                  `1:${command.args[0]?.name.toLowerCase() ?? ''}:{_signalbox_list "${listCommands[list] ?? ''}"}`,
                ),
              ];
      return `    ${quoted(command.name)}) _arguments ${[...flagsOf(command).map(spec), ...args, quoted('*::file:_files')].join(' ')};;`;
    }),
    '  esac',
    '}',
    'compdef _signalbox signalbox',
  ];
  return lines.join('\n');
}

function fish(commands: readonly Command[]): string {
  const { first, groups } = wordsOf(commands);
  const what = (name: string): string => commands.find((command) => command.name === name)?.what ?? '';
  const seen = (command: Command): string => {
    const [one = '', two] = command.name.split(' ');
    const group = groups.get(one);
    return two === undefined
      ? `__fish_seen_subcommand_from ${one}${group === undefined ? '' : `; and not __fish_seen_subcommand_from ${group.join(' ')}`}`
      : `__fish_seen_subcommand_from ${one}; and __fish_seen_subcommand_from ${two}`;
  };
  const flagLine = (command: Command, { name, short, value, choices, what: says }: Flag): string =>
    [
      `complete -c signalbox -n ${quoted(seen(command))} -l ${name}`,
      short === undefined ? '' : ` -s ${short}`,
      value === undefined ? '' : value === 'FOLDER' || value === 'FILE' ? ' -r' : ' -x',
      choices === undefined ? '' : ` -a ${quoted(choices.join(' '))}`,
      ` -d ${quoted(says)}`,
    ].join('');
  const lines = [
    '# signalbox completion for fish',
    'complete -c signalbox -f',
    ...first.map((name) => `complete -c signalbox -n __fish_use_subcommand -a ${name} -d ${quoted(what(name))}`),
    ...[...groups].flatMap(([group, seconds]) =>
      seconds.map(
        (second) =>
          `complete -c signalbox -n ${quoted(`__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${seconds.join(' ')}`)} -a ${second} -d ${quoted(what(`${group} ${second}`))}`,
      ),
    ),
    ...commands.flatMap((command) => {
      const list = listOf(command);
      const dynamic =
        list === null
          ? []
          : [`complete -c signalbox -n ${quoted(seen(command))} -a ${quoted(`(${listCommands[list] ?? ''})`)}`];
      return [...dynamic, ...flagsOf(command).map((flag) => flagLine(command, flag))];
    }),
  ];
  return lines.join('\n');
}

export const completions: { readonly [shell: string]: Make } = { bash, zsh, fish };
