/**
 * Which shell commands do nothing but read. Codex has one tool for everything, so without this a task that may only read
 * could not look at a file. Codex's own parse of a command is only made to be shown: it calls `find . -delete` and
 * `cat a | tee b` a listing and a reading.
 *
 * What is not understood completely does not count as reading. Understood is a list of simple commands of known programs, joined by
 * `|`, `&&`, `||`, `;` or newlines: no redirection to a file, no substitution, no variable, no group, no background.
 */
type Reading = 'read' | 'search';

/** Programs that can neither write nor run anything, whatever their arguments are. */
const harmless: { readonly [program: string]: Reading } = {
  cat: 'read',
  head: 'read',
  tail: 'read',
  tac: 'read',
  nl: 'read',
  wc: 'read',
  cut: 'read',
  tr: 'read',
  rev: 'read',
  cmp: 'read',
  comm: 'read',
  stat: 'read',
  readlink: 'read',
  realpath: 'read',
  basename: 'read',
  dirname: 'read',
  pwd: 'read',
  cd: 'read',
  echo: 'read',
  true: 'read',
  ls: 'search',
  du: 'search',
  grep: 'search',
  egrep: 'search',
  fgrep: 'search',
};

const findOption =
  /^-(?:[HP]|name|iname|path|ipath|regex|iregex|type|maxdepth|mindepth|size|mtime|mmin|newer|empty|not|a|o|and|or|print|print0|prune)$/;

/** Programs that only some arguments make harmful; patterns that the shell expands could bring such arguments in. */
const careful: { readonly [program: string]: (args: readonly string[]) => Reading | null } = {
  // `--pre` and `--hostname-bin` run a program, `-z` runs decompressors.
  rg: (args) =>
    args.some((arg) => /^--(?:pre|hostname-bin|search-zip)/.test(arg) || /^-[a-zA-Z]*z/.test(arg)) ? null : 'search',
  find: (args) => (args.every((arg) => !arg.startsWith('-') || findOption.test(arg)) ? 'search' : null),
  sed: ([quiet, script = '', ...files]) =>
    quiet === '-n' && /^\d+(?:,(?:\d+|\$))?p$/.test(script) && files.every((file) => !file.startsWith('-'))
      ? 'read'
      : null,
};

export interface Word {
  readonly text: string;
  /** The shell may make several words of it. */
  readonly expands: boolean;
  /** The shell puts a home in it, or the path of a program. */
  readonly replaced: boolean;
}

/** Null: it may do more than read, or it is not understood. */
export function onlyReads(script: string): Reading | null {
  const commands = parse(script);
  if (commands === null || commands.length === 0) {
    return null;
  }
  const readings = commands.map((words) => readingOf(words));
  if (readings.includes(null)) {
    return null;
  }
  return readings.includes('search') ? 'search' : 'read';
}

function readingOf([program, ...args]: readonly Word[]): Reading | null {
  if (program === undefined) {
    return null;
  }
  if (args.some(({ text }) => follows(program.text, text))) {
    return null;
  }
  // Looked up as own members: no program is called `constructor`.
  if (Object.hasOwn(harmless, program.text)) {
    return harmless[program.text] ?? null;
  }
  if (!Object.hasOwn(careful, program.text) || args.some((arg) => arg.expands)) {
    return null;
  }
  return careful[program.text]?.(args.map((arg) => arg.text)) ?? null;
}

/** Options with which a program goes through links that it finds, or reads names of files from a file. */
function follows(program: string, arg: string): boolean {
  const long = arg.startsWith('--');
  const cluster = !long && /^-[A-Za-z]/.test(arg);
  switch (program) {
    case 'grep':
    case 'egrep':
    case 'fgrep':
      // `-S` and `-O` are of the BSD tool.
      return long ? arg.startsWith('--de') : cluster && /[RSO]/.test(arg);
    case 'rg':
      return long ? arg === '--follow' : cluster && arg.includes('L');
    case 'ls':
      return long ? arg.startsWith('--de') : cluster && /[LH]/.test(arg);
    case 'du':
      return long ? /^--(?:de|f)/.test(arg) : cluster && /[LDH]/.test(arg);
    case 'wc':
      return arg.startsWith('--f');
    default:
      return false;
  }
}

