/**
 * Prompt, session and label templates: text with `{name}` in it, nothing else. No code, no sections, no paths.
 *
 *  webhook-template/1 Every name in a template is checked against a closed list when the daemon starts, so that a misspelt
 *                     one is an error of the configuration and never an empty place in a prompt.
 *  webhook-template/2 A value is data. It is put in once and never read as a template again.
 *  webhook-template/3 In a prompt, text that outsiders wrote cannot look like text of Signalbox: a block has lines that
 *                     begin with `> `, each of them; a short value is plain only while it has no blanks, else it is a JSON
 *                     string on one line.
 */
import { AppError } from '../../core/errors.ts';

/** The value of a `{name}`. An outsider wrote a `block`, which may have many lines. */
export interface Fact {
  readonly value: string;
  readonly block: boolean;
}

/** Null: the delivery does not have it. */
export type Facts = ReadonlyMap<string, Fact | null>;

type Part = { readonly text: string } | { readonly name: string };

export interface Template {
  readonly parts: readonly Part[];
  readonly names: readonly string[];
}

/** The text of a prompt where the delivery has no value. */
export const absentText = '(not given)';

/** Longest value of one line in a prompt, in UTF-16 units. GitHub's own limit for a title is 256. */
const inlineMax = 300;

const tokenPattern = /\{\{|\}\}|\{([A-Za-z][A-Za-z0-9_]*)\}|[{}]/g;

/**
 * Reads a template once. `{{` and `}}` stand for braces.
 * Throws `bad_config` for a lone brace or a name that `known` does not have; `where` names the place in the configuration.
 */
export function compileTemplate(text: string, known: ReadonlySet<string>, where: string): Template {
  const parts: Part[] = [];
  const names: string[] = [];
  let literal = '';
  let end = 0;
  for (const token of text.matchAll(tokenPattern)) {
    literal += text.slice(end, token.index);
    end = token.index + token[0].length;
    const name = token[1];
    if (name !== undefined) {
      if (!known.has(name)) {
        throw unknownName(name, known, where);
      }
      parts.push({ text: literal }, { name });
      names.push(name);
      literal = '';
    } else if (token[0] === '{{' || token[0] === '}}') {
      literal += token[0].charAt(0);
    } else {
      throw new AppError({
        code: 'bad_config',
        message: `${where}: a lone "${token[0]}" at character ${token.index + 1} of the template`,
        hint: 'Write {name} for a fact of the delivery, {{ and }} for braces.',
      });
    }
  }
  parts.push({ text: literal + text.slice(end) });
  return { parts, names };
}

function unknownName(name: string, known: ReadonlySet<string>, where: string): AppError {
  return new AppError({
    code: 'bad_config',
    message: `${where}: the template asks for {${name}}, which nothing fills`,
    hint: `It can use ${[...known].toSorted().join(', ')}. Declare further ones under "facts".`,
  });
}

/** For keys, labels and addresses: the bare values. The caller has made sure that none is absent where that matters. */
export function renderPlain(template: Template, facts: Facts): string {
  return template.parts.map((part) => ('text' in part ? part.text : (facts.get(part.name)?.value ?? ''))).join('');
}

/** For prompts: values quoted as webhook-template/3 says. `blockMax` bounds each block, in UTF-16 units. */
export function renderPrompt(template: Template, facts: Facts, blockMax: number): string {
  let out = '';
  let pendingBreak = false;
  for (const part of template.parts) {
    const fact = 'text' in part ? null : (facts.get(part.name) ?? null);
    const text =
      'text' in part
        ? part.text
        : fact === null
          ? absentText
          : fact.block
            ? quote(fact.value, blockMax)
            : inline(fact.value);
    if (text === '') {
      continue;
    }
    const block = fact?.block === true;
    if ((block || pendingBreak) && out !== '' && !out.endsWith('\n') && !text.startsWith('\n')) {
      out += '\n';
    }
    out += text;
    pendingBreak = block;
  }
  return out;
}

/** Every character that some reader takes for the end of a line. */
const lineEndPattern = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;
/** Control characters but tab, and the invisible tag characters by which text is hidden from people but not from agents. */
// oxlint-disable-next-line eslint/no-control-regex
const unseenPattern = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u{E0000}-\u{E007F}]/gu;
const plainPattern = /^[\p{L}\p{N}@#:/.,+\-=?&%_~[\]()]+$/u;

/** A quotation that nothing in it can end: each line begins with `> `. */
export function quote(text: string, max: number): string {
  const shown = cut(text, max);
  const lines = shown.split(lineEndPattern).map((line) => `> ${line.replace(unseenPattern, '')}`.trimEnd());
  if (shown.length < text.length) {
    lines.push(`(cut here: ${shown.length} of ${text.length} characters are shown)`);
  }
  return lines.join('\n');
}

export const oneLine = (text: string): string => text.split(lineEndPattern).join(' ').replace(unseenPattern, '').trim();

function inline(text: string): string {
  const shown = cut(text, inlineMax);
  const tail = shown.length < text.length ? '…' : '';
  const clean = oneLine(shown);
  return plainPattern.test(clean) && tail === '' ? clean : JSON.stringify(clean + tail);
}

/** The first `max` units, no surrogate pair torn. */
function cut(text: string, max: number): string {
  if (text.length <= max) {
    return text;
  }
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}
