/** A program with its arguments and its variables on one line, such that no two of them look the same. */
import type { Environment } from '../../supervise/index.ts';

/** As a shell would read it back: `['a b']` is `'a b'`, and `['a', 'b']` is `a b`. */
export const commandLine = (words: readonly string[]): string => words.map(quoted).join(' ');

const quoted = (word: string): string =>
  /^[\w./:,@%+=^-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** Variables that change how output looks, and not what runs, or what it reads. */
const harmless =
  /^(?:LANG|LC_[A-Z]+|LANGUAGE|TERM|TZ|COLUMNS|LINES|CI|COLORTERM|NO_COLOR|FORCE_COLOR|CLICOLOR|CLICOLOR_FORCE)$/;

/** The variables that may change what a command does (`PATH`, `LD_PRELOAD`, `GIT_DIR` and all that is not known). */
export const strongVariables = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !harmless.test(name)));

/** In front of the command, as a shell takes them. */
export const withVariables = (env: Environment, line: string): string =>
  [...Object.entries(env).map(([name, value]) => `${quoted(name)}=${value === '' ? '' : quoted(value)}`), line].join(
    ' ',
  );
