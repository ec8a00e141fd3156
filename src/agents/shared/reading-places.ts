/**
 * Which files the commands of `reading-commands.ts` read, and whether all of them are in the folder of the session.
 *
 * Every argument that may be a path counts as one; only what a program surely takes for something else does not: the pattern of
 * a search, the text of `echo`. `cd` may fail, so what follows it is looked for in both folders.
 */
import { isAbsolute, sep } from 'node:path';
import { expansionsOf, staysInside } from './paths.ts';
import { type Word, onlyReads, parse } from './reading-commands.ts';

/** Bounds of what is looked at: the answer must not take long, whatever an agent writes. */
const scriptMax = 8_192;
const lookupsMax = 2_000;
const optionMax = 128;
const foldersMax = 16;

/** `from`: the folder in which the command runs. False: it may read outside of `folder`, or do more than read. */
export function readsInside(script: string, folder: string, from: string): boolean {
  const commands = script.length > scriptMax || onlyReads(script) === null ? null : parse(script);
  if (commands === null || !staysInside(folder, from)) {
    return false;
  }
  let folders: readonly string[] = [from];
  let lookups = 0;
  const isInside = (word: Word, at: string): boolean => {
    const paths = pathsOf(word, folder, at);
    lookups += paths?.length ?? 0;
    return paths !== null && lookups <= lookupsMax && paths.every((path) => staysInside(folder, path, at));
  };
  for (const [program, ...args] of commands) {
    const name = program?.text ?? '';
    const words = placesOf(name, args);
    if (words === null || !folders.every((at) => words.every((word) => isInside(word, at)))) {
      return false;
    }
    if (name === 'cd') {
      const [target] = words;
      if (words.length !== 1 || target === undefined || target.expands || target.text === '-') {
        return false;
      }
      const entered = folders.map((at) => (isAbsolute(target.text) ? target.text : `${at}${sep}${target.text}`));
      folders = [...new Set([...folders, ...entered])];
      if (folders.length > foldersMax) {
        return false;
      }
    }
  }
  return true;
}

/** Null: it may be anything. */
function pathsOf(word: Word, folder: string, from: string): readonly string[] | null {
  if (word.replaced) {
    return null;
  }
  return word.expands ? expansionsOf(folder, word.text, from) : [word.text];
}

/** Null: some of them cannot be told. */
function placesOf(program: string, args: readonly Word[]): readonly Word[] | null {
  switch (program) {
    case 'echo':
    case 'true':
    case 'tr':
    case 'basename':
    case 'dirname':
      return args.filter(({ expands, replaced }) => expands || replaced);
    case 'sed':
      return args.slice(2);
    case 'cut':
      return pathsAmong(args.filter(({ text }) => !/^-d.$/s.test(text)));
    case 'find':
      return placesOfFind(args);
    case 'grep':
    case 'egrep':
    case 'fgrep':
      return withoutPattern(args, grepOptions);
    case 'rg':
      return withoutPattern(args, rgOptions);
    default:
      return pathsAmong(args);
  }
}

/** Every word that is not an option, and what an option may bring with it. */
function pathsAmong(args: readonly Word[]): readonly Word[] {
  const end = args.findIndex(({ text }) => text === '--');
  const options = end === -1 ? args : args.slice(0, end);
  const rest = end === -1 ? [] : args.slice(end + 1);
  return [...options.flatMap((word) => broughtBy(word)), ...rest];
}

function broughtBy(word: Word): readonly Word[] {
  const { text } = word;
  if (!text.startsWith('-') || word.expands || word.replaced) {
    return [word];
  }
  if (text.startsWith('--')) {
    const value = text.indexOf('=');
    return value === -1 ? [] : [{ ...word, text: text.slice(value + 1) }];
  }
  if (text.length > optionMax) {
    return [{ ...word, replaced: true }];
  }
  // `-f/path` and `-nf/path`: where the value begins depends on the program.
  const values = Array.from({ length: Math.max(0, text.length - 2) }, (_, at) => text.slice(at + 2));
  return values.map((value) => ({ ...word, text: value }));
}

interface SearchOptions {
  /** Those that take nothing, alone or together. */
  readonly flags: RegExp;
  /** Those whose value is the next word, and no path that is read. */
  readonly valued: RegExp;
  /** Those with their value in the same word. */
  readonly joined: RegExp;
}

const grepOptions: SearchOptions = {
  flags: /^-[rnilwcEFGovhHsqxaPULTzIb]+$/,
  valued: /^-[rnilwcEFovhHsqxa]*[ABCm]$/,
  joined:
    /^(?:-[rn]*[ABCm]?\d+|--(?:include|exclude|exclude-dir|colou?r|max-count|context)=.*|--(?:recursive|line-number|ignore-case|files-with-matches|word-regexp|count|extended-regexp|fixed-strings|invert-match|only-matching|with-filename|no-filename|quiet|no-messages))$/s,
};

const rgOptions: SearchOptions = {
  flags: /^-[nilwcFovHsSqxaPUNIu0p.]+$/,
  valued: /^(?:-[nilwcFovHsSqxa]*[ABCmgtT]|--glob|--iglob|--type|--type-not|--max-count|--max-depth|--sort)$/,
  joined:
    /^(?:-[n]*[ABCm]?\d+|-[gtT].+|--(?:glob|iglob|type|type-not|max-count|max-depth|sort|colou?r|context)=.*|--(?:files|hidden|no-ignore|no-heading|line-number|count|json|stats|multiline|ignore-case|fixed-strings|word-regexp|files-with-matches|only-matching))$/s,
};

/** The first word that is no option is the pattern, if it is sure which word that is. Else every word counts as a path. */
function withoutPattern(args: readonly Word[], options: SearchOptions): readonly Word[] {
  const rest: Word[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at];
    const text = word?.text ?? '';
    if (word === undefined || word.expands || word.replaced || !text.startsWith('-') || text === '-') {
      rest.push(...(word === undefined ? [] : [word]));
    } else if (text === '--') {
      rest.push(...args.slice(at + 1));
      break;
    } else if (options.valued.test(text)) {
      at += 1;
    } else if (!options.flags.test(text) && !options.joined.test(text)) {
      return pathsAmong(args);
    }
  }
  const [pattern, ...paths] = rest;
  const listsFiles = args.some(({ text }) => text === '--files');
  return listsFiles || pattern?.expands === true || pattern?.replaced === true ? rest : paths;
}

/** Folders come first; `-newer` looks at one more file. */
function placesOfFind(args: readonly Word[]): readonly Word[] {
  const takesText = /^-(?:i?name|i?path|i?regex|type|maxdepth|mindepth|size|mtime|mmin)$/;
  return args.filter(({ text }, at) => !text.startsWith('-') && !takesText.test(args[at - 1]?.text ?? ''));
}