const shell =
  /^(?:\/(?:usr\/|usr\/local\/|opt\/homebrew\/|run\/current-system\/sw\/)?bin\/)?(?:ba|z|da|k)?sh -l?c (.+)$/s;

/**
 * The script of `sh -c script`, as Codex quotes it, where a known shell runs it; any other command is its own script, since a
 * program that is called like a shell may do anything.
 */
export function scriptOf(command: string): string {
  const [, quoted] = shell.exec(command) ?? [];
  return quoted === undefined ? command : (unquoted(quoted) ?? command);
}

/** One word, quoted in pieces. Null: it is more than one, or not closed. */
function unquoted(word: string): string | null {
  const pieces = /'([^']*)'|"((?:[^"\\]|\\[^])*)"|([^\s'"\\]+)/gy;
  let text = '';
  while (pieces.lastIndex < word.length) {
    const piece = pieces.exec(word);
    if (piece === null) {
      return null;
    }
    const [, single, double, bare] = piece;
    text += single ?? double?.replace(/\\([$`"\\])/g, '$1') ?? bare ?? '';
  }
  return text;
}

/** Simple commands, each a list of words. Null: the script is not understood. */
export const parse = (script: string): readonly (readonly Word[])[] | null => {
  const commands = split(script.trim());
  return commands?.every((words) => words.length > 0) === true ? commands : null;
};

/** Where a command ends; a space ends a word only. */
const separator = /^(?:[ \t]+|\|\||&&|[|;\n])/;
/** Errors may be thrown away, or joined to the output; nothing else may be redirected. */
const quietened = /^2>(?:\/dev\/null|&1)(?=[\s;|&]|$)/;

/** Cuts a script into commands of words. Null: it holds something beyond that. */
function split(script: string): readonly (readonly Word[])[] | null {
  const commands: Word[][] = [];
  let words: Word[] = [];
  let pieces: Word[] = [];
  const endWord = (): void => {
    if (pieces.length === 0) {
      return;
    }
    words.push({
      text: pieces.map(({ text }) => text).join(''),
      expands: pieces.some(({ expands }) => expands),
      replaced: pieces.some(({ replaced }) => replaced),
    });
    pieces = [];
  };
  const endCommand = (): void => {
    endWord();
    commands.push(words);
    words = [];
  };
  for (let rest = script; rest !== '';) {
    const joint = separator.exec(rest)?.[0] ?? '';
    const quiet = pieces.length === 0 ? (quietened.exec(rest)?.[0] ?? '') : '';
    const piece = joint + quiet === '' ? pieceOf(rest, pieces.at(-1)?.text ?? '') : null;
    if (piece !== null) {
      pieces.push(piece);
    } else if (joint !== '' && joint.trim() === '' && joint !== '\n') {
      endWord();
    } else if (joint !== '') {
      endCommand();
    } else if (quiet === '') {
      return null;
    }
    rest = rest.slice(piece?.length ?? (joint + quiet).length);
  }
  endCommand();
  return commands;
}

/** One character, or one quoted part, of a word. `before`: the piece before it. */
function pieceOf(rest: string, before: string): (Word & { readonly length: number }) | null {
  const [, single, double] = /^(?:'([^']*)'|"([^"$`\\]*)")/.exec(rest) ?? [];
  const quoted = single ?? double;
  if (quoted !== undefined) {
    return { text: quoted, expands: false, replaced: false, length: quoted.length + 2 };
  }
  const char = rest.charAt(0);
  if (/[\w./:,@%+=^~-]/.test(char)) {
    const replaced = (char === '~' && /^[:=]?$/.test(before)) || (char === '=' && before === '');
    return { text: char, expands: false, replaced, length: 1 };
  }
  return char === '*' || char === '?' ? { text: char, expands: true, replaced: false, length: 1 } : null;
}
