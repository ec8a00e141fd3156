/**
 * Prompts as words. Agents' programs have commands of their own (`/clear`), read files that a text mentions (`@path`), and run what
 * it marks (`!command`). Prompts come from outside, so none of that may happen: the text reaches the model as text.
 *
 * What is added is as little as the program needs: a blank or an invisible character, which the model reads past.
 */

/** U+2060, the word joiner: it is not seen, and no program takes it for a blank that it may cut off. */
const joiner = '\u2060';

/** A mark that begins nothing. */
export const afterMark = (mark: string): string => `${mark}${joiner}`;

/** For a program that takes a command only at the very beginning: a blank keeps it from that. */
export const behindBlank = (text: string): string => (/^\s*\//.test(text) ? ` ${text}` : text);

/** For a program that cuts blanks off before it looks. `marks`: the characters that begin a command. */
export const behindJoiner = (text: string, marks: RegExp): string =>
  marks.test(text.trimStart().charAt(0)) ? `${joiner}${text}` : text;

/** A mention of a file is none with a joiner behind its mark. */
export const withoutMentions = (text: string): string =>
  text.replace(/(^|[\s"'(`[{<,;:])@(?=\S)/g, `$1${afterMark('@')}`);

/** For a program whose ways are not known. */
export const plainText = (text: string): string => withoutMentions(behindJoiner(text, /[/!$#@]/));
